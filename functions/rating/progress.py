"""The stages of a run: how long each took, how far it is, and whether the function has enough time left."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from shared.errors import OutOfTime
from shared.observability import logger

Listener = Callable[[str, int, int | None], None]
"""Called with the progress of a stage: its name, how much is done, and the total (None if unknown)."""

RESERVE_SECONDS = 20  # enough to finish the current request, write one log line and raise


@dataclass
class Progress:
    """Times the stages of one run.

    ``listener(stage, done, total)`` is called with the progress. ``remaining()`` returns the seconds that the function
    has left; None where there is no limit.
    """

    listener: Listener | None = None
    remaining: Callable[[], float] | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[dict[str, Any]]:
        """Time the block as a stage and log one line. What the caller puts into the dict is added to that line."""
        self.check_time(name)
        facts: dict[str, Any] = {}
        started = time.perf_counter()
        self.advance(name, 0, None)
        yield facts
        self.seconds[name] = round(time.perf_counter() - started, 3)
        logger.info("stage done", stage=name, seconds=self.seconds[name], peak_memory_mb=_peak_memory_mb(), **facts)

    def advance(self, stage: str, done: int, total: int | None) -> None:
        """Report progress. Call it often in a long loop: it raises OutOfTime when the time is up."""
        self.check_time(stage)
        if self.listener:
            self.listener(stage, done, total)

    def check_time(self, stage: str) -> None:
        """Raises OutOfTime when only the time to end cleanly is left."""
        if self.remaining and (left := self.remaining()) < RESERVE_SECONDS:
            raise OutOfTime(
                f"{left:.0f} s are left at stage {stage!r}, {RESERVE_SECONDS} s are needed to end cleanly; nothing was "
                "published. Raise the function's memory (it brings processors) or its timeout, then run again."
            )


def _peak_memory_mb() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // (1024 * 1024) if sys.platform == "darwin" else peak // 1024
