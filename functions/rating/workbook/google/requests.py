"""The requests of a batchUpdate: changes to a Google Sheet, in the API's form."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from typing import Any, TypeAlias

Request: TypeAlias = dict[str, Any]
CellValue: TypeAlias = str | int | float | Decimal | bool | None

FIRST_SHEET_ID = 20_260_000  # of the tabs that are added; Google's own ids of tabs are random
NEW_ROWS = 1000
NEW_COLUMNS = 26
MARK = "mcn-levels"  # marks our protections and colours, so that a later run finds them
RED = {"red": 0.96, "green": 0.8, "blue": 0.8}
ORANGE = {"red": 1.0, "green": 0.9, "blue": 0.6}
GREEN = {"red": 0.85, "green": 0.94, "blue": 0.83}
COLOURS = {"green": GREEN, "orange": ORANGE, "red": RED}
GREY = {"red": 0.93, "green": 0.93, "blue": 0.93}


@dataclass(frozen=True, slots=True)
class Area:
    """Cells of one tab, counted from 0. ``rows`` and ``columns`` are half-open; an end of None is the tab's end."""

    sheet_id: int
    rows: tuple[int, int | None] = (0, None)
    columns: tuple[int, int | None] = (0, None)

    def as_range(self) -> dict[str, int]:
        ends = {"endRowIndex": self.rows[1], "endColumnIndex": self.columns[1]}
        starts = {"sheetId": self.sheet_id, "startRowIndex": self.rows[0], "startColumnIndex": self.columns[0]}
        return starts | {name: end for name, end in ends.items() if end is not None}


def add_tab(sheet_id: int, title: str, rows: int, columns: int, frozen: int, *, index: int | None) -> Request:
    """Add an empty tab. ``index``: its position, None for the end. ``frozen``: rows that stay visible."""
    grid = _grid(max(rows, NEW_ROWS), max(columns, NEW_COLUMNS), frozen)
    properties = {"sheetId": sheet_id, "title": title, "gridProperties": grid}
    return {"addSheet": {"properties": properties | ({} if index is None else {"index": index})}}


def set_tab(sheet_id: int, title: str, rows: int, columns: int, frozen: int) -> Request:
    """Change a tab's title and size. ``frozen``: rows that stay visible."""
    grid = _grid(rows, columns, frozen)
    properties = {"sheetId": sheet_id, "title": title, "gridProperties": grid}
    fields = ",".join(["title", *(f"gridProperties.{name}" for name in grid)])
    return {"updateSheetProperties": {"properties": properties, "fields": fields}}


def free_sheet_id(used: Collection[int]) -> int:
    """An id for a new tab."""
    return next(number for number in count(FIRST_SHEET_ID) if number not in used)


def replace(sheet_id: int, rows: Sequence[Sequence[Mapping[str, Any]]]) -> Request:
    """Replace all cells of a tab, values and formats. All other cells become blank."""
    given = [{"values": list(row)} for row in rows]
    fields = "userEnteredValue,userEnteredFormat"
    return {"updateCells": {"range": {"sheetId": sheet_id}, "rows": given, "fields": fields}}


def write(sheet_id: int, row: int, column: int, rows: Sequence[Sequence[CellValue]]) -> Request:
    """Write values into cells, from one cell to the right and down. Text never becomes a formula."""
    given = [{"values": [{"userEnteredValue": typed(value)} if value is not None else {} for value in r]} for r in rows]
    start = {"sheetId": sheet_id, "rowIndex": row, "columnIndex": column}
    return {"updateCells": {"start": start, "rows": given, "fields": "userEnteredValue"}}


def head(sheet_id: int, row: int, column: int, title: str | None, note: str) -> Request:
    """Make a cell a header: bold on grey, with a note. ``title`` None keeps its text."""
    cell: dict[str, Any] = {"userEnteredFormat": {"textFormat": {"bold": True}, "backgroundColor": GREY}}
    fields = "userEnteredFormat.textFormat.bold,userEnteredFormat.backgroundColor,note"
    if note:
        cell["note"] = note
    if title is not None:
        cell["userEnteredValue"] = {"stringValue": title}
        fields += ",userEnteredValue"
    start = {"sheetId": sheet_id, "rowIndex": row, "columnIndex": column}
    return {"updateCells": {"start": start, "rows": [{"values": [cell]}], "fields": fields}}


def widen(sheet_id: int, column: int, pixels: int) -> Request:
    """Set the width of a column."""
    columns = {"sheetId": sheet_id, "dimension": "COLUMNS", "startIndex": column, "endIndex": column + 1}
    return {"updateDimensionProperties": {"range": columns, "properties": {"pixelSize": pixels}, "fields": "pixelSize"}}


def show_as(area: Area, kind: str, pattern: str = "") -> Request:
    """Format numbers: ``kind`` is TEXT, NUMBER or PERCENT."""
    number_format = {"type": kind, "pattern": pattern} if pattern else {"type": kind}
    cell = {"userEnteredFormat": {"numberFormat": number_format}}
    return {"repeatCell": {"range": area.as_range(), "cell": cell, "fields": "userEnteredFormat.numberFormat"}}


def allow_only(area: Area, condition: str, values: Sequence[str], message: str) -> Request:
    """Refuse input that does not meet one of Google's conditions, such as NUMBER_BETWEEN."""
    said = {"type": condition, "values": [{"userEnteredValue": value} for value in values]}
    rule = {"condition": said, "inputMessage": message, "strict": True, "showCustomUi": condition == "ONE_OF_LIST"}
    return {"setDataValidation": {"range": area.as_range(), "rule": rule}}


def choose_from(area: Area, values: Sequence[str]) -> Request:
    """Offer a list of texts. Other texts are allowed too, since the list may be outdated."""
    if not values:
        return {"setDataValidation": {"range": area.as_range()}}
    said = {"type": "ONE_OF_LIST", "values": [{"userEnteredValue": value} for value in values]}
    return {"setDataValidation": {"range": area.as_range(), "rule": {"condition": said, "showCustomUi": True}}}


def tick_box(area: Area) -> Request:
    """Show cells as tick boxes."""
    rule = {"condition": {"type": "BOOLEAN"}, "strict": True, "showCustomUi": True}
    return {"setDataValidation": {"range": area.as_range(), "rule": rule}}


def name_range(name: str, area: Area) -> Request:
    return {"addNamedRange": {"namedRange": {"name": name, "range": area.as_range()}}}


def colour_when(area: Area, formula: str, colour: dict[str, float]) -> Request:
    """Colour cells for which a formula is true. The formula is written for the first cell."""
    marked = f'=AND(N("{MARK}")=0,{formula})'
    condition = {"type": "CUSTOM_FORMULA", "values": [{"userEnteredValue": marked}]}
    rule = {"condition": condition, "format": {"backgroundColor": colour}}
    return {"addConditionalFormatRule": {"rule": {"ranges": [area.as_range()], "booleanRule": rule}, "index": 0}}


def histogram(sheet_id: int, title: str, rows: tuple[int, int], column: int) -> Request:
    """A bar chart of two columns of some rows (labels, numbers), placed at a column next to them."""

    def values(of: int) -> dict[str, Any]:
        return {"sourceRange": {"sources": [Area(sheet_id, rows, (of, of + 1)).as_range()]}}

    bars = {
        "chartType": "COLUMN",
        "legendPosition": "NO_LEGEND",
        "headerCount": 0,
        "domains": [{"domain": values(0)}],
        "series": [{"series": values(1), "targetAxis": "LEFT_AXIS"}],
    }
    anchor = {"sheetId": sheet_id, "rowIndex": max(rows[0] - 2, 0), "columnIndex": column}
    position = {"overlayPosition": {"anchorCell": anchor, "widthPixels": 560, "heightPixels": 300}}
    return {"addChart": {"chart": {"spec": {"title": title, "basicChart": bars}, "position": position}}}


def drop_chart(chart_id: int) -> Request:
    return {"deleteEmbeddedObject": {"objectId": chart_id}}


def drop_colour(sheet_id: int, index: int) -> Request:
    return {"deleteConditionalFormatRule": {"sheetId": sheet_id, "index": index}}


def protect(area: Area) -> Request:
    """Warn everybody who edits these cells. The owner could remove a stricter protection anyway."""
    return {
        "addProtectedRange": {"protectedRange": {"range": area.as_range(), "description": MARK, "warningOnly": True}}
    }


def protect_for(area: Area, editors: Sequence[str], description: str) -> Request:
    """Allow only these people to edit these cells. Google adds the sheet's owner and the requesting account."""
    allowed = {"users": list(editors)}
    protected = {"range": area.as_range(), "description": description, "warningOnly": False, "editors": allowed}
    return {"addProtectedRange": {"protectedRange": protected}}


def unprotect(protected_range_id: int) -> Request:
    return {"deleteProtectedRange": {"protectedRangeId": protected_range_id}}


def _grid(rows: int, columns: int, frozen: int) -> dict[str, int]:
    return {"rowCount": rows, "columnCount": columns, "frozenRowCount": frozen}


def typed(value: CellValue) -> dict[str, Any]:
    """A value with its type, as the API wants it."""
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, str):
        return {"stringValue": value}
    return {"numberValue": float(value or 0)}
