"""What operations do with the spreadsheet, rehearsed on a copy: break a cell, mend it, lower a threshold, preview."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

Row = Mapping[str, str]


def copy_workbook(workbook: Path, folder: Path) -> Path:
    """A copy of the workbook below ``folder``, to be changed at will."""
    return Path(shutil.copytree(workbook, folder / "workbook"))


def change_cell(workbook: Path, tab: str, where: Callable[[Row], bool], column: str, value: str) -> str:
    """Change one cell of the first row that fits; what it held before. Raises LookupError when no row fits."""
    path = workbook / f"{tab}.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        columns, rows = list(reader.fieldnames or ()), list(reader)
    row = next((row for row in rows if where(row)), None)
    if row is None or column not in columns:
        raise LookupError(f"tab {tab} of {workbook} has no such cell in column {column}")
    before, row[column] = row[column], value
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    return before
