"""The function's time ends in any stage: the run stops by itself, publishes nothing, and the next run publishes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from functions.rating.app import handler
from functions.rating.progress import RESERVE_SECONDS
from functions.rating.publication.outbox import outbox_entry_from
from local.cloud.invocation import Context
from shared.errors import EventsUnsent, OutOfTime
from tests.cloud import FUNCTION_SECONDS, small_cloud

APRIL, MAY = {"month": "2026-04"}, {"month": "2026-05"}


@dataclass(frozen=True)
class ShortOfTime(Context):
    """Answers with the given times left, then with too little time."""

    clock: Iterator[int] = field(default_factory=lambda: iter(()))

    def get_remaining_time_in_millis(self) -> int:
        return next(self.clock, RESERVE_SECONDS * 1000 - 1)


def test_a_run_that_would_not_end_in_time_stops_and_the_old_month_stays(tmp_path: Path) -> None:
    stopped_at = []
    with small_cloud(tmp_path) as cloud:
        cloud.put_month("2026-04", {"a": (2, 10_000), "b": (1, 0)})
        cloud.rate(APRIL)
        before, pointer = cloud.levels(), cloud.table.pointer()
        cloud.put_month("2026-05", {"a": (5, 500_000), "b": (0, 0)})
        for measured_before in (False, True):
            for enough_times in range(1_000):
                if not measured_before:
                    cloud.forget_measurements()
                times = iter([FUNCTION_SECONDS * 1000] * enough_times)
                try:
                    handler(MAY, ShortOfTime("rating", FUNCTION_SECONDS, clock=times))
                except OutOfTime as error:
                    stopped_at.append(str(error))
                    assert (cloud.levels(), cloud.table.pointer()) == (before, pointer)
                    if "'rate'" in stopped_at[-1] and not measured_before:
                        break  # the measurement is kept: from here on, each run would only repeat it
                except EventsUnsent:  # the month is published; the next run sends its events
                    break
            else:
                pytest.fail("no run stopped before it sent its events")
        assert cloud.rate(MAY)["outcome"] == "unchanged"
        assert all(outbox_entry_from(i).events == int(i["sent"]["N"]) for i in cloud.table.query("OUTBOX"))
        assert cloud.levels() == {"a": 3, "b": None}
    for stage in ("sheet", "measure", "rate", "stage", "level changes", "publish"):
        assert any(f"'{stage}'" in message for message in stopped_at), stage
