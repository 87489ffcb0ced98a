"""Parquet objects into sources: they are read where they are, unless they can't stay there.

Objects that look alike are read together: each query takes a while before it reads anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from functions.rating.extracts.blocks import BadRow
from functions.rating.extracts.cell_sql import TEXT
from functions.rating.extracts.datasets import Dataset, LocalFile, located
from functions.rating.extracts.engine import EngineRefused
from functions.rating.extracts.notation import readable, values
from functions.rating.extracts.portions import portions
from functions.rating.extracts.scanning import AT_ONCE, Ingested, Scanner
from functions.rating.extracts.sources import PARQUET, PLACE, Origin, RowNumbers, Source, kept_query, of_files
from functions.rating.extracts.sql import identifier, literal, nested, select
from shared.errors import ObjectUnsound
from shared.months import Month

_LOOKED_AT_LATER = ("creator_id", "risk_tag")  # of orders: where unknown, and once grouped (measure.sql)
_TOGETHER = 32 * 1024**2  # bytes of the objects that are taken together
_RESERVED = set(PLACE)
_NODE = ("name", "num_children", "* EXCLUDE (file_name, name, num_children)")
_Node = tuple[Any, ...]  # of a Parquet schema, all that is said of it


class _Shape(NamedTuple):
    """What a Parquet schema comes to: a relation of the known columns that are there, and their physical types."""

    stored: str
    physical: tuple[tuple[str, str], ...]


class _Footer(NamedTuple):
    rows: int
    shape: _Shape


class ParquetObjects:
    """Takes Parquet objects of one month."""

    def __init__(self, scanner: Scanner, month: Month, zone: ZoneInfo, *, trusting: bool) -> None:
        """``trusting``: creators and tags of orders are taken as they are written."""
        self._scanner = scanner
        self._month = month
        self._zone = zone
        self._trusting = trusting
        self._shapes: dict[tuple[Dataset, tuple[_Node, ...]], _Shape] = {}

    def take(self, files: Iterable[LocalFile]) -> Iterator[Ingested]:
        """Check objects of one dataset. Raises ObjectUnsound when one is damaged or lacks a column."""
        for some in portions(files, _weight, _TOGETHER):
            try:
                yield from self._take_together(some)
            except EngineRefused as error:
                for file in some if len(some) > 1 else ():
                    list(self.take([file]))  # one of them is to blame
                keys = ", ".join(file.key for file in some)
                raise ObjectUnsound(f"{keys}: the object can't be read ({error}). Have it written again.") from error

    def _take_together(self, files: Sequence[LocalFile]) -> Iterator[Ingested]:
        for shape, some in groupby(zip(files, self._footers(files), strict=True), lambda pair: pair[1].shape):
            for alike in portions(some, lambda pair: pair[1].rows, AT_ONCE):
                yield from self._take_alike([file for file, _ in alike], [footer.rows for _, footer in alike], shape)

    def _take_alike(self, files: Sequence[LocalFile], rows: Sequence[int], shape: _Shape) -> Iterator[Ingested]:
        """Objects of one shape and one dataset, with the rows that each has by its footer."""
        dataset = files[0].dataset
        trusted = _LOOKED_AT_LATER if self._trusting and dataset is Dataset.ORDERS else ()
        read = partial(values, dataset, dict(shape.physical), self._month, self._zone, shape.stored, trusted=trusted)
        as_written, trimmed = read(trimming=False), read(trimming=True)
        scanned = self._scanner.scan(dataset, [file.path for file in files], rows, (as_written, trimmed))
        bad = self._bad_rows(files, trimmed, shape, [found.bad for found in scanned])
        for file, count, found, unusable in zip(files, rows, scanned, bad, strict=True):
            path, query = file.path, trimmed if found.padded else as_written
            if not file.stays:
                path, query = self._scanner.write(dataset, of_files([path], query)), kept_query(dataset)
            source = Source(path, query, (Origin(file.key, range(1, count + 1)),), found.bad)
            yield Ingested(file, count, (source,) if count else (), tuple(unusable))

    def _footers(self, files: Sequence[LocalFile]) -> Iterator[_Footer]:
        """What the footers say."""
        paths = f"[{', '.join(literal(file.path) for file in files)}]"
        counted = self._scanner.engine.rows(select(("file_name", "num_rows"), f"parquet_file_metadata({paths})"))
        counts = {path: int(rows) for path, rows in counted}
        nodes: dict[str, list[_Node]] = {}
        for path, *node in self._scanner.engine.rows(select(("file_name", *_NODE), f"parquet_schema({paths})")):
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
        described = self._scanner.engine.rows("DESCRIBE " + select(("*",), of_files([file.path], PARQUET)))
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
            some = self._scanner.among(
                np.unique(np.concatenate(numbers))
            )  # in other files rows of these numbers may be sound
            fields = ", ".join(f"{name} := {name}" for name, _ in shape.physical)
            text = f"CAST(to_json(struct_pack({fields})) AS {TEXT}) AS shown"
            shown = nested(select((*PLACE, text), shape.stored, some))
            rated = nested(select((*PLACE, "bad"), nested(query), some))
            both = f"{rated} AS rated JOIN {shown} AS shown USING ({', '.join(PLACE)})"
            found = select((*PLACE, "bad", "shown"), both, "bad IS NOT NULL", ", ".join(PLACE))
            for index, number, reason, row in self._scanner.engine.rows(of_files([path for path, _ in dirty], found)):
                dirty[index][1].append(BadRow(number + 1, reason, row))
        return bad


def _weight(file: LocalFile) -> int:
    """In bytes; the next object may be asked for only while all that wait can wait."""
    return file.path.stat().st_size if file.stays else _TOGETHER


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
