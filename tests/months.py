"""The rows and files of a month's extract, as small as a test needs. All of it is invented."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from functions.rating.extracts.datasets import Dataset

Row = Sequence[object]
JOINED = "2015-01-01 00:00:00"
COLUMNS = {dataset: tuple(column.name for column in dataset.columns) for dataset in Dataset}
HEADERS = {dataset: ",".join(columns) + "\n" for dataset, columns in COLUMNS.items()}


def as_csv(dataset: str, rows: Iterable[Row]) -> str:
    """Rows as a CSV object: cells in the contract's order of columns; missing cells at the end are empty."""
    columns, text = COLUMNS[Dataset(dataset)], io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([*row, *[""] * (len(columns) - len(row))] for row in rows)
    return text.getvalue()


def month_rows(month: str, agencies: Mapping[str, tuple[int, int]]) -> dict[str, list[Row]]:
    """A whole month's rows by dataset, from agency id -> (creators of power 6, fen of its one order).

    Each agency has one more creator, of power 3; all agencies joined long ago.
    """
    return {
        "agencies": [(agency, f"机构 {agency}", JOINED) for agency in agencies],
        "creators": [
            (f"{agency}-{n}", agency, JOINED, "", 6 if n < sixes else 3)
            for agency, (sixes, _) in agencies.items()
            for n in range(sixes + 1)
        ],
        "orders": [
            (f"{month}-{agency}", f"{agency}-0", f"{month}-15 12:00:00", fen) for agency, (_, fen) in agencies.items()
        ],
    }


def write_month(folder: Path, month: str, rows: Mapping[str, Iterable[Row]]) -> None:
    """Write a complete month below a folder, one CSV file and a ``_SUCCESS`` for each dataset."""
    for dataset, dataset_rows in rows.items():
        target = folder / dataset / f"month={month}"
        target.mkdir(parents=True, exist_ok=True)
        (target / "part-0.csv").write_text(as_csv(dataset, dataset_rows), encoding="utf-8")
        (target / "_SUCCESS").touch()
