"""Small workbooks for tests: a valid one, and ways to break its cells. All numbers are invented."""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from pathlib import Path

from functions.rating.workbook.cells import RawCell, RawTab, RawWorkbook
from functions.rating.workbook.description import load_description
from functions.rating.workbook.rulebook import Verdict, parse
from shared.levels import Rulebook
from shared.months import Month

ROOT = Path(__file__).parents[1]
DESCRIPTION = load_description(ROOT / "config" / "workbook.json")
OCTOBER = Month(2026, 10)

SMALL: dict[str, list[list[RawCell]]] = {
    "levels": [
        ["level", "name", "description"],
        [1, "Bronze", "first steps"],
        [2, "Silver", None],
        [3, "Gold", "the top"],
    ],
    "metrics": [
        ["metric", "name", "measure", "min_power", "max_power", "unit"],
        ["creators", "Creators", "creator_count", 4, 7, "creators"],
        ["gmv", "Paid GMV", "paid_gmv", None, None, "yuan"],
    ],
    "thresholds": [
        ["effective_month", "level", "channel", "creators", "gmv"],
        [None, 1, 1, 1, None],
        [None, 2, 1, 5, 1000],
        [None, 3, 1, 10, 20000.5],
        [None, 3, 2, None, 90000],
    ],
    "benefits": [
        ["benefit", "name", "description", "kind", "L1", "L2", "L3"],
        ["contact", "Contact", "can be found", "flag", None, True, True],
        ["seats", "Seats", None, "quota", 0, 5, "unlimited"],
        ["reply", "Reply", None, "text", None, "2 days", "1 day"],
    ],
    "tips": [["metric", "tip", "link"], ["creators", "Invite more", None]],
    "overrides": [
        ["agency_id", "level", "from_month", "until_month", "reason", "approved_by"],
        ["A-0007", 3, "2026-09", "2026-12", "hosts the gala", "Lin"],
    ],
    "cases": [["case", "creators", "gmv", "expected_level"], ["nothing", None, None, None], ["big", 10, 20000.5, 3]],
    "settings": [["setting", "value", "note"], ["max_bad_row_share", 0.01, None]],
}


class Workbook:
    """A workbook that a test changes. ``typed``: cells as Google gives them; otherwise as CSV text."""

    def __init__(self, *, typed: bool = True) -> None:
        self.tabs = copy.deepcopy(SMALL)
        self.merged: dict[str, list[tuple[int, int, int, int]]] = {}
        self.outside: dict[str, list[tuple[int, int, RawCell]]] = {}
        self.typed = typed

    def put_in(self, tab: str, cell: str, value: RawCell) -> Workbook:
        """Put a value into a cell; the tab grows as needed."""
        row, column = _position(cell)
        rows = self.tabs[tab]
        rows.extend([] for _ in range(row + 1 - len(rows)))
        rows[row].extend([None] * (column + 1 - len(rows[row])))
        rows[row][column] = value
        return self

    def put(self, address: str, value: RawCell) -> Workbook:
        """Put a value into a cell such as ``thresholds!D2``."""
        tab, cell = address.split("!")
        return self.put_in(tab, cell, value)

    def merge(self, tab: str, first: str, last: str) -> Workbook:
        """Merge cells as Google does: all except the first lose their value."""
        (top, left), (bottom, right) = _position(first), _position(last)
        self.merged.setdefault(tab, []).append((top, bottom + 1, left, right + 1))
        for row in range(top, bottom + 1):
            for column in range(left, right + 1):
                if (row, column) != (top, left):
                    self.put_in(tab, f"{chr(ord('A') + column)}{row + 1}", None)
        return self

    def put_outside(self, address: str, value: RawCell) -> Workbook:
        """Put a value into a cell beyond the area that is read."""
        tab, cell = address.split("!")
        self.outside[tab] = [(*_position(cell), value)]
        return self

    def fill(self, tab: str, column: str, value: RawCell) -> Workbook:
        """Put a value into every cell of a column below the header."""
        for row in range(2, len(self.tabs[tab]) + 1):
            self.put_in(tab, f"{column}{row}", value)
        return self

    def copy(self, tab: str, title: str) -> Workbook:
        self.tabs[title] = copy.deepcopy(self.tabs[tab])
        return self

    def keep(self, tab: str, rows: int) -> Workbook:
        """Remove all but the first rows of a tab."""
        del self.tabs[tab][rows:]
        return self

    def add(self, tab: str, *cells: RawCell) -> Workbook:
        self.tabs[tab].append(list(cells))
        return self

    def drop(self, tab: str, row: int | None = None) -> Workbook:
        """Remove a tab, or one of its rows, counted as the sheet counts them."""
        if row is None:
            del self.tabs[tab]
        else:
            del self.tabs[tab][row - 1]
        return self

    def rename(self, tab: str, title: str) -> Workbook:
        self.tabs = {title if name == tab else name: rows for name, rows in self.tabs.items()}
        return self

    def drop_column(self, tab: str, header: str) -> Workbook:
        position = self.tabs[tab][0].index(header)
        self.tabs[tab] = [row[:position] + row[position + 1 :] for row in self.tabs[tab]]
        return self

    def raw(self) -> RawWorkbook:
        if self.typed:
            tabs = (
                RawTab(title, rows, self.merged.get(title, ()), self.outside.get(title, ()))
                for title, rows in self.tabs.items()
            )
            return RawWorkbook(tuple(tabs), typed=True)
        return RawWorkbook(tuple(RawTab(title, as_text(rows)) for title, rows in self.tabs.items()), typed=False)

    def verdict(self, month: Month = OCTOBER) -> Verdict:
        return parse(self.raw(), DESCRIPTION, month)

    def rulebook(self) -> Rulebook:
        """The rulebook; the workbook must be valid."""
        verdict = self.verdict()
        assert verdict.rulebook is not None, "\n".join(map(str, verdict.errors))
        return verdict.rulebook


def as_text(rows: Sequence[Sequence[RawCell]]) -> list[list[str]]:
    """Cells as a CSV file has them."""
    return [["" if cell is None else str(cell).upper() if cell is True else str(cell) for cell in row] for row in rows]


def found(verdict: Verdict) -> list[tuple[str, str]]:
    """The faults of a verdict as pairs of code and cell: ``("not_whole", "levels!A2")``."""
    return [(fault.code, f"{fault.tab}!{fault.cell}") for fault in verdict.faults]


def _position(cell: str) -> tuple[int, int]:
    match = re.fullmatch(r"([A-Z]+)([0-9]+)", cell)
    assert match
    column = 0
    for letter in match[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(match[2]) - 1, column - 1
