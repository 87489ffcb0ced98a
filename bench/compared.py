"""Comparisons that the bench prints: our time and the time of a floor (the least possible), as tables."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from rich.box import MARKDOWN
from rich.console import Console
from rich.table import Table

CONSOLE = Console(width=120)


@dataclass(frozen=True, slots=True)
class Compared:
    """Seconds of ours and of the floor. ``goal``: the largest allowed ratio; None only shows the ratio."""

    what: str
    ours: float
    floor: float
    goal: float | None = None

    @property
    def ratio(self) -> float:
        return self.ours / self.floor

    @property
    def missed(self) -> bool:
        return self.goal is not None and self.ratio > self.goal

    def cells(self) -> tuple[str, ...]:
        goal = "" if self.goal is None else f"<= {self.goal:.2f} {'MISSED' if self.missed else 'met'}"
        return self.what, f"{self.ours * 1000:.2f} ms", f"{self.floor * 1000:.2f} ms", f"{self.ratio:.3g}", goal


def timed(call: Callable[[], object]) -> Callable[[], float]:
    """A function that runs ``call`` and returns the seconds it took."""

    def seconds() -> float:
        begun = time.perf_counter()
        call()
        return time.perf_counter() - begun

    return seconds


def medians(ours: Callable[[], float], floor: Callable[[], float], turns: int) -> tuple[float, float]:
    """The median of each. Runs them alternately after a warm-up, so that both have equally warm caches."""
    measured = [(ours(), floor()) for _ in range(turns + turns // 10)][turns // 10 :]
    return median(turn[0] for turn in measured), median(turn[1] for turn in measured)


def show(title: str, measured: Iterable[Compared]) -> None:
    """Print a table of comparisons."""
    show_rows(title, ("", "ours", "floor", "ratio", "goal"), [compared.cells() for compared in measured])


def show_rows(title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table in Markdown, which is readable on a terminal and in docs/performance.md."""
    table = Table(box=MARKDOWN)
    for number, name in enumerate(header):
        table.add_column(name, justify="right" if number else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    CONSOLE.print(f"\n### {title}")
    CONSOLE.print(table)
