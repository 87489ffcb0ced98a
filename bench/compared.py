"""What the bench prints: one thing beside the floor that it is measured against, and tables of such things."""

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
    """Seconds of ours and of the floor, and how often the floor ours may take; without a goal it is only shown."""

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
    """A call that gives the seconds it took."""

    def seconds() -> float:
        begun = time.perf_counter()
        call()
        return time.perf_counter() - begun

    return seconds


def medians(ours: Callable[[], float], floor: Callable[[], float], turns: int) -> tuple[float, float]:
    """The median of each, costs in turns after a warm-up, so that neither finds its own caches warmer."""
    measured = [(ours(), floor()) for _ in range(turns + turns // 10)][turns // 10 :]
    return median(turn[0] for turn in measured), median(turn[1] for turn in measured)


def show(title: str, measured: Iterable[Compared]) -> None:
    """A table of things beside their floors."""
    show_rows(title, ("", "ours", "floor", "ratio", "goal"), [compared.cells() for compared in measured])


def show_rows(title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table in Markdown, which reads well on a terminal and in docs/performance.md."""
    table = Table(box=MARKDOWN)
    for number, name in enumerate(header):
        table.add_column(name, justify="right" if number else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    CONSOLE.print(f"\n### {title}")
    CONSOLE.print(table)
