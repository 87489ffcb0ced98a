"""Sources: rows that were taken and are ready to be read, and the queries that read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from functions.rating.extracts.datasets import Dataset
from functions.rating.measuring.embedded.sql import literal, nested, select

RowNumbers = npt.NDArray[np.int64]

FILES = "$files"  # stands in a source's query for the list of its files
PARQUET = f"read_parquet({FILES}, hive_partitioning = false, binary_as_string = true, file_row_number = true)"
PLACE = ("file_index", "file_row_number")  # of a row: which of the query's files it is in, and where, both from 0


class Origin(NamedTuple):
    """Rows of one object. ``rows``: where each of them stands in the object, from 1."""

    key: str
    rows: Sequence[int]


@dataclass(frozen=True, slots=True)
class Source:
    """Rows that are ready to be read: all of an object, a part of it, or parts of several.

    ``query`` gives the dataset's columns, ``bad`` (a reason or null) and the row's PLACE, and is the same text for
    sources of the same shape. ``origins``: whose rows these are, one object's after another's. ``bad``: the
    file_row_number of each bad row.
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

    def row(self, file_row_number: int) -> str:
        """What people call a row."""
        key, row = next(islice(((o.key, row) for o in self.origins for row in o.rows), file_row_number, None))
        return f"{key}, row {row}"


def read_all(sources: Iterable[Source], columns: Sequence[str]) -> str:
    """A query over all rows of these sources, the bad ones among them."""
    paths: dict[str, list[Path]] = {}
    for source in sources:
        paths.setdefault(source.query, []).append(source.path)
    return union(select(columns, nested(of_files(files, query))) for query, files in paths.items())


def read_sound(sources: Sequence[Source], columns: Sequence[str], unsound: str) -> str:
    """A query over the sound rows of these sources, at least one. ``unsound``: a table of the bad rows' numbers."""
    clean = [source for source in sources if not source.bad.size]
    dirty: dict[str, list[tuple[int, Source]]] = {}
    for start, source in placed(sources):
        if source.bad.size:
            dirty.setdefault(source.query, []).append((start, source))
    parts = [read_all(clean, columns)] if clean else []
    for query, some in dirty.items():
        every = nested(of_files([source.path for _, source in some], query))
        parts.append(select(columns, every, f"{number(some)} NOT IN {nested(select(('number',), unsound))}"))
    return union(parts)


def bad_numbers(sources: Sequence[Source]) -> RowNumbers:
    """The numbers of the bad rows of these sources, ascending."""
    return np.concatenate([np.empty(0, np.int64), *(source.bad + start for start, source in placed(sources))])


def placed(sources: Sequence[Source]) -> Iterator[tuple[int, Source]]:
    """Each source with the number of its first row. Rows are numbered from 0 over all sources of a dataset."""
    return zip(accumulate((source.count for source in sources), initial=0), sources, strict=False)


def number(some: Iterable[tuple[int, Source]]) -> str:
    """The number of a row, in a query over the files of these sources."""
    starts = ", ".join(str(start) for start, _ in some)
    return f"([{starts}][CAST(file_index AS BIGINT) + 1] + file_row_number)"


def kept_query(dataset: Dataset) -> str:
    """The query that reads values back that were written as Parquet."""
    return select((*(column.name for column in dataset.columns), "bad", "FALSE AS padded", *PLACE), PARQUET)


def union(queries: Iterable[str]) -> str:
    return " UNION ALL ".join(queries)


def of_files(paths: Iterable[Path], query: str) -> str:
    """A query with the files that it is to read."""
    return query.replace(FILES, "[" + ", ".join(map(literal, paths)) + "]")
