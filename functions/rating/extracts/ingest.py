"""Objects into sources: each is checked from end to end, its rows are counted, its bad rows are found.

A CSV object is parsed once, into Parquet; a Parquet object is read where it is, unless it can't stay there. Parquet
objects that look alike are read together: each query takes a while before it reads anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from functions.rating.extracts.blocks import BadRow, Block
from functions.rating.extracts.cell_sql import TEXT
from functions.rating.extracts.datasets import Dataset, LocalFile, located
from functions.rating.extracts.engine import Engine, EngineRefused
from functions.rating.extracts.notation import readable, values
from functions.rating.extracts.portions import portions
from functions.rating.extracts.records import open_records
from functions.rating.extracts.repeats import Repeats
from functions.rating.extracts.sources import PARQUET, PLACE, RowNumbers, Source, kept_query, of_files
from functions.rating.extracts.sql import identifier, literal, nested, select
from shared.errors import ObjectUnsound
from shared.months import Month

_SCANNED = ("bad IS NOT NULL AS bad", "padded")
_HASH = "coalesce(hash(order_id), 0) AS hash"  # a bad row's means nothing: bad rows are never counted
_LOOKED_AT_LATER = ("creator_id", "risk_tag")  # of orders: where unknown, and once grouped (measure.sql)
_SCANNED_AT_ONCE = 4_000_000
_RESERVED = set(PLACE)
_NODE = (
    *("name", "num_children", "type", "type_length", "repetition_type"),
    *("converted_type", "logical_type", "scale", "precision"),
)
_Node = tuple[Any, ...]  # of a Parquet schema, as _NODE names its fields
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


class _Shape(NamedTuple):
    """What a Parquet schema comes to: a relation of the known columns that are there, and their physical types."""

    stored: str
    physical: tuple[tuple[str, str], ...]


class _Footer(NamedTuple):
    rows: int
    shape: _Shape


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
        self._shapes: dict[tuple[Dataset, tuple[_Node, ...]], _Shape] = {}

    def take(self, files: Sequence[LocalFile]) -> list[Ingested]:
        """Check and read some objects of one dataset: one of CSV, or any number of Parquet.

        Raises ObjectUnsound when one is empty, damaged, or lacks a column.
        """
        for file in files:
            if not file.path.stat().st_size:
                raise ObjectUnsound(
                    f"{file.key}: the object has zero bytes; expected at least a header. Upload it again."
                )
        try:
            return list(self._take_parquet(files)) if is_parquet(files[0]) else [self._take_csv(*files)]
        except EngineRefused as error:
            for file in files if len(files) > 1 else ():
                self.take([file])
            raise ObjectUnsound(
                f"{', '.join(file.key for file in files)}: the object can't be read ({error}). Have it written again."
            ) from error

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
                    [scanned] = self._scan([file], [path], [len(block.rows)], (kept_query(file.dataset),))
                    found += self._bad_records(file.dataset, path, block, scanned.bad)
                    sources.append(Source(file.key, path, kept_query(file.dataset), block.rows, scanned.bad))
                bad += sorted(found, key=lambda row: row.row)
        return Ingested(rows, tuple(sources), tuple(bad))

    def _parse(self, file: LocalFile, block: Block, places: Mapping[str, int], width: int) -> Path:
        """The values of one block of records, as Parquet."""
        text = self._folder / "block.csv"
        text.write_bytes(block.text)
        types = ", ".join(f"c{place}: '{TEXT}'" for place in range(width))
        parsed = f"read_csv({literal(text)}, {_CSV_OPTIONS}, columns = {{{types}}})"
        nowhere = (f"0 AS {place}" for place in PLACE)
        named = select((*(f"c{place} AS {name}" for name, place in places.items()), *nowhere), parsed)
        physical = dict.fromkeys(places, TEXT)
        path = self._write(file.dataset, values(file.dataset, physical, self._month, self._zone, nested(named)))
        text.unlink()
        return path

    def _bad_records(self, dataset: Dataset, path: Path, block: Block, numbers: RowNumbers) -> Iterator[BadRow]:
        """The records of a block whose values can't be used."""
        if numbers.size:
            query = select(("file_row_number", "bad"), nested(kept_query(dataset)), self._among(numbers))
            for number, reason in self._engine.rows(of_files([path], query)):
                yield BadRow(block.rows[number], reason, block.record(number))

    # --- Parquet ------------------------------------------------------------------------------------------------------

    def _take_parquet(self, files: Sequence[LocalFile]) -> Iterator[Ingested]:
        for shape, some in groupby(zip(files, self._footers(files), strict=True), lambda pair: pair[1].shape):
            for alike in portions(some, lambda pair: pair[1].rows, _SCANNED_AT_ONCE):
                yield from self._take_alike([file for file, _ in alike], [footer.rows for _, footer in alike], shape)

    def _take_alike(self, files: Sequence[LocalFile], rows: Sequence[int], shape: _Shape) -> Iterator[Ingested]:
        """Objects of one shape and one dataset, with the rows that each has by its footer."""
        dataset = files[0].dataset
        trusted = _LOOKED_AT_LATER if self._trusting and dataset is Dataset.ORDERS else ()
        read = partial(values, dataset, dict(shape.physical), self._month, self._zone, shape.stored, trusted=trusted)
        as_written, trimmed = read(trimming=False), read(trimming=True)
        scanned = self._scan(files, [file.path for file in files], rows, (as_written, trimmed))
        bad = self._bad_rows(files, trimmed, shape, [found.bad for found in scanned])
        for file, count, found, unusable in zip(files, rows, scanned, bad, strict=True):
            path, query = file.path, trimmed if found.padded else as_written
            if not file.stays:
                path, query = self._write(dataset, of_files([path], query)), kept_query(dataset)
            source = Source(file.key, path, query, range(1, count + 1), found.bad)
            yield Ingested(count, (source,) if count else (), tuple(unusable))

    def _footers(self, files: Sequence[LocalFile]) -> Iterator[_Footer]:
        """What the footers say."""
        paths = f"[{', '.join(literal(file.path) for file in files)}]"
        counted = self._engine.rows(select(("file_name", "num_rows"), f"parquet_file_metadata({paths})"))
        counts = {path: int(rows) for path, rows in counted}
        nodes: dict[str, list[_Node]] = {}
        for path, *node in self._engine.rows(select(("file_name", *_NODE), f"parquet_schema({paths})")):
            nodes.setdefault(path, []).append(tuple(node))
        for file in files:
            yield _Footer(counts[str(file.path)], self._shape(file, tuple(nodes[str(file.path)])))

    def _shape(self, file: LocalFile, nodes: tuple[_Node, ...]) -> _Shape:
        """What an object's schema comes to; the engine is asked once for each schema."""
        known = self._shapes.get((file.dataset, nodes))
        if known:
            return known
        names = list(_top_level((name, children) for name, children, *_ in nodes))
        if reserved := _RESERVED & {name.lower() for name in names}:
            raise ObjectUnsound(
                f"{file.key}: a column is called {reserved.pop()}, which is what reading it needs a name for; "
                "expected any other name. Have the extract written without it."
            )
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
        shape = _Shape(nested(select((*picked, *PLACE), PARQUET)), tuple(physical.items()))
        return self._shapes.setdefault((file.dataset, nodes), shape)

    def _bad_rows(
        self, files: Sequence[LocalFile], query: str, shape: _Shape, numbers: Sequence[RowNumbers]
    ) -> list[list[BadRow]]:
        """The rows of each of these files that can't be used; ``numbers``: where they are."""
        bad: list[list[BadRow]] = [[] for _ in files]
        dirty = [(file.path, rows) for file, rows, of in zip(files, bad, numbers, strict=True) if of.size]
        if dirty:
            some = self._among(np.unique(np.concatenate(numbers)))  # in other files rows of these numbers may be sound
            fields = ", ".join(f"{name} := {name}" for name, _ in shape.physical)
            text = f"CAST(to_json(struct_pack({fields})) AS {TEXT}) AS shown"
            shown = nested(select((*PLACE, text), shape.stored, some))
            rated = nested(select((*PLACE, "bad"), nested(query), some))
            both = f"{rated} AS rated JOIN {shown} AS shown USING ({', '.join(PLACE)})"
            found = select((*PLACE, "bad", "shown"), both, "bad IS NOT NULL", ", ".join(PLACE))
            for index, number, reason, row in self._engine.rows(of_files([path for path, _ in dirty], found)):
                dirty[index][1].append(BadRow(number + 1, reason, row))
        return bad

    # --- both ---------------------------------------------------------------------------------------------------------

    def _scan(
        self, files: Sequence[LocalFile], paths: Sequence[Path], rows: Sequence[int], queries: Sequence[str]
    ) -> list[_Scanned]:
        """Read all rows of some files, or of one however large; the hashes of order ids go to ``repeats``.

        ``queries``: a later one is tried where the one before finds that some text is padded.
        """
        columns = (*_SCANNED, *([_HASH] if files[0].dataset is Dataset.ORDERS else []))
        found, padded, bad = 0, [np.empty(0, np.bool_)], [np.empty(0, np.bool_)]
        for start in range(0, sum(rows), _SCANNED_AT_ONCE):
            some = f"file_row_number BETWEEN {start} AND {start + _SCANNED_AT_ONCE - 1}"
            for query in queries:
                relation = nested(of_files(paths, query))
                scanned = self._engine.arrays(select(columns, relation, some if sum(rows) > _SCANNED_AT_ONCE else None))
                if not scanned["padded"].any():
                    break
            padded.append(scanned["padded"])
            bad.append(scanned["bad"])
            found += scanned["bad"].size
            if files[0].dataset is Dataset.ORDERS:
                self._repeats.add(scanned["hash"])
        if found != sum(rows):
            raise EngineRefused(f"found {found} rows where {sum(rows)} were announced")
        ends = np.cumsum(rows)[:-1]
        of_each = zip(np.split(np.concatenate(bad), ends), np.split(np.concatenate(padded), ends), strict=True)
        return [_Scanned(np.flatnonzero(bad), bool(padded.any())) for bad, padded in of_each]

    def _write(self, dataset: Dataset, query: str) -> Path:
        """Values as a Parquet file of their own, in the order in which they were read."""
        self._parts += 1
        path = self._folder / f"part-{self._parts}.parquet"
        kept = select((*(column.name for column in dataset.columns), "bad"), nested(query))
        self._engine.run(f"COPY {nested(kept)} TO {literal(path)} ({_PART_OPTIONS})")
        return path

    def _among(self, numbers: RowNumbers) -> str:
        """A test for rows by their numbers in a file."""
        self._engine.table("numbers", {"number": numbers})
        return f"file_row_number IN {nested(select(('number',), 'numbers'))}"


def is_parquet(file: LocalFile) -> bool:
    return file.path.suffix == ".parquet"


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
