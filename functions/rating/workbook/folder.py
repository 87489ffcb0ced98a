"""A workbook as a folder of CSV files, one for each tab: ``levels.csv`` or ``等级.csv``, and so on."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from functions.rating.workbook.asks import Ask
from functions.rating.workbook.cells import RawCell, RawTab, RawWorkbook
from functions.rating.workbook.description import Description
from functions.rating.workbook.status import StatusPage
from shared.errors import WorkbookUnavailable


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder as the source of the workbook. It has no status tab."""

    path: Path
    description: Description

    def read(self) -> RawWorkbook:
        return read_folder(self.path, self.description.reads)

    def owns(self, *_: str) -> bool:
        return False

    def addresses(self) -> Mapping[str, str]:
        return {}

    def asks(self) -> Sequence[Ask]:
        return ()

    def claim(self, asks: Sequence[Ask]) -> None:
        """Nothing: nobody asks here."""

    def answer(self, ask: Ask, message: str, *, done: bool) -> None:
        """Does nothing: nobody can tick boxes in a folder."""

    def show_status(self, page: StatusPage) -> None:
        """Does nothing: a folder has no status tab."""

    def show_versions(self, page: StatusPage) -> None:
        """Does nothing: a folder has no tab of versions."""


def read_folder(folder: Path, wanted: Callable[[str], bool] = lambda _: True) -> RawWorkbook:
    """The wanted CSV files as tabs with the names of the files. All cells are text.

    A record is a row, even if a quoted cell contains line breaks. Raises WorkbookUnavailable.
    """
    if not folder.is_dir():
        raise WorkbookUnavailable(
            f"workbook folder {folder}: there is no such folder (looked from {Path.cwd()}); "
            "set WORKBOOK to dir:<folder> with the CSV files of the tabs in it"
        )
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".csv" and path.is_file())
    if not files:
        raise WorkbookUnavailable(
            f"workbook folder {folder}: it has no .csv file; expected one per tab, such as levels.csv or 等级.csv"
        )
    tabs = tuple(RawTab(path.stem, _rows(path)) for path in files if wanted(path.stem))
    return RawWorkbook(tabs, typed=False, unread=tuple(path.stem for path in files if not wanted(path.stem)))


def _rows(path: Path) -> list[list[str]]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WorkbookUnavailable(
            f"workbook file {path}: it can't be read ({error.strerror}); expected a file that this program may read"
        ) from error
    return read_csv(content, str(path))


def read_csv(content: bytes, name: str) -> list[list[str]]:
    """The records of a CSV file. ``name``: the file's, for messages. Raises WorkbookUnavailable."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise WorkbookUnavailable(
            f"workbook file {name}: byte {error.start} is not UTF-8{_looks_like_gbk(content)}; save the file again as "
            "CSV UTF-8 (in Excel and WPS: 另存为 Save as, CSV UTF-8)"
        ) from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        rows = list(reader)
    except csv.Error as error:
        raise WorkbookUnavailable(
            f"workbook file {name}, line {reader.line_num}: no valid CSV ({error}); expected commas between cells and "
            "quotes doubled inside quoted cells; save the file again as CSV UTF-8"
        ) from error
    _refuse_other_separators(rows, name)
    return rows


def write_folder(raw: RawWorkbook, folder: Path) -> None:
    """Write each tab as a CSV file that reads back as the same cells, whatever types they had."""
    for tab in raw.tabs:
        with (folder / f"{tab.title.strip()}.csv").open("w", encoding="utf-8", newline="") as file:
            # CRLF as line end: the writer then quotes a cell that contains either of them.
            csv.writer(file, lineterminator="\r\n").writerows([csv_text(cell) for cell in row] for row in tab.rows)


def csv_text(cell: RawCell) -> str:
    """A cell as text of a CSV file. Floats are written with 15 significant digits, as a person typed them."""
    if cell is None or cell is False:
        return ""
    if isinstance(cell, float):
        number = Decimal(f"{cell:.15g}")
        return f"{number:f}" if number != number.to_integral_value() else str(int(number))
    return str(cell).upper() if cell is True else str(cell)


def _looks_like_gbk(content: bytes) -> str:
    try:
        content.decode("gb18030")
    except UnicodeDecodeError:
        return ""
    return ", it looks like GBK, as a Chinese Excel saves a plain CSV"


def _refuse_other_separators(rows: list[list[str]], name: str) -> None:
    """Raises WorkbookUnavailable if the header is one cell that contains semicolons or tabs."""
    header = next((row for row in rows if any(row)), [])
    filled = [cell for cell in header if cell]
    for separator, word in ((";", "semicolons"), ("\t", "tabs")):
        if len(filled) == 1 and separator in filled[0]:
            raise WorkbookUnavailable(
                f"workbook file {name}: its cells are separated by {word}; expected commas. Save the file again as CSV "
                "UTF-8 with commas"
            )
