"""Starts the system and rates its months, with progress bars."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from local.cloud.system import WORKBOOK, System, running, schedule_event
from local.cloud.system import Progress as Listener
from local.own_files import months_in
from local.sample import sample_folder


@contextmanager
def rated_system(
    console: Console, extracts: Path | None = None, workbook: Path = WORKBOOK, *, on_spark: bool = False
) -> Iterator[tuple[System, list[dict[str, Any]]]]:
    """The running system, and the rating function's answer for every month of the extracts, in order.

    Uses the sample without ``extracts``. A month may be published, held or not ready: see its ``outcome``.
    ``on_spark``: the Spark job measures months.
    """
    with ExitStack() as stack:
        if extracts is None:
            with watching(console, "样例数据 sample extracts"):
                extracts = sample_folder()
        with watching(console, "本机 AWS embedded AWS"):
            system = stack.enter_context(running(extracts, on_spark=on_spark))
        results = []
        for month in months_in(extracts):
            with watching(console, f"考核 rate {month}") as progress:
                results.append(system.rate(schedule_event(month), workbook=workbook, progress=progress))
        console.print()
        yield system, results


@contextmanager
def watching(console: Console, what: str) -> Iterator[Listener]:
    """A listener for the progress of stages. On a terminal: a bar for the current stage, with its remaining time.

    Prints at the end how long ``what`` took.
    """
    started = perf_counter()
    if console.is_terminal:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[amount]}"),
            TimeElapsedColumn(),
            TextColumn("剩余 left"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=console, transient=True) as bars:
            yield _Bar(bars, what).show
    else:
        yield lambda _stage, _done, _total: None
    console.print(f"{what}: {perf_counter() - started:.1f} s")


class _Bar:
    """One progress bar that starts again with each stage, so that the estimate is for this stage."""

    def __init__(self, bars: Progress, what: str) -> None:
        self._bars = bars
        self._what = what
        self._task = bars.add_task(what, total=None, amount="")
        self._stage = ""

    def show(self, stage: str, done: int, total: int | None) -> None:
        if stage != self._stage:
            self._stage = stage
            self._bars.reset(self._task, description=f"{self._what} · {stage}")
        self._bars.update(self._task, completed=done, total=total, amount=_amount(stage, done, total))


def _amount(stage: str, done: int, total: int | None) -> str:
    """The progress as text: bytes while extracts are read, else rows or items."""
    shown = decimal if stage == "measure" else "{:,}".format
    return " / ".join(shown(number) for number in (done, total) if number)
