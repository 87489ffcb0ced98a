"""Where the cells come from: a Google Sheet, or a folder of CSV files."""

from __future__ import annotations

from pathlib import Path

from functions.rating.cells import RawWorkbook
from functions.rating.folder import read_folder
from shared.errors import WorkbookUnavailable


def read(source: str) -> RawWorkbook:
    """All tabs of the workbook as they are now. ``source``: ``dir:<folder>`` or ``gsheet:<spreadsheet key>``.

    Raises WorkbookUnavailable, which says what to do about it.
    """
    kind, _, place = source.partition(":")
    if kind == "dir":
        return read_folder(Path(place))
    raise WorkbookUnavailable(f"workbook {source!r}: expected dir:<folder> or gsheet:<spreadsheet key>")
