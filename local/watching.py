"""Progress of a month for whoever watches: a bar on a terminal, a plain line everywhere else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from local.system import Progress as Listener


@contextmanager
def watching(console: Console, what: str) -> Iterator[Listener]:
    """A listener for stages and how far they are; says at the end how long ``what`` took."""
    started = perf_counter()
    if console.is_terminal:
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console, transient=True) as bars:
            task = bars.add_task(what, total=None)
            yield lambda stage, done, total: bars.update(
                task, description=f"{what} · {stage}", completed=done, total=total
            )
    else:
        yield lambda _stage, _done, _total: None
    console.print(f"{what}: {perf_counter() - started:.1f} s")
