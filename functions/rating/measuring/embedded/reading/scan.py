"""Scans an object of any format: reads each value once, finds the bad rows and collects the hashes of order ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from functions.rating.extracts.datasets import Dataset, LocalFile
from functions.rating.measuring.embedded.duckdb_engine import DuckDB, EngineRefused
from functions.rating.measuring.embedded.reading.sources import RowNumbers, Source, of_files
from functions.rating.measuring.embedded.sql import literal, nested, select
from functions.rating.measuring.quarantine import BadRow

AT_ONCE = 4_000_000  # rows
BAD_TOGETHER = 50_000  # bad rows that are fetched together

Hashes = npt.NDArray[np.uint64]

# One number for each row, since every further column costs time. It says: bad; or has whitespace to trim; or,
# for an order, the hash of its id, which never equals the other two numbers.
_BAD, _UNTRIMMED, _VALID = range(3)
_PART_OPTIONS = "FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd, COMPRESSION_LEVEL 1, DICTIONARY_SIZE_LIMIT 0"


@dataclass(frozen=True, slots=True)
class ObjectRead:
    """The result of reading an object or some of its rows.

    ``rows``: how many there are, counted from the file itself; negative if earlier lines turned out not to be rows
    (``skipped``). ``sources``: to read them from; if one source has rows of several objects, the first of these has it.
    ``bad``: bad rows among these rows or earlier ones. ``skipped``: lines that are not rows, by kind. ``unread``: the
    largest possible number of rows in the rest of the object. ``positions``: of columns in the text of a bad row; None
    if the text is JSON.
    """

    file: LocalFile
    rows: int
    sources: tuple[Source, ...]
    bad: tuple[BadRow, ...] = ()
    skipped: Counter[str] = field(default_factory=Counter)
    unread: int = 0
    positions: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Scanned:
    """The result of a scan: the bad rows, and whether any text is untrimmed."""

    bad: RowNumbers
    untrimmed: bool


class Scanner:
    """Scans values with the engine. ``folder``: for written files."""

    def __init__(self, engine: DuckDB, keep: Callable[[Hashes], None], folder: Path) -> None:
        """``keep`` is called with the hash of every order_id, in order."""
        self.engine = engine
        self.folder = folder
        self.kept = 0  # rows whose hashes were kept
        self._keep = keep
        self._parts = 0

    def scan(
        self,
        dataset: Dataset,
        paths: Sequence[Path],
        rows: Sequence[int],
        queries: Sequence[str],
        *,
        already_kept: int = 0,
    ) -> list[Scanned]:
        """Scan all rows of some files, or of one large file.

        ``rows``: of each file. ``queries``: the next one is tried if the one before finds an untrimmed text.
        ``already_kept``: so many first rows have kept their hashes before. Raises EngineRefused, also if rows are
        missing.
        """
        bad, untrimmed = [np.empty(0, np.bool_)], [np.empty(0, np.bool_)]
        for start in range(0, sum(rows), AT_ONCE):
            count = min(AT_ONCE, sum(rows) - start)
            some = f"file_row_number BETWEEN {start} AND {start + AT_ONCE - 1}" if sum(rows) > AT_ONCE else None
            seen, untrimmed_here = self._read(
                dataset, [nested(of_files(paths, query)) for query in queries], some, count
            )
            bad.append(seen == _BAD)
            untrimmed.append(untrimmed_here)
            if dataset is Dataset.ORDERS and start + count > already_kept:
                self._keep(seen[max(already_kept - start, 0) :])
                self.kept = self.kept + count - max(already_kept - start, 0)
        ends = np.cumsum(rows)[:-1]
        of_each = zip(np.split(np.concatenate(bad), ends), np.split(np.concatenate(untrimmed), ends), strict=True)
        return [Scanned(np.flatnonzero(bad), bool(untrimmed.any())) for bad, untrimmed in of_each]

    def _read(
        self, dataset: Dataset, relations: Sequence[str], some: str | None, count: int
    ) -> tuple[Hashes, npt.NDArray[np.bool_]]:
        """The numbers of so many rows, and which rows are untrimmed."""
        *quick, exact = relations
        for relation in quick:
            unless_untrimmed = _seen(dataset, f"WHEN untrimmed THEN {_UNTRIMMED}")
            seen = self._numbers(select((unless_untrimmed,), relation, some), count)["seen"]
            if not (seen == _UNTRIMMED).any():
                return seen, np.zeros(count, np.bool_)
        found = self._numbers(select((_seen(dataset), "untrimmed"), exact, some), count)
        return found["seen"], found["untrimmed"]

    def _numbers(self, query: str, count: int) -> dict[str, npt.NDArray[Any]]:
        columns = {name: np.asarray(column) for name, column in self.engine.arrays(query).items()}
        if (found := columns["seen"].size) != count:
            raise EngineRefused(f"found {found} rows where {count} were announced")
        return columns

    def write(self, dataset: Dataset, query: str) -> Path:
        """Write values as a Parquet file, in the order in which they were read."""
        self._parts += 1
        path = self.folder / f"part-{self._parts}.parquet"
        kept = select((*(column.name for column in dataset.columns), "bad"), nested(query))
        self.engine.run(f"COPY {nested(kept)} TO {literal(path)} ({_PART_OPTIONS})")
        return path

    def among(self, numbers: RowNumbers) -> str:
        """SQL that tests whether a row's number in a file is one of these, which are ascending; at least one."""
        between = f"file_row_number BETWEEN {numbers[0]} AND {numbers[-1]}"
        if numbers[-1] - numbers[0] + 1 == numbers.size:
            return between
        self.engine.table("numbers", {"number": numbers})
        return f"{between} AND file_row_number IN {nested(select(('number',), 'numbers'))}"


def _seen(dataset: Dataset, first: str = "") -> str:
    """SQL for the one number of a row. ``first``: a case before all others."""
    valid = f"hash(order_id) | {_VALID}" if dataset is Dataset.ORDERS else f"CAST({_VALID} AS UBIGINT)"
    return f"CASE {first} WHEN bad IS NOT NULL THEN {_BAD} ELSE {valid} END AS seen"
