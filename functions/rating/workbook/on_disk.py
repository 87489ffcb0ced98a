"""A workbook on the local disk, for commands: an Excel file or a folder of CSV files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from functions.rating.workbook.cells import RawWorkbook
from functions.rating.workbook.excel import read_excel
from functions.rating.workbook.folder import read_folder
from shared.errors import WorkbookUnavailable


def is_excel(path: Path) -> bool:
    """Whether a path is an Excel file, by its name."""
    return path.suffix.lower() == ".xlsx"


def read_on_disk(path: Path, wanted: Callable[[str], bool] = lambda _: True) -> RawWorkbook:
    """The cells of the wanted tabs. Raises WorkbookUnavailable, which says what to do."""
    if not is_excel(path):
        return read_folder(path, wanted)
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise WorkbookUnavailable(
            f"workbook file {path}: there is no such file (looked from {Path.cwd()}); `make workbook INTO={path.name}` "
            "makes one"
        ) from error
    except OSError as error:
        raise WorkbookUnavailable(
            f"workbook file {path}: it can't be read ({error.strerror}); expected a file that this program may read"
        ) from error
    return read_excel(content, str(path), wanted)
