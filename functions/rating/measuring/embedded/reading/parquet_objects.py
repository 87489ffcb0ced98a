"""Parquet objects into sources: they are read where they are, unless they can't stay there.

Objects that look alike are read together: each query takes a while before it reads anything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from functions.rating.extracts.datasets import Column, Dataset, Kind, LocalFile, located
from functions.rating.measuring.embedded.duckdb_engine import EngineRefused
from functions.rating.measuring.embedded.reading.batches import batches
from functions.rating.measuring.embedded.reading.parquet_footers import Footer, Schema, footers
from functions.rating.measuring.embedded.reading.scan import AT_ONCE, Ingested, Scanner
from functions.rating.measuring.embedded.reading.sources import (
    PARQUET,
    POSITION,
    Origin,
    RowNumbers,
    Source,
    kept_query,
    of_files,
)
from functions.rating.measuring.embedded.reading.sql_cells import TEXT
from functions.rating.measuring.embedded.reading.sql_values import SMALL, TEMPORAL, readable, values
from functions.rating.measuring.embedded.sql import identifier, nested, select
from functions.rating.measuring.quarantine import BadRow
from shared.errors import ObjectUnsound
from shared.months import Month

_LOOKED_AT_LATER = ("creator_id", "risk_tag")  # of orders: where unknown, and once grouped (orders.sql)
_TOGETHER = 32 * 1024**2  # bytes of the objects that are taken together
_RESERVED = set(POSITION)


class _Shape(NamedTuple):
    """What a Parquet schema comes to: a relation of the known columns that are there, their types, their own names."""

    stored: str
    physical: Mapping[str, str]
    written: Mapping[str, str]


class _Object(NamedTuple):
    """``proved``: columns in which there is nothing bad, by the footer."""

    file: LocalFile
    rows: int
    shape: _Shape
    proved: Collection[str]


class ParquetObjects:
    """Takes Parquet objects of one month."""

    def __init__(self, scanner: Scanner, month: Month, zone: ZoneInfo) -> None:
        self._scanner = scanner
        self._month = month
        self._zone = zone
        self._shapes: dict[tuple[Dataset, Schema], _Shape] = {}

    def take(self, files: Iterable[LocalFile]) -> Iterator[Ingested]:
        """Check objects of one dataset. Raises ObjectUnsound when one is damaged or lacks a column."""
        for some in batches(files, _weight, _TOGETHER):
            try:
                yield from self._take_together(some)
            except EngineRefused as error:
                for file in some if len(some) > 1 else ():
                    list(self.take([file]))  # one of them is to blame
                keys = ", ".join(file.key for file in some)
                raise ObjectUnsound(f"{keys}: the object can't be read ({error}). Have it written again.") from error

    def _take_together(self, files: Sequence[LocalFile]) -> Iterator[Ingested]:
        objects = map(self._object, files, footers(self._scanner.engine, [file.path for file in files]))
        for (shape, proved), some in groupby(objects, lambda o: (o.shape, o.proved)):
            for alike in batches(some, lambda o: o.rows, AT_ONCE):
                yield from self._take_alike([o.file for o in alike], [o.rows for o in alike], shape, proved)

    def _take_alike(
        self, files: Sequence[LocalFile], rows: Sequence[int], shape: _Shape, proved: Collection[str]
    ) -> Iterator[Ingested]:
        """Objects of one dataset that look alike, with the rows that each has by its footer."""
        dataset = files[0].dataset
        trusted = _trusted(dataset)
        read = partial(values, dataset, shape.physical, self._month, self._zone, shape.stored, trusted=trusted)
        as_written, trimmed = read(trimming=False), read(trimming=True)
        least = (read(trimming=False, proved=proved), read(trimming=True, proved=proved))
        scanned = self._scanner.scan(dataset, [file.path for file in files], rows, least)
        reasons = values(dataset, shape.physical, self._month, self._zone, shape.stored)
        bad = self._bad_rows(files, reasons, shape, [found.bad for found in scanned])
        for file, count, found, unusable in zip(files, rows, scanned, bad, strict=True):
            path, query = file.path, trimmed if found.padded else as_written
            if not file.stays:
                path, query = self._scanner.write(dataset, of_files([path], query)), kept_query(dataset)
            source = Source(path, query, (Origin(file.key, range(1, count + 1)),), found.bad)
            yield Ingested(file, count, (source,) if count else (), tuple(unusable))

    def _object(self, file: LocalFile, footer: Footer) -> _Object:
        shape = self._shapes.get((file.dataset, footer.schema)) or self._shape(file, footer)
        columns = [column for column in file.dataset.columns if column.name in shape.physical]
        trusted = _trusted(file.dataset)
        proved = {column.name for column in columns if _proved(column, shape, footer, trusted)}
        return _Object(file, footer.rows, shape, proved)

    def _shape(self, file: LocalFile, footer: Footer) -> _Shape:
        """What an object's schema comes to; the engine is asked once for each schema."""
        names = footer.columns()
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
        written = {name: names[places[name]] for name in physical}
        picked = [f"{identifier(column)} AS {name}" for name, column in written.items()]
        shape = _Shape(nested(select((*picked, *POSITION), PARQUET)), physical, written)
        return self._shapes.setdefault((file.dataset, footer.schema), shape)

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
            fields = ", ".join(f"{name} := {name}" for name in shape.physical)
            text = f"CAST(to_json(struct_pack({fields})) AS {TEXT}) AS shown"
            shown = nested(select((*POSITION, text), shape.stored, some))
            rated = nested(select((*POSITION, "bad"), nested(query), some))
            both = f"{rated} AS rated JOIN {shown} AS shown USING ({', '.join(POSITION)})"
            found = select((*POSITION, "bad", "shown"), both, "bad IS NOT NULL", ", ".join(POSITION))
            for index, number, reason, row in self._scanner.engine.rows(of_files([path for path, _ in dirty], found)):
                dirty[index][1].append(BadRow(number + 1, reason, row))
        return bad


def _trusted(dataset: Dataset) -> Collection[str]:
    """Columns whose texts are taken as they are written."""
    return _LOOKED_AT_LATER if dataset is Dataset.ORDERS else ()


def _weight(file: LocalFile) -> int:
    """In bytes; the next object may be asked for only while all that wait can wait."""
    return file.path.stat().st_size if file.stays else _TOGETHER


def _proved(column: Column, shape: _Shape, footer: Footer, trusted: Collection[str]) -> bool:
    """Whether no value of a column is bad, if the footer tells the truth."""
    written, physical = shape.written[column.name], shape.physical[column.name]
    match column.kind:
        case Kind.AMOUNT:
            sound = physical in SMALL and written in footer.never_negative
        case Kind.TIME:
            sound = physical in TEMPORAL and written in footer.dated
        case _:
            sound = physical == TEXT and column.name in trusted
    return sound and written in footer.present
