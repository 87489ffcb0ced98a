"""Queries over many sources. Their rows are numbered from 0 over all sources of a dataset."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path

import numpy as np

from functions.rating.measuring.embedded.reading.sources import RowNumbers, Source, of_files
from functions.rating.measuring.embedded.sql import nested, select


def read_all(sources: Iterable[Source], columns: Sequence[str]) -> str:
    """A query for all rows of these sources, with the bad ones."""
    paths: dict[str, list[Path]] = {}
    for source in sources:
        paths.setdefault(source.query, []).append(source.path)
    return _union(select(columns, nested(of_files(files, query))) for query, files in paths.items())


def read_valid(sources: Sequence[Source], columns: Sequence[str], bad_rows: str) -> str:
    """A query for the valid rows of these sources (at least one). ``bad_rows``: a table of the bad rows' numbers."""
    clean = [source for source in sources if not source.bad.size]
    dirty: dict[str, list[tuple[int, Source]]] = {}
    for start, source in numbered(sources):
        if source.bad.size:
            dirty.setdefault(source.query, []).append((start, source))
    queries = [read_all(clean, columns)] if clean else []
    for query, some in dirty.items():
        every = nested(of_files([source.path for _, source in some], query))
        queries.append(select(columns, every, f"{row_number(some)} NOT IN {nested(select(('number',), bad_rows))}"))
    return _union(queries)


def bad_numbers(sources: Sequence[Source]) -> RowNumbers:
    """The numbers of the bad rows of these sources, ascending."""
    return np.concatenate([np.empty(0, np.int64), *(source.bad + start for start, source in numbered(sources))])


def numbered(sources: Sequence[Source]) -> Iterator[tuple[int, Source]]:
    """Each source with the number of its first row."""
    return zip(accumulate((source.count for source in sources), initial=0), sources, strict=False)


def row_number(some: Iterable[tuple[int, Source]]) -> str:
    """SQL for the number of a row, in a query over the files of these sources."""
    starts = ", ".join(str(start) for start, _ in some)
    return f"([{starts}][CAST(file_index AS BIGINT) + 1] + file_row_number)"


def _union(queries: Iterable[str]) -> str:
    return " UNION ALL ".join(queries)
