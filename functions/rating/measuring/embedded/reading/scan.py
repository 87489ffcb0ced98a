"""What every object goes through, of whatever kind: its values are read once, and the bad rows are found."""

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
BAD_TOGETHER = 50_000  # bad rows that are fetched together, of however many

Hashes = npt.NDArray[np.uint64]

# One number for each row, since every further column costs time: bad, or with whitespace to trim, or else, of an order,
# a hash of its id, which is none of these numbers.
_BAD, _UNTRIMMED, _VALID = range(3)
_PART_OPTIONS = "FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd, COMPRESSION_LEVEL 1, DICTIONARY_SIZE_LIMIT 0"


@dataclass(frozen=True, slots=True)
class ObjectRead:
    """What an object, or some of its rows, came to.

    ``rows``: how many there are, counted from the file itself; negative where earlier ones turned out to be no rows
    (``skipped``). ``sources``: to read them from; rows of several objects
    may be in one, which the first of these has. ``bad``: rows that can't be used, of these or of those before.
    ``skipped``: lines that are no rows, by what they are. ``unread``: how many rows the rest of the object has at most.
    ``positions``: of columns in the text of a bad row; None where the text is JSON.
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
    """What reading all rows has shown: which of them are bad, and whether any text is untrimmed."""

    bad: RowNumbers
    untrimmed: bool


class Scanner:
    """Reads values with the engine; ``folder`` gets what is written."""

    def __init__(self, engine: DuckDB, keep: Callable[[Hashes], None], folder: Path) -> None:
        """``keep`` is given the hash of every order_id, in order."""
        self.engine = engine
        self.folder = folder
        self.kept = 0  # the rows whose hashes were kept
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
        """Read all rows of some files, or of one however large.

        ``rows``: of each file. ``queries``: a later one is tried where the one before finds an untrimmed text.
        ``already_kept``: the first rows whose hashes were kept before. Raises EngineRefused when rows are missing, too.
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
        """What is seen of so many rows, and which of them are untrimmed."""
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
        """Values as a Parquet file of their own, in the order in which they were read."""
        self._parts += 1
        path = self.folder / f"part-{self._parts}.parquet"
        kept = select((*(column.name for column in dataset.columns), "bad"), nested(query))
        self.engine.run(f"COPY {nested(kept)} TO {literal(path)} ({_PART_OPTIONS})")
        return path

    def among(self, numbers: RowNumbers) -> str:
        """A test for rows by their numbers in a file."""
        self.engine.table("numbers", {"number": numbers})
        return f"file_row_number IN {nested(select(('number',), 'numbers'))}"


def _seen(dataset: Dataset, first: str = "") -> str:
    """SQL for what is seen of a row. ``first``: a case that comes before all others."""
    valid = f"hash(order_id) | {_VALID}" if dataset is Dataset.ORDERS else f"CAST({_VALID} AS UBIGINT)"
    return f"CASE {first} WHEN bad IS NOT NULL THEN {_BAD} ELSE {valid} END AS seen"
