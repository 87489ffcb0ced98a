"""Puts the verdict into the sheet's status tab, in one change: the tab is replaced as a whole, or stays as it was."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from functions.rating.workbook.description import Description
from functions.rating.workbook.google import identity
from functions.rating.workbook.google import requests as do
from functions.rating.workbook.google.console_tab import offer_runs
from functions.rating.workbook.google.sheet import ADDRESS, GoogleSheet, connect
from functions.rating.workbook.status import StatusCell, StatusPage, StatusRow

if TYPE_CHECKING:
    from gspread import Client

_NARROWEST, _WIDEST, _PIXELS_PER_LETTER = 12, 48, 8
_LINK = ADDRESS + "&range={cell}"


def write_status(
    key: str,
    page: StatusPage,
    description: Description,
    *,
    written: Literal["status", "versions"] = "status",
    client: Client | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Replace the status tab of a spreadsheet, or that of the versions, by these rows, in the language of its tabs.

    Text is written as text, whatever it begins with. Raises WorkbookUnavailable, as when the sheet is shared for
    reading only; a run should log that and go on, for the levels don't depend on it.
    """
    sheet = GoogleSheet(key, client or connect(identity.WRITING), sleep)
    known = sheet.properties("sheets.properties,namedRanges")
    tabs = {one["properties"]["title"]: one["properties"] for one in known.get("sheets", [])}
    shown = page(description.language(tabs))
    offers = offer_runs(known.get("namedRanges", ()), shown.held, shown.earlier) if written == "status" else []
    sheet.change([*status_requests(key, tabs, shown.rows, description, written), *offers])


def status_requests(
    key: str,
    tabs: Mapping[str, Mapping[str, Any]],
    rows: Sequence[StatusRow],
    description: Description,
    written: Literal["status", "versions"] = "status",
) -> list[do.Request]:
    """What replaces the tab: it gets the size of what is written, so that nothing stays below or beside it."""
    status = description.tab(written)
    width = max(map(len, rows))
    title = next((title for title in tabs if description.tab_titled(title) is status), None)
    if title is None:
        used = {properties["sheetId"] for properties in tabs.values()}
        sheet_id = do.free_sheet_id(used)
        named = getattr(status.title, description.language(tabs))
        tab = do.add_tab(sheet_id, named, len(rows), width, 1, index=None)
    else:
        sheet_id = tabs[title]["sheetId"]
        tab = do.set_tab(sheet_id, title, max(len(rows), 2), width, 1)
    links = {title: properties["sheetId"] for title, properties in tabs.items()}
    cells = [[_cell_data(cell, key, links, verdict=not index) for cell in row] for index, row in enumerate(rows)]
    widths = [do.widen(sheet_id, column, _pixels(rows, column)) for column in range(width)]
    return [tab, do.replace(sheet_id, cells), *widths]


def _cell_data(cell: StatusCell, key: str, links: Mapping[str, int], *, verdict: bool) -> dict[str, Any]:
    text_format: dict[str, Any] = {"bold": cell.bold, "fontSize": 13 if verdict else 10}
    if isinstance(cell.to, str):
        text_format["link"] = {"uri": cell.to}
    elif cell.to and cell.to.tab in links:
        text_format["link"] = {"uri": _LINK.format(key=key, sheet_id=links[cell.to.tab], cell=cell.to.cell)}
    wrapped = "OVERFLOW_CELL" if verdict else "WRAP"
    shown: dict[str, Any] = {"textFormat": text_format, "wrapStrategy": wrapped, "verticalAlignment": "TOP"}
    if cell.colour:
        shown["backgroundColor"] = do.COLOURS[cell.colour]
    return ({"userEnteredValue": {"stringValue": cell.text}} if cell.text else {}) | {"userEnteredFormat": shown}


def _pixels(rows: Sequence[StatusRow], column: int) -> int:
    """A width in which most of a column's lines fit. The verdict has none: it runs over its neighbours."""
    lines = [line for row in rows[1:] if column < len(row) for line in row[column].text.splitlines()]
    letters = max((sum(1 if ord(letter) < 0x2E80 else 2 for letter in line) for line in lines), default=0)
    return min(max(letters, _NARROWEST), _WIDEST) * _PIXELS_PER_LETTER
