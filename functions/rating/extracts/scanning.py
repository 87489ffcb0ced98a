"""What every object goes through, of whatever kind: its values are read once, and the bad rows are found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from functions.rating.extracts.blocks import BadRow
from functions.rating.extracts.datasets import Dataset, LocalFile
from functions.rating.extracts.engine import Engine, EngineRefused
from functions.rating.extracts.repeats import Repeats
from functions.rating.extracts.sources import RowNumbers, Source, of_files
from functions.rating.extracts.sql import literal, nested, select

AT_ONCE = 4_000_000  # rows

# What is seen of a row is one number, because each column more has to be handed over for every row: that it is bad,
# that some text of it is padded, or otherwise, of an order, a hash of its id that can't be taken for either.
_BAD, _PADDED, _SOUND = range(3)
_SOUND_ORDER = f"hash(order_id) | {_SOUND}"
_PART_OPTIONS = "FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd, COMPRESSION_LEVEL 1, DICTIONARY_SIZE_LIMIT 0"


@dataclass(frozen=True, slots=True)
class Ingested:
    """What an object, or consecutive rows of it, came to.

    ``rows``: how many there are, counted from the file itself. ``sources``: to read them from; rows of several objects
    may be in one, which the first of these has. ``bad``: the rows that can't be used.
    """

    file: LocalFile
    rows: int
    sources: tuple[Source, ...]
    bad: tuple[BadRow, ...]


@dataclass(frozen=True, slots=True)
class Scanned:
    """What reading all rows has shown: which of them are bad, and whether any text is padded."""

    bad: RowNumbers
    padded: bool


class Scanner:
    """Reads values with the engine; ``folder`` gets what is written."""

    def __init__(self, engine: Engine, repeats: Repeats, folder: Path) -> None:
        self.engine = engine
        self.folder = folder
        self._repeats = repeats
        self._parts = 0

    def scan(
        self, dataset: Dataset, paths: Sequence[Path], rows: Sequence[int], queries: Sequence[str]
    ) -> list[Scanned]:
        """Read all rows of some files, or of one however large; the hashes of order ids go to ``repeats``.

        ``rows``: of each file. ``queries``: a later one is tried where the one before finds that some text is padded.
        Raises EngineRefused when rows are missing, too.
        """
        bad, padded = [np.empty(0, np.bool_)], [np.empty(0, np.bool_)]
        for start in range(0, sum(rows), AT_ONCE):
            some = f"file_row_number BETWEEN {start} AND {start + AT_ONCE - 1}" if sum(rows) > AT_ONCE else None
            seen, padded_here = self._look(dataset, paths, some, queries)
            bad.append(seen == _BAD)
            padded.append(padded_here)
            if dataset is Dataset.ORDERS:
                self._repeats.add(seen)
        found = sum(part.size for part in bad)
        if found != sum(rows):
            raise EngineRefused(f"found {found} rows where {sum(rows)} were announced")
        ends = np.cumsum(rows)[:-1]
        of_each = zip(np.split(np.concatenate(bad), ends), np.split(np.concatenate(padded), ends), strict=True)
        return [Scanned(np.flatnonzero(bad), bool(padded.any())) for bad, padded in of_each]

    def _look(
        self, dataset: Dataset, paths: Sequence[Path], some: str | None, queries: Sequence[str]
    ) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.bool_]]:
        """What is seen of each row, and which rows are padded."""
        sound = _SOUND_ORDER if dataset is Dataset.ORDERS else f"CAST({_SOUND} AS UBIGINT)"
        *quick, exact = [nested(of_files(paths, query)) for query in queries]
        for relation in quick:
            column = f"CASE WHEN padded THEN {_PADDED} WHEN bad IS NOT NULL THEN {_BAD} ELSE {sound} END AS seen"
            seen = self.engine.arrays(select((column,), relation, some))["seen"]
            if not (seen == _PADDED).any():
                return seen, np.zeros(seen.size, np.bool_)
        columns = (f"CASE WHEN bad IS NOT NULL THEN {_BAD} ELSE {sound} END AS seen", "padded")
        found = self.engine.arrays(select(columns, exact, some))
        return found["seen"], found["padded"]

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
