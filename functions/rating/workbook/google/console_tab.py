"""The console tab of a Google Sheet: reads the ticked boxes and writes the answers into their rows.

The tab's rows are a named range, so one small request finds them after the tab was renamed or moved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from functions.rating.workbook.asks import ABOUT, ANSWER, KINDS, TICK, Ask, ticked
from functions.rating.workbook.cells import RawCell
from functions.rating.workbook.description import Description
from functions.rating.workbook.google import requests as do
from functions.rating.workbook.google.requests import Area
from functions.rating.workbook.google.sheet import GoogleSheet

RANGE = "mcn_levels_console"


def read_asks(sheet: GoogleSheet, description: Description) -> list[Ask]:
    """The ticked rows; none if the sheet has no console tab yet. Raises WorkbookUnavailable."""
    first, rows = sheet.read_named(RANGE)
    return list(ticked(rows, first, description.language([first[0]])))


def claim(sheet: GoogleSheet, asks: Sequence[Ask]) -> None:
    """Untick the boxes and write "working on it" before anything is done, so that no request is done twice."""
    working = {"zh": "处理中……", "en": "working on it …"}
    cells: dict[tuple[str, int, int], RawCell] = {}
    for ask in asks:
        cells |= {_cell(ask, TICK): False, _cell(ask, ANSWER): working[ask.language]}
    sheet.put(cells)


def answer(sheet: GoogleSheet, ask: Ask, message: str, *, done: bool) -> None:
    """Write the answer into the row. A finished request is cleared, so that a later tick can't repeat it by mistake."""
    cleared: dict[int, RawCell] = dict.fromkeys(range(ABOUT, ANSWER), "") if done else {}
    sheet.put({_cell(ask, column): value for column, value in {**cleared, ANSWER: message}.items()})


def offer_runs(named: Sequence[Mapping[str, Any]], held: Sequence[str], earlier: Sequence[str]) -> list[do.Request]:
    """Requests that let the rows of decisions offer these runs. ``named``: the named ranges of the sheet."""
    area = next((one["range"] for one in named if one["name"] == RANGE), None)
    if area is None:
        return []
    column = area.get("startColumnIndex", 0) + ABOUT
    requests = []
    for row, runs in ((KINDS.index("accept"), held), (KINDS.index("rollback"), earlier)):
        at = area.get("startRowIndex", 0) + row
        requests.append(do.choose_from(Area(area.get("sheetId", 0), (at, at + 1), (column, column + 1)), runs))
    return requests


def _cell(ask: Ask, column: int) -> tuple[str, int, int]:
    title, row, left = ask.at
    return title, row, left + column
