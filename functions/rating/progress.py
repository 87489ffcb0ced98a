"""The stages of a run: how long each took, how far it is, and whether the function's time still suffices."""

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
"""Hears the progress of a stage: its name, how much is done, and of how much (None where that is not known)."""

RESERVE_SECONDS = 20  # enough to finish a request in flight, write one log line and raise


@dataclass
class Progress:
    """Times the stages of one run. ``listener(stage, done, total)`` hears progress; ``remaining`` gives seconds."""

    listener: Listener | None = None
    remaining: Callable[[], float] | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[dict[str, Any]]:
        """Time a stage and log one line about it; what the caller puts into the dict goes on that line."""
        self.check_time(name)
        facts: dict[str, Any] = {}
        started = time.perf_counter()
        self.advance(name, 0, None)
        yield facts
        self.seconds[name] = round(time.perf_counter() - started, 3)
        logger.info("stage done", stage=name, seconds=self.seconds[name], peak_memory_mb=_peak_memory_mb(), **facts)

    def advance(self, stage: str, done: int, total: int | None) -> None:
        """Report progress. A long loop calls it often: it raises OutOfTime when time is up."""
        self.check_time(stage)
        if self.listener:
            self.listener(stage, done, total)

    def check_time(self, stage: str) -> None:
        """Raises OutOfTime when what is left is needed to end cleanly."""
        if self.remaining and (left := self.remaining()) < RESERVE_SECONDS:
            raise OutOfTime(
                f"{left:.0f} s are left at stage {stage!r}, {RESERVE_SECONDS} s are needed to end cleanly; nothing was "
                "published. Raise the function's memory (it brings processors) or its timeout, then run again."
            )


def _peak_memory_mb() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // (1024 * 1024) if sys.platform == "darwin" else peak // 1024
