"""The alarms of the template over three months of model time: they are raised only when somebody has to act."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from functions.rating.monitoring import overdue
from tests.cloudwatch import Alarm, Metrics
from tests.contract.transformed import properties

SHANGHAI = ZoneInfo("Asia/Shanghai")
RATING = {"stack": "levels", "service": "rating"}
CREATED = datetime(2026, 7, 20, 15, 7, tzinfo=SHANGHAI)
UNTIL = datetime(2026, 10, 20, tzinfo=SHANGHAI)
ON_TIME = {"2026-07": "2026-08-03 04:30", "2026-08": "2026-09-03 02:00", "2026-09": "2026-10-03 11:30"}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def firings() -> Iterator[tuple[datetime, bool]]:
    """When the schedules fire, and whether it is the renewal: every half hour of the 3rd. The other one: daily at 9."""
    instant = CREATED.replace(minute=0) + timedelta(hours=1)
    while instant < UNTIL:
        if instant.day == 3 and instant.hour >= 2:
            yield instant, True
        if (instant.hour, instant.minute) == (9, 0):
            yield instant, False
        instant += timedelta(minutes=30)


def metrics_of(published: dict[str, str], dead: Iterable[tuple[str, str]] = (), *, renewal: bool = True) -> Metrics:
    """The metrics of three months. ``published``: month -> when it is published; ``dead``: spans in which no schedule
    fires; ``renewal``: whether the renewal fires at all."""
    metrics = Metrics()
    for instant, scheduled in firings():
        if any(at(start) <= instant < at(end) for start, end in dead) or (scheduled and not renewal):
            continue
        metrics.put("mcn-levels", "Runs", RATING, instant)
        so_far = [month for month, when in published.items() if at(when) <= instant]
        late = overdue(instant, so_far, scheduled=scheduled)
        if late is not None:
            metrics.put("mcn-levels", "Overdue", RATING, instant, int(late))
    return metrics


def not_published_by_noon(metrics: Metrics) -> list[tuple[str, str]]:
    """The changes of the alarm's state, with local times."""
    history = Alarm(properties("NotPublishedByNoonAlarm"), RATING).history(metrics, CREATED, UNTIL)
    return [(f"{when.astimezone(SHANGHAI):%m-%d %H:%M}", state) for when, state in history[1:]]


def not_run(metrics: Metrics) -> list[str]:
    """When the alarm is raised, in local time."""
    raised = Alarm(properties("NotRunAlarm"), RATING).raised(metrics, CREATED, UNTIL)
    return [f"{when.astimezone(SHANGHAI):%m-%d %H:%M}" for when in raised]


def test_three_months_on_time_raise_no_alarm() -> None:
    metrics = metrics_of(ON_TIME)
    assert not_published_by_noon(metrics) == [("08-03 13:00", "OK")]
    assert not_run(metrics) == []


def test_a_late_month_raises_the_alarm_at_13_and_clears_it_in_the_hour_after_publication() -> None:
    metrics = metrics_of(ON_TIME | {"2026-08": "2026-09-03 14:00"})
    assert not_published_by_noon(metrics) == [("08-03 13:00", "OK"), ("09-03 13:00", "ALARM"), ("09-03 15:00", "OK")]


def test_a_month_published_within_an_hour_after_noon_raises_no_alarm() -> None:
    assert not_published_by_noon(metrics_of(ON_TIME | {"2026-08": "2026-09-03 12:30"})) == [("08-03 13:00", "OK")]


def test_a_held_month_keeps_the_alarm_raised_until_somebody_accepts_it() -> None:
    """Accepted in the evening of the 5th; the next morning's refresh sees it."""
    metrics = metrics_of(ON_TIME | {"2026-08": "2026-09-05 18:00"})
    assert not_published_by_noon(metrics) == [("08-03 13:00", "OK"), ("09-03 13:00", "ALARM"), ("09-06 10:00", "OK")]


def test_a_month_that_is_never_published_raises_the_alarm_once_and_it_does_not_clear_by_itself() -> None:
    metrics = metrics_of({month: when for month, when in ON_TIME.items() if month != "2026-09"})
    assert not_published_by_noon(metrics) == [("08-03 13:00", "OK"), ("10-03 13:00", "ALARM")]


def test_a_new_stack_without_publications_raises_no_alarm_before_its_first_3rd() -> None:
    metrics = metrics_of({})
    assert not_published_by_noon(metrics) == [("08-03 13:00", "ALARM")]
    assert not_run(metrics) == []


def test_dead_schedules_raise_the_alarm_at_midnight_after_the_first_day_without_a_firing() -> None:
    assert not_run(metrics_of(ON_TIME, dead=[("2026-08-10 12:00", "2026-08-14 00:00")])) == ["08-12 00:00"]


def test_schedules_that_do_not_fire_on_the_3rd_raise_an_alarm() -> None:
    metrics = metrics_of({month: when for month, when in ON_TIME.items() if month != "2026-08"}, renewal=False)
    assert not_published_by_noon(metrics) == [("08-04 10:00", "OK"), ("09-04 10:00", "ALARM"), ("10-04 10:00", "OK")]
    assert not_run(metrics_of(ON_TIME, dead=[("2026-09-02 10:00", "2026-09-04 00:00")])) == ["09-04 00:00"]


@pytest.mark.parametrize("alarm", ["NotPublishedByNoonAlarm", "NotRunAlarm"])
def test_alarms_on_clocks_have_a_period_that_a_wall_clock_window_takes(alarm: str) -> None:
    assert properties(alarm)["Period"] in (60, 300, 3600, 86_400, 604_800)
    assert properties(alarm)["EvaluationWindow"] == {"WallClockWindow": {"Timezone": "Asia/Shanghai"}}


# --- the model of CloudWatch, compared with the examples of its documentation -----------------------------------------


def states(values: str, missing: str) -> str:
    """The state after five periods of 5 minutes, three of which count; X breaches, 0 does not, - has no data."""
    declared = {
        "Namespace": "n",
        "MetricName": "m",
        "Statistic": "Sum",
        "Period": 300,
        "EvaluationPeriods": 3,
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 0,
        "TreatMissingData": missing,
    }
    metrics, start = Metrics(), datetime(2026, 1, 1, tzinfo=UTC)
    for number, value in enumerate(values):
        if value != "-":
            metrics.put("n", "m", {}, start + timedelta(minutes=5 * number), int(value == "X"))
    end = start + timedelta(minutes=5 * len(values))
    return Alarm(declared, {}).history(metrics, end - timedelta(minutes=1), end)[-1][1]


TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("0-X-X", ("OK", "OK", "OK", "OK")),
        ("----0", ("OK", "OK", "OK", "OK")),
        ("-----", ("INSUFFICIENT_DATA", "INSUFFICIENT_DATA", "ALARM", "OK")),  # ignore: the state stays as it was
        ("0XX-X", ("ALARM", "ALARM", "ALARM", "ALARM")),
        ("--X--", ("ALARM", "INSUFFICIENT_DATA", "ALARM", "OK")),
    ],
)
def test_the_model_evaluates_missing_data_as_the_documentation_does(values: str, expected: tuple[str, ...]) -> None:
    assert tuple(states(values, treatment) for treatment in TREATMENTS) == expected
