"""The rating function's metrics have the dimensions that alarms and dashboard use."""

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


def written_metrics(capsys: pytest.CaptureFixture[str]) -> dict[str, float]:
    """The metrics written since the last call, by name."""
    found = Metrics()
    found.read(capsys.readouterr().out, NOW)
    assert {(namespace, dimensions) for namespace, _, dimensions in found.values} == {
        ("mcn-levels", frozenset(RATING.items()))
    }
    return {name: values[-1][1] for (_, name, _), values in found.values.items()}


def test_a_published_month_writes_the_metrics_of_the_dashboard(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.put_month("2026-09", {"A": (2, 500_000)})
    cloud.rate({"scheduled_at": BEFORE_NOON})
    counted = written_metrics(capsys)
    assert counted.keys() == {"Runs", "Published", "Held", "QuarantinedRows", "SecondsLeft", "EventsSent"}
    assert (counted["Runs"], counted["Held"], counted["QuarantinedRows"]) == (1, 0, 0)


def test_a_firing_before_noon_does_not_write_overdue(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    assert cloud.rate({"scheduled_at": BEFORE_NOON})["outcome"] == "not_ready"
    assert "Overdue" not in written_metrics(capsys)


def test_a_firing_after_noon_counts_an_unpublished_month_as_overdue(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cloud.rate({"scheduled_at": AFTER_NOON})["outcome"] == "not_ready"
    assert written_metrics(capsys)["Overdue"] == 1
    cloud.put_month("2026-09", {"A": (2, 500_000)})
    assert cloud.rate({"scheduled_at": AFTER_NOON})["outcome"] == "published"
    assert written_metrics(capsys)["Overdue"] == 0


def test_a_firing_that_fails_writes_overdue_too(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    cloud.write_workbook(levels="level,name\n1,\n")
    with pytest.raises(LevelsError):
        cloud.rate({"scheduled_at": AFTER_NOON})
    counted = written_metrics(capsys)
    assert (counted["WorkbookFaulty"], counted["Overdue"]) == (1, 1)


def test_a_backfill_does_not_write_overdue(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    cloud.put_month("2026-08", {"A": (2, 500_000)})
    cloud.rate({"month": "2026-08"})
    assert "Overdue" not in written_metrics(capsys)


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
def test_a_refusal_to_the_console_does_not_count_as_a_failed_run(
    cloud: Cloud, capsys: pytest.CaptureFixture[str], asked: dict[str, str], error: str
) -> None:
    """So no alarm is raised and Lambda does not try again. The same event without a ticket raises the error."""
    cloud.put_month("2026-09", {"A": (2, 500_000)})
    cloud.rate({"month": "2026-09"})
    if error == "WorkbookFaulty":
        cloud.write_workbook(levels="level,name\n1,\n")
    capsys.readouterr()
    answer = cloud.rate({**asked, "ticket": "a" * 20})
    assert (answer["outcome"], answer["error"]) == ("refused", error)
    assert written_metrics(capsys) == {"Runs": 1}
    with pytest.raises(LevelsError):
        cloud.rate(asked)
    assert written_metrics(capsys).keys() & {"RunFailed", "WorkbookFaulty"}
