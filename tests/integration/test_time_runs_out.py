"""The function's time ends at any stage: it stops before it is cut, nothing is published, the next run publishes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from functions.rating.app import handler
from functions.rating.progress import RESERVE_SECONDS
from shared.errors import OutOfTime
from tests.cloud import Context, small_cloud

APRIL, MAY = {"month": "2026-04"}, {"month": "2026-05"}


class Hurried(Context):
    """Has time until it was asked for it so often."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self.clock: Iterator[int] = iter([900_000] * looks)

    def get_remaining_time_in_millis(self) -> int:
        return next(self.clock, RESERVE_SECONDS * 1000 - 1)


def test_a_run_that_would_not_end_in_time_stops_and_leaves_the_old_month(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped_at = []
    with small_cloud(tmp_path, monkeypatch) as cloud:
        cloud.put_month("2026-04", {"a": (2, 10_000), "b": (1, 0)})
        cloud.rate(APRIL)
        before, pointer = cloud.levels(), cloud.table.pointer()
        cloud.put_month("2026-05", {"a": (5, 500_000), "b": (0, 0)})
        for looks in count():
            try:
                answer = handler(MAY, Hurried(looks))
            except OutOfTime as error:
                stopped_at.append(str(error))
                assert (cloud.levels(), cloud.table.pointer()) == (before, pointer)
            else:
                break
        assert answer["outcome"] == "published"
        assert cloud.levels() == {"a": 3, "b": None}
    for stage in ("sheet", "measure", "rate", "stage", "outbox", "publish"):
        assert any(f"'{stage}'" in message for message in stopped_at), stage
