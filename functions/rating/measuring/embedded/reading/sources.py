"""Sources: rows that were read and checked once, and the query that reads their values again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from functions.rating.extracts.datasets import Dataset
from functions.rating.measuring.embedded.sql import literal, select

RowNumbers = npt.NDArray[np.int64]

FILES = "$files"  # replaced by the list of files in a source's query
PARQUET = f"read_parquet({FILES}, hive_partitioning = false, binary_as_string = true, file_row_number = true)"
PARQUET_PLAIN = PARQUET.replace("binary_as_string = true", "binary_as_string = false")
POSITION = (
    "file_index",
    "file_row_number",
)  # the index of a row's file in the query, and the row's number in the file, both from 0


class Origin(NamedTuple):
    """Rows of one object. ``rows``: the row number of each in the object, from 1."""

    key: str
    rows: Sequence[int]


@dataclass(frozen=True, slots=True)
class Source:
    """Checked rows that can be read again: of one object, of a part of it, or of several objects.

    ``query``: gives the dataset's columns, ``bad`` (a reason or null) and the row's POSITION. Sources of the same shape
    have the same text. ``origins``: the objects of the rows, one after another. ``bad``: the file_row_number of each
    bad row.
    """

    path: Path
    query: str
    origins: tuple[Origin, ...]
    bad: RowNumbers

    @property
    def count(self) -> int:
        return sum(len(origin.rows) for origin in self.origins)

    @property
    def keys(self) -> str:
        return ", ".join(origin.key for origin in self.origins)

    def origin(self, file_row_number: int) -> tuple[str, int]:
        """A row's object, and the row's number in the object."""
        for origin in self.origins:
            if file_row_number < len(origin.rows):
                return origin.key, origin.rows[file_row_number]
            file_row_number -= len(origin.rows)
        raise IndexError(file_row_number)


def kept_query(dataset: Dataset) -> str:
    """The query that reads values back which were written as Parquet."""
    return select((*(column.name for column in dataset.columns), "bad", "FALSE AS untrimmed", *POSITION), PARQUET)


def of_files(paths: Iterable[Path], query: str) -> str:
    """A query with its list of files filled in."""
    return query.replace(FILES, "[" + ", ".join(map(literal, paths)) + "]")
