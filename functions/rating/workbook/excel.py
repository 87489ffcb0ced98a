"""A workbook kept as an Excel file: cells with their types, as Excel or WPS saved them. Formulas are never calculated.

Cells arrive as those of a Google Sheet do, so that the same content gives the same rulebook and the same faults: a date
is its serial number, an error value is its text, a percentage is its share.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import IO, TYPE_CHECKING, Any

from openpyxl import load_workbook
from openpyxl.utils.datetime import to_excel
from openpyxl.worksheet._reader import FORMULA_TAG, WorkSheetParser

from functions.rating.workbook.cells import UNSAVED, RawCell, RawTab, RawWorkbook
from shared.errors import WorkbookUnavailable

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

MOST_BYTES = 10 * 1024**2
"""Of the file. A workbook with 5,000 overrides has 200 KB."""
MOST_UNPACKED = 12 * 1024**2
"""Of all its parts when unpacked, whatever they are called. A zip bomb goes beyond it, and so do a million empty rows
that have a format: they would take a minute to read."""
MOST_PARTS = 2_000
MOST_COLUMNS = 256
MOST_ROWS = 100_000
_MOST_MERGED = 1_000  # areas; more of them say nothing new

_OLE = bytes.fromhex("D0CF11E0A1B11AE1")
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


def read_excel(content: bytes, name: str, wanted: Callable[[str], bool] = lambda _: True) -> RawWorkbook:
    """The cells of the wanted sheets, hidden ones too. ``name`` is the file's, for messages.

    A formula without a stored value is UNSAVED with its text: as blank it would be read for what it is not.
    Raises WorkbookUnavailable for what is no Excel file, is encrypted or too large.
    """
    _refuse_what_is_no_workbook(content, name)
    try:
        book: Workbook = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        try:
            sheets = book.worksheets
            tabs = tuple(_tab(sheet) for sheet in sheets if wanted(sheet.title))
        finally:
            book.close()
    except Exception as error:  # openpyxl raises whatever its parsers met; each of them means a damaged file
        raise WorkbookUnavailable(
            f"workbook file {name}: it can't be read as an Excel file ({type(error).__name__}: {_short(error)}). Open "
            "it in Excel, WPS or LibreOffice, save it again as .xlsx, and upload that."
        ) from error
    return RawWorkbook(tabs, typed=True, unread=tuple(sheet.title for sheet in sheets if not wanted(sheet.title)))


def _refuse_what_is_no_workbook(content: bytes, name: str) -> None:
    if len(content) > MOST_BYTES:
        raise WorkbookUnavailable(
            f"workbook file {name}: {len(content):,} bytes; expected at most {MOST_BYTES:,}. Delete pictures and "
            "unused rows, or copy the tabs into a new file."
        )
    if content.startswith(_OLE):
        found, fix = (
            ("it is protected with a password", "Save it again without one (File, Info, Protect Workbook)")
            if _ENCRYPTED in content
            else ("it is an Excel 97-2003 file (.xls)", "Save it again as .xlsx")
        )
        raise WorkbookUnavailable(f"workbook file {name}: {found}; expected an .xlsx file. {fix}, and upload that.")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            listed = parts.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise WorkbookUnavailable(
            f"workbook file {name}: it is no .xlsx file, or was cut off on the way ({_short(error)}). Save it again as "
            ".xlsx in Excel, WPS or LibreOffice, and upload that."
        ) from error
    unpacked = sum(part.file_size for part in listed)
    if unpacked > MOST_UNPACKED or len(listed) > MOST_PARTS:
        raise WorkbookUnavailable(
            f"workbook file {name}: it unpacks to {unpacked:,} bytes in {len(listed):,} parts; expected at most "
            f"{MOST_UNPACKED:,} in {MOST_PARTS:,}. Delete pictures, and the empty rows and columns that only "
            "have a format, or copy the tabs into a new file."
        )


class _Cells(WorkSheetParser):
    """openpyxl's parser of a sheet, which gives the cells that are there; its rows are as long as their last cell.

    Values are what formulas gave when the file was saved.
    """

    def __init__(self, source: IO[bytes], sheet: Any) -> None:
        book = sheet.parent
        super().__init__(
            source,
            sheet._shared_strings,
            data_only=True,
            epoch=book.epoch,
            date_formats=book._date_formats,
            timedelta_formats=book._timedelta_formats,
        )

    def parse_cell(self, element: Any) -> dict[str, Any]:
        cell: dict[str, Any] = super().parse_cell(element)
        cell["raw"] = _raw(cell["value"], cell["data_type"])
        formula = element.find(FORMULA_TAG)
        if formula is not None and cell["value"] is None and cell["data_type"] not in ("str", "e"):
            cell["raw"] = f"{UNSAVED} ={formula.text or ''}"
        return cell


def _tab(sheet: Any) -> RawTab:
    """A sheet's cells from A1 to the last one with a value; the first of those that lie too far out is named apart."""
    rows: list[list[RawCell]] = []
    outside: list[tuple[int, int, RawCell]] = []
    with sheet._get_source() as source:
        cells = _Cells(source, sheet)
        for _, row in cells.parse():
            for cell in row:
                at, column, raw = cell["row"] - 1, cell["column"] - 1, cell["raw"]
                if raw is None:
                    continue
                if not (0 <= at < MOST_ROWS and 0 <= column < MOST_COLUMNS):
                    outside = outside or [(at, column, raw)]
                    continue
                rows.extend([] for _ in range(at + 1 - len(rows)))
                rows[at].extend([None] * (column + 1 - len(rows[at])))
                rows[at][column] = raw
        merged = cells.merged_cells.mergeCell[:_MOST_MERGED] if cells.merged_cells else ()
    areas = tuple((area.min_row - 1, area.max_row, area.min_col - 1, area.max_col) for area in merged)
    return RawTab(sheet.title, rows, areas, tuple(outside))


def _raw(value: object, data_type: str) -> RawCell:
    """A cell as a Google Sheet would give it."""
    if data_type == "e":
        return str(value) if value else "#ERROR!"
    if isinstance(value, datetime | date | time | timedelta):
        serial = to_excel(value)  # type: ignore[no-untyped-call]
        return int(serial) if serial == int(serial) else float(serial)
    if value is None or isinstance(value, str | bool | int | float):
        return value
    return str(value)


def _short(error: Exception) -> str:
    return str(error)[:200]
