"""Writes the status tab of a sheet in one request: the tab is replaced completely, or stays as it was."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from functions.rating.workbook.description import Description
from functions.rating.workbook.distribution_tab import LINES_OF_A_CHART, DistributionPage
from functions.rating.workbook.google import identity
from functions.rating.workbook.google import requests as do
from functions.rating.workbook.google.console_tab import offer_runs
from functions.rating.workbook.google.sheet import ADDRESS, GoogleSheet, connect
from functions.rating.workbook.status import StatusPage
from functions.rating.workbook.status_cells import StatusCell, StatusRow

if TYPE_CHECKING:
    from gspread import Client

_NARROWEST, _WIDEST, _PIXELS_PER_LETTER = 12, 48, 8
Written = Literal["status", "versions", "distribution"]
WRITTEN: Sequence[Written] = ("status", "versions", "distribution")
CHART_COLUMN, COLUMNS_OF_A_CHART = 7, 7
_LINK = ADDRESS + "&range={cell}"


def write_status(
    key: str,
    page: StatusPage,
    description: Description,
    *,
    written: Written = "status",
    client: Client | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Replace the status tab, or the tab of versions, in the language of the spreadsheet.

    With a status, the distribution tab and the console's list of runs are replaced too. Text stays text, even if it
    begins with "=". Raises WorkbookUnavailable, for example if the sheet is shared for reading only; a run then logs it
    and continues, since levels don't depend on it.
    """
    sheet = GoogleSheet(key, client or connect(identity.WRITING), sleep)
    known = sheet.properties("sheets(properties,charts.chartId),namedRanges")
    tabs = {one["properties"]["title"]: one["properties"] for one in known.get("sheets", [])}
    shown = page(description.language(tabs))
    offers = offer_runs(known.get("namedRanges", ()), shown.held, shown.earlier) if written == "status" else []
    tab_requests = _replacement(key, tabs, shown.rows, description, written=written)
    if shown.distribution:
        charts = {one["properties"]["title"]: one.get("charts", ()) for one in known.get("sheets", [])}
        tab_requests += _distribution(key, tabs, shown.distribution, charts, description)
    sheet.change([*tab_requests, *offers])


def _replacement(
    key: str,
    tabs: Mapping[str, Mapping[str, Any]],
    rows: Sequence[StatusRow],
    description: Description,
    *,
    written: Written = "status",
    room: tuple[int, int] = (0, 0),
) -> list[do.Request]:
    """The requests that replace a tab. The tab gets the size of its new content, so nothing old remains.

    ``room``: its least number of rows and columns.
    """
    sheet_id, title = _known_or_new(tabs, written, description)
    width = max(map(len, rows))
    size = max(len(rows), 2, room[0]), max(width, room[1])
    make = do.set_tab(sheet_id, title, *size, 1) if title in tabs else do.add_tab(sheet_id, title, *size, 1, index=None)
    links = {title: properties["sheetId"] for title, properties in tabs.items()}
    cells = [[_cell_data(cell, key, links, verdict=not index) for cell in row] for index, row in enumerate(rows)]
    widths = [do.widen(sheet_id, column, _pixels(rows, column)) for column in range(width)]
    return [make, do.replace(sheet_id, cells), *widths]


def _distribution(
    key: str,
    tabs: Mapping[str, Mapping[str, Any]],
    page: DistributionPage,
    charts: Mapping[str, Sequence[Mapping[str, Any]]],
    description: Description,
) -> list[do.Request]:
    """The requests that replace the distribution tab and its charts. ``charts``: existing ones, by the tab's title."""
    sheet_id, title = _known_or_new(tabs, "distribution", description)
    room = len(page.rows) + LINES_OF_A_CHART, CHART_COLUMN + COLUMNS_OF_A_CHART
    old = [do.drop_chart(one["chartId"]) for one in charts.get(title, ())]
    new = [do.histogram(sheet_id, one.title, one.rows, CHART_COLUMN) for one in page.charts]
    return [*_replacement(key, tabs, page.rows, description, written="distribution", room=room), *old, *new]


def _known_or_new(tabs: Mapping[str, Mapping[str, Any]], written: Written, description: Description) -> tuple[int, str]:
    """Id and title of an existing tab, or of the tab to create. Each tab to create has an id of its own."""
    tab = description.tab(written)
    title = next((title for title in tabs if description.tab_titled(title) is tab), None)
    if title is not None:
        return tabs[title]["sheetId"], title
    used = {properties["sheetId"] for properties in tabs.values()}
    for _ in range(WRITTEN.index(written)):
        used.add(do.free_sheet_id(used))
    return do.free_sheet_id(used), str(getattr(tab.title, description.language(tabs)))


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
    if cell.number is not None:
        value: dict[str, Any] = {"userEnteredValue": {"numberValue": cell.number}}
        shown["numberFormat"] = {"type": "NUMBER", "pattern": "#,##0"}
    else:
        value = {"userEnteredValue": {"stringValue": cell.text}} if cell.text else {}
    return value | {"userEnteredFormat": shown}


def _pixels(rows: Sequence[StatusRow], column: int) -> int:
    """A width that fits most of a column's lines. The verdict is not counted, since it may overlap the next columns."""
    lines = [line for row in rows[1:] if column < len(row) for line in row[column].text.splitlines()]
    letters = max((sum(1 if ord(letter) < 0x2E80 else 2 for letter in line) for line in lines), default=0)
    return min(max(letters, _NARROWEST), _WIDEST) * _PIXELS_PER_LETTER
