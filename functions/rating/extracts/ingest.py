"""Objects into sources: each is checked from end to end, its rows are counted, its bad rows are found.

A CSV object is parsed once, into Parquet; a Parquet object is read where it is, unless it can't stay there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from functions.rating.extracts.blocks import BadRow, Block
from functions.rating.extracts.cell_sql import TEXT
from functions.rating.extracts.datasets import Dataset, LocalFile, located
from functions.rating.extracts.engine import Engine, EngineRefused
from functions.rating.extracts.notation import readable, values
from functions.rating.extracts.records import open_records
from functions.rating.extracts.repeats import Repeats
from functions.rating.extracts.sources import PARQUET, RowNumbers, Source, among, kept_query, of_files
from functions.rating.extracts.sql import identifier, literal, nested, select
from shared.errors import ObjectUnsound
from shared.months import Month

_SCANNED = ("bad IS NOT NULL AS bad", "padded")
_HASH = "coalesce(hash(order_id), 0) AS hash"  # a bad row's means nothing: bad rows are never counted
_LOOKED_AT_LATER = ("creator_id", "risk_tag")  # of orders: where unknown, and once grouped (measure.sql)
_SCANNED_AT_ONCE = 4_000_000
_PART_OPTIONS = "FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd, COMPRESSION_LEVEL 1, DICTIONARY_SIZE_LIMIT 0"
_CSV_OPTIONS = (
    "auto_detect = false, header = false, delim = ',', quote = '\"', escape = '\"', strict_mode = true, "
    "null_padding = false, new_line = '\\n', buffer_size = 4194304"
)


@dataclass(frozen=True, slots=True)
class Ingested:
    """What one object came to: its rows, counted from the file itself, the sources to read them from, the bad ones."""

    rows: int
    sources: tuple[Source, ...]
    bad: tuple[BadRow, ...]


@dataclass(frozen=True, slots=True)
class _Scanned:
    """What reading all rows has shown: which of them are bad, and whether any text is padded."""

    bad: RowNumbers
    padded: bool


class Ingest:
    """Takes the objects of one month, one after the other, into ``folder``."""

    def __init__(
        self, engine: Engine, repeats: Repeats, folder: Path, month: Month, zone: ZoneInfo, *, trusting: bool
    ) -> None:
        """``trusting``: creators and tags of orders in Parquet are taken as they are written."""
        self._engine = engine
        self._repeats = repeats
        self._folder = folder
        self._month = month
        self._zone = zone
        self._trusting = trusting
        self._parts = 0

    def take(self, file: LocalFile) -> Ingested:
        """Check and read one object. Raises ObjectUnsound when it is empty, damaged, or lacks a column."""
        if not file.path.stat().st_size:
            raise ObjectUnsound(f"{file.key}: the object has zero bytes; expected at least a header. Upload it again.")
        try:
            return self._take_parquet(file) if file.path.suffix == ".parquet" else self._take_csv(file)
        except EngineRefused as error:
            raise ObjectUnsound(f"{file.key}: the object can't be read ({error}). Have it written again.") from error

    # --- CSV ----------------------------------------------------------------------------------------------------------

    def _take_csv(self, file: LocalFile) -> Ingested:
        sources: list[Source] = []
        bad: list[BadRow] = []
        rows = 0
        with open_records(file) as records:
            places = located(records.header, file)
            for block in records.blocks():
                rows += len(block.rows) + len(block.bad)
                found = list(block.bad)
                if block.rows:
                    path = self._parse(file, block, places, len(records.header))
                    numbers = self._scan(file, path, (kept_query(file.dataset),), len(block.rows)).bad
                    found += self._bad_records(file.dataset, path, block, numbers)
                    sources.append(Source(file.key, path, kept_query(file.dataset), block.rows, numbers))
                bad += sorted(found, key=lambda row: row.row)
        return Ingested(rows, tuple(sources), tuple(bad))

    def _parse(self, file: LocalFile, block: Block, places: Mapping[str, int], width: int) -> Path:
        """The values of one block of records, as Parquet."""
        text = self._folder / "block.csv"
        text.write_bytes(block.text)
        types = ", ".join(f"c{place}: '{TEXT}'" for place in range(width))
        parsed = f"read_csv({literal(text)}, {_CSV_OPTIONS}, columns = {{{types}}})"
        named = select((*(f"c{place} AS {name}" for name, place in places.items()), "0 AS file_row_number"), parsed)
        physical = dict.fromkeys(places, TEXT)
        path = self._write(file.dataset, values(file.dataset, physical, self._month, self._zone, nested(named)))
        text.unlink()
        return path

    def _bad_records(self, dataset: Dataset, path: Path, block: Block, numbers: RowNumbers) -> Iterator[BadRow]:
        """The records of a block whose values can't be used."""
        if numbers.size:
            some = among(numbers, "bad IS NOT NULL")
            query = select(("file_row_number", "bad"), nested(kept_query(dataset)), some, "file_row_number")
            for number, reason in self._engine.rows(of_files([path], query)):
                yield BadRow(block.rows[number], reason, block.record(number))

    # --- Parquet ------------------------------------------------------------------------------------------------------

    def _take_parquet(self, file: LocalFile) -> Ingested:
        rows = self._count(file.path)
        stored, physical = self._columns(file)
        trusted = _LOOKED_AT_LATER if self._trusting and file.dataset is Dataset.ORDERS else ()
        read = partial(values, file.dataset, physical, self._month, self._zone, stored, trusted=trusted)
        as_written, trimmed = read(trimming=False), read(trimming=True)
        scanned = self._scan(file, file.path, (as_written, trimmed), rows)
        bad = tuple(self._bad_rows(file, trimmed, stored, physical, scanned.bad))
        path, query = file.path, trimmed if scanned.padded else as_written
        if not file.stays:
            path, query = self._write(file.dataset, of_files([path], query)), kept_query(file.dataset)
        source = Source(file.key, path, query, range(1, rows + 1), scanned.bad)
        return Ingested(rows, (source,) if rows else (), bad)

    def _columns(self, file: LocalFile) -> tuple[str, Mapping[str, str]]:
        """A relation of the known columns that a Parquet object has, and their physical types."""
        nodes = self._engine.rows(select(("name", "num_children"), f"parquet_schema({literal(file.path)})"))
        names = list(_top_level(iter(nodes)))
        places = located(names, file)
        described = self._engine.rows("DESCRIBE " + select(("*",), of_files([file.path], PARQUET)))
        physical = {name: kind for name, place in places.items() if (kind := described[place][1]) != '"NULL"'}
        for column in file.dataset.columns:
            if column.name in physical and not readable(column.kind, physical[column.name]):
                raise ObjectUnsound(
                    f"{file.key}: column {column.name} is of type {physical[column.name]}, which can't hold "
                    f"what is expected there ({column.kind}). Have the extract written again."
                )
        picked = [f"{identifier(names[places[name]])} AS {name}" for name in physical]
        return nested(select((*picked, "file_row_number"), PARQUET)), physical

    def _bad_rows(
        self, file: LocalFile, query: str, stored: str, columns: Iterable[str], numbers: RowNumbers
    ) -> Iterator[BadRow]:
        if numbers.size:
            some = among(numbers, "TRUE")
            fields = ", ".join(f"{name} := {name}" for name in columns)
            shown = select(
                ("file_row_number", f"CAST(to_json(struct_pack({fields})) AS {TEXT}) AS shown"), stored, some
            )
            rated = select(("file_row_number", "bad"), nested(query), some)
            both = f"{nested(rated)} AS rated JOIN {nested(shown)} AS shown USING (file_row_number)"
            found = select(("file_row_number", "bad", "shown"), both, "bad IS NOT NULL", "file_row_number")
            for number, reason, text in self._engine.rows(of_files([file.path], found)):
                yield BadRow(number + 1, reason, text)

    # --- both ---------------------------------------------------------------------------------------------------------

    def _scan(self, file: LocalFile, path: Path, queries: Sequence[str], rows: int) -> _Scanned:
        """Read all rows; the hashes of order ids go where repeats are looked for.

        ``queries``: a later one is tried where the one before finds that some text is padded.
        """
        columns = (*_SCANNED, *([_HASH] if file.dataset is Dataset.ORDERS else []))
        found, padded, bad = 0, False, [np.empty(0, np.int64)]
        for start in range(0, rows, _SCANNED_AT_ONCE):
            some = f"file_row_number BETWEEN {start} AND {start + _SCANNED_AT_ONCE - 1}"
            for query in queries:
                relation = nested(of_files([path], query))
                scanned = self._engine.arrays(select(columns, relation, some if rows > _SCANNED_AT_ONCE else None))
                if not scanned["padded"].any():
                    break
            found += scanned["bad"].size
            padded = padded or bool(scanned["padded"].any())
            bad.append(np.flatnonzero(scanned["bad"]) + start)
            if file.dataset is Dataset.ORDERS:
                self._repeats.add(scanned["hash"])
        if found != rows:
            raise ObjectUnsound(
                f"{file.key}: found {found} rows where {rows} were announced. Have the extract written again."
            )
        return _Scanned(np.concatenate(bad), padded)

    def _write(self, dataset: Dataset, query: str) -> Path:
        """Values as a Parquet file of their own, in the order in which they were read."""
        self._parts += 1
        path = self._folder / f"part-{self._parts}.parquet"
        kept = select((*(column.name for column in dataset.columns), "bad"), nested(query))
        self._engine.run(f"COPY {nested(kept)} TO {literal(path)} ({_PART_OPTIONS})")
        return path

    def _count(self, path: Path) -> int:
        """The rows of a Parquet file as its footer counts them."""
        return int(self._engine.rows(select(("num_rows",), f"parquet_file_metadata({literal(path)})"))[0][0])


def _top_level(nodes: Iterator[tuple[str, int | None]]) -> Iterator[str]:
    """The names of a Parquet file's columns; its schema lists every node, each before its children."""
    _, columns = next(nodes)
    for _ in range(columns or 0):
        name, children = next(nodes)
        yield name
        _skip(nodes, children or 0)


def _skip(nodes: Iterator[tuple[str, int | None]], count: int) -> None:
    for _ in range(count):
        _, children = next(nodes)
        _skip(nodes, children or 0)
