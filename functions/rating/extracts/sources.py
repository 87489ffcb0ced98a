"""Sources: rows that were taken and are ready to be read, and the queries that read them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from functions.rating.extracts.datasets import Dataset
from functions.rating.extracts.sql import literal, nested, select

RowNumbers = npt.NDArray[np.int64]

FILES = "$files"  # stands in a source's query for the list of its files
PARQUET = f"read_parquet({FILES}, hive_partitioning = false, binary_as_string = true, file_row_number = true)"
_LISTED = 1000


@dataclass(frozen=True, slots=True)
class Source:
    """Rows that are ready to be read: all of an object, or a part of it.

    ``query`` gives the dataset's columns, ``bad`` (a reason or null) and ``file_row_number`` (from 0), and is the same
    text for sources of the same shape. ``rows``: where each row stands in the object, from 1. ``bad``: the
    file_row_number of each bad row.
    """

    key: str
    path: Path
    query: str
    rows: Sequence[int]
    bad: RowNumbers


def read_all(sources: Iterable[Source], columns: Sequence[str]) -> str:
    """A query over all rows of these sources, the bad ones among them."""
    paths: dict[str, list[Path]] = {}
    for source in sources:
        paths.setdefault(source.query, []).append(source.path)
    return union(select(columns, nested(of_files(files, query))) for query, files in paths.items())


def read_sound(sources: Sequence[Source], columns: Sequence[str]) -> str:
    """A query over the sound rows of these sources. At least one source."""
    clean = [source for source in sources if not source.bad.size]
    parts = [read_all(clean, columns)] if clean else []
    parts += [
        select(columns, nested(of_files([source.path], source.query)), f"NOT {among(source.bad, 'bad IS NOT NULL')}")
        for source in sources
        if source.bad.size
    ]
    return union(parts)


def kept_query(dataset: Dataset) -> str:
    """The query that reads values back that were written as Parquet."""
    return select((*(column.name for column in dataset.columns), "bad", "FALSE AS padded", "file_row_number"), PARQUET)


def among(numbers: RowNumbers, otherwise: str) -> str:
    """A test for rows of one file by their numbers; ``otherwise`` where there are too many to list."""
    if numbers.size > _LISTED:
        return nested(otherwise)
    return f"(file_row_number IN ({', '.join(map(str, numbers))}))"


def union(queries: Iterable[str]) -> str:
    return " UNION ALL ".join(queries)


def of_files(paths: Iterable[Path], query: str) -> str:
    """A query with the files that it is to read."""
    return query.replace(FILES, "[" + ", ".join(map(literal, paths)) + "]")
