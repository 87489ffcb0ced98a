"""What the rating function measures carries the stack's name, and is what alarms and dashboard look for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.errors import LevelsError
from shared.observability import metrics
from tests.cloud import Cloud, small_cloud
from tests.cloudwatch import Metrics

NOW = datetime(2026, 10, 3, tzinfo=UTC)
BEFORE_NOON, AFTER_NOON = "2026-10-02T22:00:00Z", "2026-10-03T04:00:00Z"
RATING = {"stack": "levels", "service": "rating"}


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    monkeypatch.setenv("STACK", "levels")
    metrics.clear_default_dimensions()
    metrics.dimension_set.clear()
    monkeypatch.setattr(metrics, "service", "rating")
    with small_cloud(tmp_path) as cloud:
        yield cloud


def measured(capsys: pytest.CaptureFixture[str]) -> dict[str, float]:
    """What was measured since the last look, by name."""
    found = Metrics()
    found.read(capsys.readouterr().out, NOW)
    assert {(namespace, dimensions) for namespace, _, dimensions in found.values} == {
        ("mcn-levels", frozenset(RATING.items()))
    }
    return {name: values[-1][1] for (_, name, _), values in found.values.items()}


def test_a_published_month_counts_what_the_dashboard_shows(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    cloud.put_month("2026-09", {"A": (2, 500_000)})
    cloud.rate({"scheduled_at": BEFORE_NOON})
    counted = measured(capsys)
    assert counted.keys() == {"Runs", "Published", "Held", "QuarantinedRows", "SecondsLeft", "EventsSent"}
    assert (counted["Runs"], counted["Held"], counted["QuarantinedRows"]) == (1, 0, 0)


def test_firings_before_noon_say_nothing_of_being_late(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    assert cloud.rate({"scheduled_at": BEFORE_NOON})["outcome"] == "not_ready"
    assert "Overdue" not in measured(capsys)


def test_a_firing_after_noon_counts_a_month_that_is_not_out(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    assert cloud.rate({"scheduled_at": AFTER_NOON})["outcome"] == "not_ready"
    assert measured(capsys)["Overdue"] == 1
    cloud.put_month("2026-09", {"A": (2, 500_000)})
    assert cloud.rate({"scheduled_at": AFTER_NOON})["outcome"] == "published"
    assert measured(capsys)["Overdue"] == 0


def test_a_firing_that_fails_counts_too(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    cloud.write_workbook(levels="level,name\n1,\n")
    with pytest.raises(LevelsError):
        cloud.rate({"scheduled_at": AFTER_NOON})
    counted = measured(capsys)
    assert (counted["WorkbookFaulty"], counted["Overdue"]) == (1, 1)


def test_a_backfill_says_nothing_of_being_late(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    cloud.put_month("2026-08", {"A": (2, 500_000)})
    cloud.rate({"month": "2026-08"})
    assert "Overdue" not in measured(capsys)


DECISION = {"by": "Li", "reason": "looked at"}
NO_RUN = "0" * 20


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"accept": NO_RUN, **DECISION}, "RunUnknown"),
        ({"rollback": NO_RUN, **DECISION}, "RunUnknown"),
        ({"mode": "refresh", "confirms": NO_RUN, **DECISION}, "ChangesUnseen"),
        ({"month": "2026-09", "mode": "preview"}, "WorkbookFaulty"),
    ],
)
def test_what_the_console_is_refused_is_no_failed_run(
    cloud: Cloud, capsys: pytest.CaptureFixture[str], asked: dict[str, str], error: str
) -> None:
    """Nobody is called, and Lambda does not try it again; asked by a developer, the same raises."""
    cloud.put_month("2026-09", {"A": (2, 500_000)})
    cloud.rate({"month": "2026-09"})
    if error == "WorkbookFaulty":
        cloud.write_workbook(levels="level,name\n1,\n")
    capsys.readouterr()
    answer = cloud.rate({**asked, "ticket": "a" * 20})
    assert (answer["outcome"], answer["error"]) == ("refused", error)
    assert measured(capsys) == {"Runs": 1}
    with pytest.raises(LevelsError):
        cloud.rate(asked)
    assert measured(capsys).keys() & {"RunFailed", "WorkbookFaulty"}
