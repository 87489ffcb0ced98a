"""What every object goes through, of whatever kind: its values are read once, and the bad rows are found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from functions.rating.extracts.datasets import Dataset, LocalFile
from functions.rating.measuring.embedded.duckdb_engine import Engine, EngineRefused
from functions.rating.measuring.embedded.duplicates import Repeats
from functions.rating.measuring.embedded.handover import Piece, Texts
from functions.rating.measuring.embedded.reading.csv_block import BadRow
from functions.rating.measuring.embedded.sources import RowNumbers, Source, of_files
from functions.rating.measuring.embedded.sql import literal, nested, select

AT_ONCE = 4_000_000  # rows

Seen = npt.NDArray[np.uint64]

# What is seen of a row is one number, because each column more has to be handed over for every row: that it is bad,
# that some text of it is padded, or otherwise, of an order, a hash of its id that can't be taken for either.
_BAD, _PADDED, _SOUND = range(3)
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
            count = min(AT_ONCE, sum(rows) - start)
            some = f"file_row_number BETWEEN {start} AND {start + AT_ONCE - 1}" if sum(rows) > AT_ONCE else None
            seen, padded_here = self._look(dataset, paths, some, count, queries)
            bad.append(seen == _BAD)
            padded.append(padded_here)
            if dataset is Dataset.ORDERS:
                self._repeats.add(seen)
        ends = np.cumsum(rows)[:-1]
        of_each = zip(np.split(np.concatenate(bad), ends), np.split(np.concatenate(padded), ends), strict=True)
        return [Scanned(np.flatnonzero(bad), bool(padded.any())) for bad, padded in of_each]

    def _look(
        self, dataset: Dataset, paths: Sequence[Path], some: str | None, count: int, queries: Sequence[str]
    ) -> tuple[Seen, npt.NDArray[np.bool_]]:
        """What is seen of so many rows, and which of them are padded."""
        *quick, exact = [nested(of_files(paths, query)) for query in queries]
        seen, padded = np.empty(count, np.uint64), np.zeros(count, np.bool_)
        for relation in quick:
            if self._as_written(dataset, relation, some, seen):
                return seen, padded
        columns = (_seen(dataset), "CAST(padded AS UTINYINT) AS padded")  # a number: Arrow has eight booleans in a byte
        for place, piece in _placed(self.engine.pieces(select(columns, exact, some)), count):
            seen[place] = piece.numbers("seen")
            padded[place] = piece.numbers("padded")
        return seen, padded

    def _as_written(self, dataset: Dataset, relation: str, some: str | None, seen: Seen) -> bool:
        """Fill in what is seen of each row. False, before all is filled in, where some text may be padded."""
        orders = dataset is Dataset.ORDERS
        columns = (_seen(dataset, f"WHEN padded THEN {_PADDED}"), *(("order_id",) if orders else ()))
        with closing(self.engine.pieces(select(columns, relation, some))) as pieces:
            for place, piece in _placed(pieces, seen.size):
                seen[place] = piece.numbers("seen")
                if (seen[place] == _PADDED).any() or (orders and _doubtful(piece.texts("order_id"), seen[place])):
                    return False
        return True

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


def _placed(pieces: Iterable[Piece], count: int) -> Iterator[tuple[slice, Piece]]:
    """Each piece with its place among ``count`` rows. Raises EngineRefused when there are more rows, or fewer."""
    found = 0
    for piece in pieces:
        found += len(piece)
        if found <= count:
            yield slice(found - len(piece), found), piece
    if found != count:
        raise EngineRefused(f"found {found} rows where {count} were announced")


def _seen(dataset: Dataset, first: str = "") -> str:
    """SQL for what is seen of a row. ``first``: a case that comes before all others."""
    sound = f"hash(order_id) | {_SOUND}" if dataset is Dataset.ORDERS else f"CAST({_SOUND} AS UBIGINT)"
    return f"CASE {first} WHEN bad IS NOT NULL THEN {_BAD} ELSE {sound} END AS seen"


def _doubtful(ids: Texts, seen: Seen) -> bool:
    """Whether an id may be written with blanks around it, or says that there is none."""
    return ids.may_be_padded() or bool((seen[ids.lengths == 0] != _BAD).any())
