"""Builds the Google Sheet from its description, or upgrades an older one. It never overwrites a data cell.

Everything is one batchUpdate, so a sheet is built completely or not at all. Building it again changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from functions.rating.workbook.asks import ABOUT, ANSWER, KINDS, TICK
from functions.rating.workbook.cells import Language, RawCell, RawTab, RawWorkbook, plain_text
from functions.rating.workbook.description import Description, Tab
from functions.rating.workbook.google import requests as do
from functions.rating.workbook.google.console_tab import RANGE
from functions.rating.workbook.google.requests import Area, Request
from functions.rating.workbook.google.sheet import GoogleSheet
from functions.rating.workbook.levels_and_metrics import level_key
from tools.sheet.columns import FORMATS, SheetColumn, Tables, columns_of, values_of

LOOK = "sheets(properties,protectedRanges,conditionalFormats),namedRanges"
FOR_APPROVERS = f"{do.MARK} approvers"
CONSOLE_WIDTHS = (100, 60, 260, 120, 260, 360)


@dataclass(frozen=True, slots=True)
class Built:
    """What was done: titles of new tabs and of existing tabs, and whether the example was filled in."""

    created: tuple[str, ...]
    upgraded: tuple[str, ...]
    filled: bool


def build(
    sheet: GoogleSheet,
    description: Description,
    example: RawWorkbook,
    language: Language | None,
    approvers: Sequence[str] = (),
) -> Built:
    """Create or upgrade every tab. A spreadsheet whose tabs are all blank is filled with the ``example``.

    ``approvers``: e-mail addresses of those who may decide in the console tab, and of the account that the system
    is known by; without any, who may stays as it is.

    ``language``: of titles, headers and notes; None leaves the titles and headers that are there, and adds
    in the sheet's language; Chinese in a blank one.
    Raises WorkbookUnavailable; then nothing was changed.
    """
    known = sheet.properties(LOOK)
    sheets = known.get("sheets", [])
    titles = [known["properties"]["title"] for known in sheets]
    cells = sheet.read_tabs([title for title in titles if description.tab_titled(title)])
    filled = all(_is_blank(tab) for tab in cells.tabs if description.reads(tab.title))
    plan = _Plan(description, language, sheets, cells, example if filled else None)
    requests = [*plan.requests(), *plan.console_requests(known.get("namedRanges", ()), approvers)]
    sheet.change(requests)
    created = tuple(plan.title(tab) for tab in description.tabs if tab.key not in plan.there)
    return Built(created, tuple(tab.title for tab in cells.tabs), filled)


class _Plan:
    """The requests for one spreadsheet. ``sheets``: Google's description of all its tabs."""

    def __init__(
        self,
        description: Description,
        language: Language | None,
        sheets: Sequence[Mapping[str, Any]],
        cells: RawWorkbook,
        example: RawWorkbook | None,
    ) -> None:
        self.description = description
        self.language: Language = language or description.language(raw.title for raw in cells.tabs)
        self.retitle = language is not None
        self.there = {t.key: known for known in sheets if (t := description.tab_titled(known["properties"]["title"]))}
        self.taken_ids = {known["properties"]["sheetId"] for known in sheets}
        self.cells = {tab.key: raw for raw in cells.tabs if (tab := description.tab_titled(raw.title))}
        self.filling = example is not None
        self.ids: dict[str, int] = {}
        self.tables = Tables(example or cells, description)

    def title(self, tab: Tab) -> str:
        """The title that the tab gets or keeps."""
        if tab.key in self.there and not self.retitle:
            return str(self.there[tab.key]["properties"]["title"])
        return str(getattr(tab.title, self.language))

    def requests(self) -> Iterator[Request]:
        for tab in self.description.tabs:
            known = self.there.get(tab.key)
            sheet_id = known["properties"]["sheetId"] if known else do.free_sheet_id(self.taken_ids)
            self.taken_ids.add(sheet_id)
            if known and (tab.role != "console" or self.retitle):
                yield from _clear(known)
            self.ids[tab.key] = sheet_id
            if tab.role == "input":
                yield from self._input(tab, sheet_id)
            elif tab.role == "console":
                yield from self._console(tab, sheet_id)
            else:
                yield from self._lines(tab, sheet_id)

    def _lines(self, tab: Tab, sheet_id: int) -> Iterator[Request]:
        """Requests for a tab that is not read: the guide, or a tab that the system writes."""
        yield self._place(tab, sheet_id, len(tab.lines), 1)
        yield do.protect(Area(sheet_id))
        if tab.lines and (tab.key not in self.cells or _is_blank(self.cells[tab.key])):
            yield do.write(sheet_id, 0, 0, [[getattr(line, self.language)] for line in tab.lines])

    def _console(self, tab: Tab, sheet_id: int) -> Iterator[Request]:
        """Requests for the console: one row for each kind of request. Typed values stay."""
        if tab.key in self.there and not self.retitle:
            return
        columns, rows = tab.columns, len(tab.lines) + 1
        yield self._place(tab, sheet_id, rows, len(columns), 0)
        for position, column in enumerate(columns):
            title, note = (getattr(text, self.language) for text in (column.title, column.note))
            yield do.head(sheet_id, 0, position, title, note)
            yield do.widen(sheet_id, position, CONSOLE_WIDTHS[position])
        yield do.write(sheet_id, 1, 0, [[getattr(line, self.language)] for line in tab.lines])
        yield do.show_as(Area(sheet_id, (1, rows), (ABOUT, ANSWER)), "TEXT")
        yield do.tick_box(Area(sheet_id, (1, rows), (TICK, TICK + 1)))
        for locked in (Area(sheet_id, (0, 1)), Area(sheet_id, (1, rows), (0, 1))):
            yield do.protect(locked)

    def console_requests(self, named: Sequence[Mapping[str, Any]], approvers: Sequence[str]) -> Iterator[Request]:
        """Requests for the named range of the console's rows, and for the people who may decide there."""
        sheet_id, tab = self.ids["console"], self.description.tab("console")
        last, width = len(tab.lines) + 1, len(tab.columns)
        if RANGE not in [one["name"] for one in named]:
            yield do.name_range(RANGE, Area(sheet_id, (1, last), (0, width)))
        area = next((one["range"] for one in named if one["name"] == RANGE), None)
        first = area.get("startRowIndex", 0) if area else 1
        if approvers:
            for protected in self.there.get("console", {}).get("protectedRanges", ()):
                if protected.get("description") == FOR_APPROVERS:
                    yield do.unprotect(protected["protectedRangeId"])
            deciding = (first + KINDS.index("accept"), first + KINDS.index("rollback") + 1)
            yield do.protect_for(Area(sheet_id, deciding, (0, width)), approvers, FOR_APPROVERS)

    def _input(self, tab: Tab, sheet_id: int) -> Iterator[Request]:
        """Requests for a tab that operations fill in. Missing columns are added to the right of the existing ones."""
        columns = list(columns_of(tab, self.tables, self.language))
        rows = self.cells[tab.key].rows if tab.key in self.cells else ()
        table = self.tables.table(tab)
        here, misspelt = ({}, {}) if self.filling else (table.positions, table.misspelt)
        header_row = 0 if self.filling or not table.rows else table.first - 1
        positions = {**here, **misspelt}
        for free, column in enumerate((c for c in columns if c.key not in positions), start=_width(rows, header_row)):
            positions[column.key] = free
        data = [values_of(row, columns) for row in self.tables.table(tab)] if self.filling else []
        yield self._place(tab, sheet_id, header_row + 1 + len(data), max(positions.values()) + 1, header_row)
        yield do.protect(Area(sheet_id, (header_row, header_row + 1)))
        for column in columns:
            titled = column.key not in here or (self.retitle and column.own)
            note = getattr(column.note, self.language)
            yield do.head(sheet_id, header_row, positions[column.key], column.title if titled else None, note)
            yield from _furnish(Area(sheet_id, (header_row + 1, None)), column, positions, note)
        yield from self._formats_by_row(tab, sheet_id, positions)
        yield from self._tick_boxes(tab, sheet_id, header_row, positions)
        if data:
            yield do.write(sheet_id, header_row + 1, 0, data)

    def _formats_by_row(self, tab: Tab, sheet_id: int, positions: Mapping[str, int]) -> Iterator[Request]:
        """Shares among the settings look like 5%, numbers like 5."""
        for at, row in enumerate(self.tables.table(tab) if tab.key == "settings" else (), start=1):
            setting = self.description.setting(plain_text(row.raw("setting")))
            if setting:
                index, column = at if self.filling else row.index, positions["value"]
                yield do.show_as(Area(sheet_id, (index, index + 1), (column, column + 1)), *FORMATS[setting.type])

    def _tick_boxes(self, tab: Tab, sheet_id: int, header_row: int, positions: Mapping[str, int]) -> Iterator[Request]:
        """Benefits that are ticked have tick boxes; a cell that holds something else stays as it is, with its fault."""
        if tab.more_columns != "levels":
            return
        kinds = tab.column("kind")
        for at, row in enumerate(self.tables.table(tab), start=1):
            kind, index = (
                kinds.choice(plain_text(row.raw("kind")) or ""),
                header_row + at if self.filling else row.index,
            )
            for level in self.tables.levels.levels if kind and kind.en == "flag" else ():
                column = positions[level_key(level.level)]
                if self.filling or plain_text(row.raw(level_key(level.level))) in (None, "True", "False"):
                    yield do.tick_box(Area(sheet_id, (index, index + 1), (column, column + 1)))

    def _place(self, tab: Tab, sheet_id: int, height: int, width: int, header_row: int = -1) -> Request:
        """The tab itself, new or with room for what comes; its header and the rows above stay in sight."""
        if tab.key not in self.there:
            index = 0 if tab.role == "guide" else None
            return do.add_tab(sheet_id, self.title(tab), height, width, header_row + 1, index=index)
        grid = self.there[tab.key]["properties"]["gridProperties"]
        rows, columns = max(height, header_row + 2, grid["rowCount"]), max(width, grid["columnCount"])
        frozen = max(header_row + 1, grid.get("frozenRowCount", 0))
        return do.set_tab(sheet_id, self.title(tab), rows, columns, frozen)


def _clear(known: Mapping[str, Any]) -> Iterator[Request]:
    """Remove our protections and colours of an earlier build. Those of people stay."""
    for protected in known.get("protectedRanges", ()):
        if protected.get("description") == do.MARK:
            yield do.unprotect(protected["protectedRangeId"])
    for index, rule in reversed(list(enumerate(known.get("conditionalFormats", ())))):
        if do.MARK in str(rule.get("booleanRule", "")):
            yield do.drop_colour(known["properties"]["sheetId"], index)


def _furnish(below: Area, column: SheetColumn, positions: Mapping[str, int], note: str) -> Iterator[Request]:
    """Format, check and colour the cells of a column below the header. Their values stay."""
    position, row = positions[column.key], below.rows[0]
    area = replace(below, columns=(position, position + 1))
    if column.number_format:
        yield do.show_as(area, *column.number_format)
    if check := column.check(row, positions):
        yield do.allow_only(area, *check, message=note)
    if formula := column.orange_when(row, positions):
        yield do.colour_when(area, formula, do.ORANGE)
    if formula := column.red_when(row, positions):
        yield do.colour_when(area, formula, do.RED)


def _is_blank(tab: RawTab) -> bool:
    return not any(_holds(cell) for row in tab.rows for cell in row)


def _holds(cell: RawCell) -> bool:
    return plain_text(cell) is not None and cell is not False


def _width(rows: Sequence[Sequence[RawCell]], header_row: int) -> int:
    """The number of columns from the first to the last cell of the header."""
    header = rows[header_row] if rows else ()
    return max((at + 1 for at, cell in enumerate(header) if plain_text(cell)), default=0)
