"""Puts the verdict into the sheet's status tab, in one change: the tab is replaced as a whole, or stays as it was."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from functions.rating.workbook.description import Description
from functions.rating.workbook.google import identity
from functions.rating.workbook.google import requests as do
from functions.rating.workbook.google.sheet import GoogleSheet, connect
from functions.rating.workbook.status import StatusCell, StatusRow

if TYPE_CHECKING:
    from gspread import Client

_LINK = "https://docs.google.com/spreadsheets/d/{key}/edit#gid={sheet_id}&range={cell}"


def write_status(
    key: str,
    rows: Sequence[StatusRow],
    description: Description,
    *,
    client: Client | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Replace the status tab of a spreadsheet by these rows.

    Text is written as text, whatever it begins with. Raises WorkbookUnavailable, as when the sheet is shared for
    reading only; a run should log that and go on, for the levels don't depend on it.
    """
    sheet = GoogleSheet(key, client or connect(identity.WRITING), sleep)
    tabs = {s["properties"]["title"]: s["properties"] for s in sheet.properties("sheets.properties").get("sheets", [])}
    sheet.change(_replacement(key, tabs, rows, description))


def _replacement(
    key: str, tabs: Mapping[str, Mapping[str, Any]], rows: Sequence[StatusRow], description: Description
) -> list[do.Request]:
    """The tab gets the size of what is written, so that nothing of an earlier verdict stays below or beside it."""
    status = description.tab("status")
    width = max(map(len, rows))
    title = next((title for title in tabs if description.tab_titled(title) is status), None)
    if title is None:
        used = {properties["sheetId"] for properties in tabs.values()}
        sheet_id = do.free_sheet_id(used)
        tab = do.add_tab(sheet_id, status.zh, len(rows), width, 0, index=None)
    else:
        sheet_id = tabs[title]["sheetId"]
        tab = do.set_tab(sheet_id, title, len(rows), width, 0)
    links = {title: properties["sheetId"] for title, properties in tabs.items()}
    cells = [[_cell_data(cell, key, links) for cell in row] for row in rows]
    return [tab, do.replace(sheet_id, cells)]


def _cell_data(cell: StatusCell, key: str, links: Mapping[str, int]) -> dict[str, Any]:
    text_format: dict[str, Any] = {"bold": cell.bold}
    if cell.to and cell.to.tab in links:
        text_format["link"] = {"uri": _LINK.format(key=key, sheet_id=links[cell.to.tab], cell=cell.to.cell)}
    shown: dict[str, Any] = {"textFormat": text_format, "wrapStrategy": "WRAP", "verticalAlignment": "TOP"}
    if cell.colour:
        shown["backgroundColor"] = do.COLOURS[cell.colour]
    return {"userEnteredValue": {"stringValue": cell.text}, "userEnteredFormat": shown}
