"""Reads CSV objects into sources: each is parsed once, into Parquet. Small ones with the same header go together."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby
from pathlib import Path
from zoneinfo import ZoneInfo

from functions.rating.extracts.datasets import LocalFile
from functions.rating.extracts.formats import format_of
from functions.rating.measuring.embedded.duckdb_engine import EngineRefused
from functions.rating.measuring.embedded.reading.batches import batches
from functions.rating.measuring.embedded.reading.csv_chunk import Chunk
from functions.rating.measuring.embedded.reading.csv_layout import Layout
from functions.rating.measuring.embedded.reading.csv_text import open_records
from functions.rating.measuring.embedded.reading.scan import BAD_TOGETHER, ObjectRead, Scanner
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
from shared.errors import ObjectInvalid
from shared.months import Month

_AT_ONCE = 8 * 1024 * 1024  # bytes of text
_OPTIONS = (
    "auto_detect = false, header = false, delim = ',', quote = '\"', escape = '\"', strict_mode = true, "
    "null_padding = false, new_line = '\\n', buffer_size = 4194304"
)


@dataclass(frozen=True, slots=True)
class _Records:
    """A chunk of an object. ``unread``: bytes of the object after it."""

    file: LocalFile
    layout: Layout
    chunk: Chunk
    unread: int

    def read(self, rows: int, bad: Sequence[BadRow], skipped: Counter[str]) -> ObjectRead:
        return ObjectRead(self.file, rows, (), tuple(bad), skipped, self.unread, self.layout.positions)

    def bad_values(self, found: Sequence[tuple[int, str]]) -> ObjectRead:
        """Records with bad values, by index with the reason. Some are not rows although they were counted."""
        bad: list[BadRow] = []
        skipped: Counter[str] = Counter()
        indexes, reasons = zip(*found, strict=True)
        for index, reason, record in zip(indexes, reasons, self.chunk.records(indexes), strict=True):
            if what := self.layout.no_row(record):
                skipped[what] += 1
            else:
                bad.append(BadRow(self.chunk.rows[index], reason, record.decode()))
        return self.read(-skipped.total(), bad, skipped)

    @property
    def shape(self) -> tuple[object, ...]:
        """Chunks with the same shape can be parsed together."""
        return (self.layout.width, tuple(self.layout.positions.items()), self.file.key_columns)


class CsvObjects:
    """Reads CSV objects of one month."""

    def __init__(self, scanner: Scanner, month: Month, zone: ZoneInfo) -> None:
        self._scanner = scanner
        self._month = month
        self._zone = zone

    def read(self, files: Iterable[LocalFile]) -> Iterator[ObjectRead]:
        """Parse and check objects of one dataset; yields one or several ObjectReads for each.

        Raises ObjectInvalid if one is empty, damaged, or lacks a column.
        """
        records = (some for file in files for some in _records(file))
        for _, alike in groupby(records, lambda some: some.shape):
            for batch in batches(alike, lambda some: len(some.chunk.text), _AT_ONCE):
                try:
                    yield from self._read_alike(batch)
                except EngineRefused as error:
                    keys = ", ".join(some.file.key for some in batch)
                    raise ObjectInvalid(
                        f"{keys}: can't be parsed ({error}); expected CSV as in RFC 4180. Have it written again."
                    ) from error

    def _read_alike(self, batch: Sequence[_Records]) -> Iterator[ObjectRead]:
        """Read chunks of one shape. Their rows are in one source, one chunk after the other."""
        dataset, kept = batch[0].file.dataset, kept_query(batch[0].file.dataset)
        *starts, count = accumulate((len(some.chunk.rows) for some in batch), initial=0)
        for some in batch:
            chunk = some.chunk
            rows = chunk.numbered - chunk.skipped.total()
            yield some.read(rows, chunk.bad, chunk.skipped)
        if not count:
            return
        path = self._parse(batch)
        [scanned] = self._scanner.scan(dataset, [path], [count], (kept,))
        origins = tuple(Origin(some.file.key, some.chunk.rows) for some in batch)
        yield ObjectRead(batch[0].file, 0, (Source(path, kept, origins, scanned.bad),))
        for start in range(0, scanned.bad.size, BAD_TOGETHER):
            found = self._reasons(path, kept, scanned.bad[start : start + BAD_TOGETHER])
            edges = [bisect_left(found, (first,)) for first in (*starts, count)]
            for some, first, begin, end in zip(batch, starts, edges[:-1], edges[1:], strict=True):
                if begin < end:
                    yield some.bad_values([(number - first, reason) for number, reason in found[begin:end]])

    def _parse(self, batch: Sequence[_Records]) -> Path:
        """Write the values of records of one shape as Parquet."""
        text = self._scanner.folder / "records.csv"
        text.write_bytes(b"".join(some.chunk.text for some in batch))
        file, layout = batch[0].file, batch[0].layout
        types = ", ".join(f"c{position}: '{TEXT}'" for position in range(layout.width))
        parsed = f"read_csv({literal(text)}, {_OPTIONS}, columns = {{{types}}})"
        named = {name: f"c{position}" for name, position in layout.positions.items()} | key_values(file)
        columns = (*(f"{value} AS {name}" for name, value in named.items()), *(f"0 AS {name}" for name in POSITION))
        relation = nested(select(columns, parsed))
        physical = dict.fromkeys(named, TEXT)
        path = self._scanner.write(file.dataset, values(file.dataset, physical, self._month, self._zone, relation))
        text.unlink()
        return path

    def _reasons(self, path: Path, query: str, numbers: RowNumbers) -> list[tuple[int, str]]:
        """The reason why each of these rows is bad."""
        if not numbers.size:
            return []
        reasons = select(("file_row_number", "bad"), nested(query), self._scanner.among(numbers), "file_row_number")
        return [(number, reason) for number, reason in self._scanner.engine.rows(of_files([path], reasons))]


def key_values(file: LocalFile) -> dict[str, str]:
    """SQL for the columns whose values are in the object's key."""
    return {name: f"CAST({'NULL' if value is None else literal(value)} AS {TEXT})" for name, value in file.key_columns}


def _records(file: LocalFile) -> Iterator[_Records]:
    with open_records(file, format_of(file)) as records:
        for chunk in records.chunks():
            yield _Records(file, records.layout, chunk, records.unread)
