"""CSV objects into sources: each is parsed once, into Parquet. Small ones of the same header are parsed together."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby
from pathlib import Path
from zoneinfo import ZoneInfo

from functions.rating.extracts.datasets import LocalFile, located
from functions.rating.measuring.embedded.duckdb_engine import EngineRefused
from functions.rating.measuring.embedded.reading.batches import batches
from functions.rating.measuring.embedded.reading.csv_block import Block
from functions.rating.measuring.embedded.reading.csv_text import open_records
from functions.rating.measuring.embedded.reading.scan import Ingested, Scanner
from functions.rating.measuring.embedded.reading.sources import (
    POSITION,
    Origin,
    RowNumbers,
    Source,
    kept_query,
    of_files,
)
from functions.rating.measuring.embedded.reading.sql_cells import TEXT
from functions.rating.measuring.embedded.reading.sql_values import values
from functions.rating.measuring.embedded.sql import literal, nested, select
from functions.rating.measuring.quarantine import BadRow
from shared.errors import ObjectUnsound
from shared.months import Month

_AT_ONCE = 8 * 1024 * 1024  # bytes of text
_OPTIONS = (
    "auto_detect = false, header = false, delim = ',', quote = '\"', escape = '\"', strict_mode = true, "
    "null_padding = false, new_line = '\\n', buffer_size = 4194304"
)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A block of an object. ``places``: where each known column stands among ``width`` ones."""

    file: LocalFile
    block: Block
    places: tuple[tuple[str, int], ...]
    width: int


class CsvObjects:
    """Takes CSV objects of one month."""

    def __init__(self, scanner: Scanner, month: Month, zone: ZoneInfo) -> None:
        self._scanner = scanner
        self._month = month
        self._zone = zone

    def take(self, files: Iterable[LocalFile]) -> Iterator[Ingested]:
        """Parse and check objects of one dataset; each is given in one piece or in several.

        Raises ObjectUnsound when one is empty, damaged, or lacks a column.
        """
        pieces = (piece for file in files for piece in _pieces(file))
        for _, alike in groupby(pieces, lambda piece: (piece.places, piece.width)):
            for some in batches(alike, lambda piece: len(piece.block.text), _AT_ONCE):
                try:
                    yield from self._take_alike(some)
                except EngineRefused as error:
                    keys = ", ".join(piece.file.key for piece in some)
                    raise ObjectUnsound(f"{keys}: can't be parsed ({error}). Have it written again.") from error

    def _take_alike(self, pieces: Sequence[_Piece]) -> Iterator[Ingested]:
        """Pieces of one header; their rows stand in one source, one after the other."""
        dataset, kept = pieces[0].file.dataset, kept_query(pieces[0].file.dataset)
        *starts, count = accumulate((len(piece.block.rows) for piece in pieces), initial=0)
        sources: tuple[Source, ...] = ()
        bad: list[list[BadRow]] = [list(piece.block.bad) for piece in pieces]
        if count:
            path = self._parse(pieces)
            [scanned] = self._scanner.scan(dataset, [path], [count], (kept,))
            origins = tuple(Origin(piece.file.key, piece.block.rows) for piece in pieces)
            sources = (Source(path, kept, origins, scanned.bad),)
            for number, reason in self._reasons(path, kept, scanned.bad):
                index = bisect_right(starts, number) - 1
                block, within = pieces[index].block, number - starts[index]
                bad[index].append(BadRow(block.rows[within], reason, block.record(within)))
        for piece, unusable in zip(pieces, bad, strict=True):
            rows = len(piece.block.rows) + len(piece.block.bad)
            yield Ingested(piece.file, rows, sources, tuple(sorted(unusable, key=lambda row: row.row)))
            sources = ()

    def _parse(self, pieces: Sequence[_Piece]) -> Path:
        """The values of records of one header, as Parquet."""
        text = self._scanner.folder / "block.csv"
        text.write_bytes(b"".join(piece.block.text for piece in pieces))
        dataset, places = pieces[0].file.dataset, dict(pieces[0].places)
        types = ", ".join(f"c{place}: '{TEXT}'" for place in range(pieces[0].width))
        parsed = f"read_csv({literal(text)}, {_OPTIONS}, columns = {{{types}}})"
        nowhere = (f"0 AS {place}" for place in POSITION)
        named = select((*(f"c{place} AS {name}" for name, place in places.items()), *nowhere), parsed)
        read = values(dataset, dict.fromkeys(places, TEXT), self._month, self._zone, nested(named))
        path = self._scanner.write(dataset, read)
        text.unlink()
        return path

    def _reasons(self, path: Path, query: str, numbers: RowNumbers) -> list[tuple[int, str]]:
        """Why the rows of these numbers can't be used."""
        if not numbers.size:
            return []
        reasons = select(("file_row_number", "bad"), nested(query), self._scanner.among(numbers), "file_row_number")
        return [(number, reason) for number, reason in self._scanner.engine.rows(of_files([path], reasons))]


def _pieces(file: LocalFile) -> Iterator[_Piece]:
    with open_records(file) as records:
        places = tuple(located(records.header, file).items())
        for block in records.blocks():
            yield _Piece(file, block, places, len(records.header))
