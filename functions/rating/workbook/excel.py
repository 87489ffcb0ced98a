"""A workbook kept as an Excel file: cells with their types, as Excel or WPS saved them. Formulas are never calculated.

Cells arrive as those of a Google Sheet do, so that the same content gives the same rulebook and the same faults: a date
is its serial number, an error value is its text, a percentage is its share.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from openpyxl import load_workbook
from openpyxl.utils.datetime import to_excel

from functions.rating.workbook.cells import RawCell, RawTab, RawWorkbook, a1
from shared.errors import WorkbookUnavailable

if TYPE_CHECKING:
    from openpyxl.cell.read_only import ReadOnlyCell
    from openpyxl.workbook import Workbook

MOST_BYTES = 10 * 1024**2
"""Of the file. A workbook with 5,000 overrides has 200 KB."""
MOST_UNPACKED = 12 * 1024**2
"""Of its parts when unpacked, pictures left aside, which nobody unpacks here. A zip bomb goes beyond it, and so do a
million empty rows that have a format: they would take a minute to read."""
MOST_PARTS = 2_000

_OLE = bytes.fromhex("D0CF11E0A1B11AE1")
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".emf", ".wmf", ".svg")
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


def read_excel(content: bytes, name: str, wanted: Callable[[str], bool] = lambda _: True) -> RawWorkbook:
    """The cells of the wanted sheets, hidden ones too. ``name`` is the file's, for messages.

    Raises WorkbookUnavailable for what is no Excel file, is encrypted or too large, and for a formula without a stored
    value: its cell would look blank.
    """
    _refuse_what_is_no_workbook(content, name)
    try:
        values, unread = _sheets(content, wanted, values=True)
        formulas, _ = _sheets(content, wanted, values=False)
    except WorkbookUnavailable:
        raise
    except Exception as error:  # openpyxl raises whatever its parsers met; each of them means a damaged file
        raise WorkbookUnavailable(
            f"workbook file {name}: it can't be read as an Excel file ({type(error).__name__}: {_short(error)}). Open "
            "it in Excel, WPS or LibreOffice, save it again as .xlsx, and upload that."
        ) from error
    for (title, rows), (_, written) in zip(values, formulas, strict=True):
        _refuse_unsaved_formulas(name, title, rows, written)
    tabs = tuple(RawTab(title, [[_raw(c) for c in row] for row in rows]) for title, rows in values)
    return RawWorkbook(tabs, typed=True, unread=unread)


def _refuse_what_is_no_workbook(content: bytes, name: str) -> None:
    if len(content) > MOST_BYTES:
        raise WorkbookUnavailable(f"workbook file {name}: {len(content):,} bytes; expected at most {MOST_BYTES:,}")
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
    unpacked = sum(part.file_size for part in listed if not part.filename.lower().endswith(_PICTURES))
    if unpacked > MOST_UNPACKED or len(listed) > MOST_PARTS:
        raise WorkbookUnavailable(
            f"workbook file {name}: it unpacks to {unpacked:,} bytes in {len(listed):,} parts; expected at most "
            f"{MOST_UNPACKED:,} in {MOST_PARTS:,}. Delete the empty rows and columns that only have a format, "
            "or copy the tabs into a new file."
        )


def _sheets(
    content: bytes, wanted: Callable[[str], bool], *, values: bool
) -> tuple[list[tuple[str, list[list[Any]]]], tuple[str, ...]]:
    """Every wanted sheet with its cells from A1 on, and the titles of the others.

    A cell is what its formula gave when the file was saved, or the formula.
    """
    book: Workbook = load_workbook(io.BytesIO(content), read_only=True, data_only=values, keep_links=False)
    try:
        sheets = [(s.title, _from_a1(s)) for s in book.worksheets if wanted(s.title)]
        return sheets, tuple(s.title for s in book.worksheets if not wanted(s.title))
    finally:
        book.close()


def _from_a1(sheet: Any) -> list[list[Any]]:
    """The rows of a sheet; what follows the last cell with a value is left away."""
    sheet.reset_dimensions()  # what a file says of its own size is often wrong
    rows = [_without_trailing_blanks(row) for row in sheet.iter_rows()]
    while rows and not rows[-1]:
        rows.pop()
    return rows


def _without_trailing_blanks(row: tuple[ReadOnlyCell, ...]) -> list[ReadOnlyCell]:
    end = len(row)
    while end and row[end - 1].value is None and row[end - 1].data_type not in ("e", "str"):
        end -= 1
    return list(row[:end])


def _refuse_unsaved_formulas(name: str, title: str, rows: list[list[Any]], written: list[list[Any]]) -> None:
    unsaved = [cell for cell in _formula_cells(written) if _value_at(rows, *cell) is None]
    if unsaved:
        cells = ", ".join(a1(*cell) for cell in unsaved[:5])
        raise WorkbookUnavailable(
            f"workbook file {name}, {title}!{cells} ({len(unsaved)} in all): a formula without a stored value, as "
            "programs write it that do not calculate; its cell would be read as blank. Open the file in Excel, WPS or "
            "LibreOffice and save it, or put the values there."
        )


def _formula_cells(rows: list[list[Any]]) -> Iterator[tuple[int, int]]:
    return ((r, c) for r, row in enumerate(rows) for c, cell in enumerate(row) if cell.data_type == "f")


def _value_at(rows: list[list[Any]], row: int, column: int) -> object:
    """What the file stores for a cell; None where that is nothing. An empty text that a formula gave is a value."""
    if row >= len(rows) or column >= len(rows[row]):
        return None
    cell = rows[row][column]
    return "" if cell.value is None and cell.data_type == "str" else cell.value


def _raw(cell: ReadOnlyCell) -> RawCell:
    """A cell as a Google Sheet would give it."""
    value = cell.value
    if cell.data_type == "e":
        return str(value) if value else "#ERROR!"
    if isinstance(value, datetime | date | time | timedelta):
        serial = to_excel(value)  # type: ignore[no-untyped-call]
        return int(serial) if serial == int(serial) else float(serial)
    if value is None or isinstance(value, str | bool | int | float):
        return value
    return str(value)


def _short(error: Exception) -> str:
    return str(error)[:200]
