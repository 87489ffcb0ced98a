"""Builds the Excel file that operations edit from its description: headers, notes, formats, checks, colours."""

from __future__ import annotations

import io
from collections.abc import Mapping

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Alignment, Font, PatternFill, Protection
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from functions.rating.workbook.cells import Language, RawWorkbook, a1, plain_text
from functions.rating.workbook.description import Description, Tab
from tools.sheet.columns import FORMATS, SheetColumn, Tables, columns_of, values_of
from tools.workbook.checks import check_of, number_format_of, red_when

ROWS = 2_000
"""Rows that have checks and colours; rows below them are read all the same."""

_HEADER = PatternFill("solid", fgColor="E8EEF7")
_OPEN = Protection(locked=False)
_RED = PatternFill("solid", bgColor="F8B4B4")


def build_workbook(description: Description, example: RawWorkbook, language: Language) -> bytes:
    """The file, filled with the ``example``; titles, headers and notes in one language."""
    book = Workbook()
    book.remove(book.worksheets[0])
    tables = Tables(example, description)
    for tab in description.tabs:
        if tab.role in ("output", "console"):
            continue
        sheet = book.create_sheet(getattr(tab.title, language))
        if tab.role == "guide":
            _write_guide(sheet, tab, language)
        else:
            _write_input(sheet, tab, tables, language)
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def _write_guide(sheet: Worksheet, tab: Tab, language: Language) -> None:
    for row, line in enumerate(tab.lines, 1):
        cell = sheet.cell(row, 1, getattr(line, language))
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        cell.font = Font(bold=row <= 2)
    sheet.column_dimensions["A"].width = 110
    sheet.protection.enable()


def _write_input(sheet: Worksheet, tab: Tab, tables: Tables, language: Language) -> None:
    """Write the header in row 1, locked and always visible; the example below it; and checks for all later rows."""
    columns = list(columns_of(tab, tables, language))
    positions = {column.key: at for at, column in enumerate(columns)}
    rows = [values_of(row, columns) for row in tables.table(tab)]
    for at, column in enumerate(columns):
        _write_header(sheet, column, at, language)
        _furnish(sheet, column, positions, language)
    for r, row in enumerate(rows, 2):
        for c, value in enumerate(row, 1):
            if value is not None and value is not False:
                cell = sheet.cell(r, c)
                cell.value = value
                cell.data_type = "s" if isinstance(value, str) else cell.data_type
                cell.protection, cell.number_format = _OPEN, number_format_of(columns[c - 1])
    if tab.key == "settings":
        _show_shares_as_percent(sheet, tables, positions["value"])
    sheet.freeze_panes = "A2"
    sheet.protection.formatColumns = sheet.protection.formatRows = sheet.protection.insertRows = False
    sheet.protection.deleteRows = sheet.protection.insertColumns = sheet.protection.sort = False
    sheet.protection.enable()


def _write_header(sheet: Worksheet, column: SheetColumn, at: int, language: Language) -> None:
    header = sheet.cell(1, at + 1, column.title)
    header.font, header.fill = Font(bold=True), _HEADER
    header.alignment = Alignment(wrap_text=True, vertical="top")
    note = getattr(column.note, language)
    if note:
        header.comment = Comment(note, "levels", height=120, width=320)
    sheet.column_dimensions[get_column_letter(at + 1)].width = max(14, min(40, 2 * len(column.title) + 4))


def _furnish(sheet: Worksheet, column: SheetColumn, positions: Mapping[str, int], language: Language) -> None:
    """Unlock, format, check and colour the cells of a column below the header. Formats are the column's."""
    at = positions[column.key]
    cells = f"{a1(1, at)}:{a1(ROWS, at)}"
    below = sheet.column_dimensions[get_column_letter(at + 1)]
    below.protection, below.number_format = _OPEN, number_format_of(column)
    if check := check_of(column, 1, positions):
        allowed = DataValidation(type=check.kind, operator=check.operator, formula1=check.first, formula2=check.second)
        allowed.allow_blank, allowed.showErrorMessage = True, check.strict
        allowed.error = getattr(column.note, language)[:255]
        allowed.errorTitle = column.title[:32]
        allowed.add(cells)
        sheet.add_data_validation(allowed)
    if red := red_when(column, 1, positions):
        sheet.conditional_formatting.add(cells, FormulaRule([red], fill=_RED))  # type: ignore[no-untyped-call]


def _show_shares_as_percent(sheet: Worksheet, tables: Tables, value: int) -> None:
    for at, row in enumerate(tables.table(tables.description.tab("settings")), 2):
        setting = tables.description.setting(plain_text(row.raw("setting")))
        if setting and setting.type == "share":
            sheet.cell(at, value + 1).number_format = FORMATS["share"][1]
