"""Reads Parquet objects into sources. The files are read where they are, unless they can't stay there.

Objects of the same shape are read together, since each query takes some time before it reads anything.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from functions.rating.extracts.datasets import Column, Dataset, Kind, LocalFile
from functions.rating.measuring.embedded.duckdb_engine import EngineRefused
from functions.rating.measuring.embedded.reading.batches import batches
from functions.rating.measuring.embedded.reading.parquet_footers import Footer, columns_of, footers
from functions.rating.measuring.embedded.reading.parquet_plain import copy_with_plain
from functions.rating.measuring.embedded.reading.parquet_shapes import Shape, plain_columns, shape_of
from functions.rating.measuring.embedded.reading.scan import AT_ONCE, BAD_TOGETHER, ObjectRead, Scanned, Scanner
from functions.rating.measuring.embedded.reading.sources import PARQUET, Origin, Source, kept_query, of_files
from functions.rating.measuring.embedded.reading.sql_cells import TEXT
from functions.rating.measuring.embedded.reading.sql_values import SMALL, TEMPORAL, values
from functions.rating.measuring.embedded.sql import nested, select
from functions.rating.measuring.quarantine import BadRow
from shared.errors import ObjectInvalid
from shared.months import Month

_CHECKED_LATER = (
    "creator_id",
    "risk_tag",
)  # columns of orders that are trimmed later: where unknown, or after grouping (orders.sql)
_TOGETHER = 32 * 1024**2  # bytes of the objects that are read together


class _Object(NamedTuple):
    """``proved``: columns that have no bad value, by the footer."""

    file: LocalFile
    rows: int
    shape: Shape
    proved: Collection[str]


class ParquetObjects:
    """Reads Parquet objects of one month."""

    def __init__(
        self,
        scanner: Scanner,
        month: Month,
        zone: ZoneInfo,
        refuse: Callable[[Dataset, ObjectInvalid], None],
        *,
        int96_is_utc: bool = True,
        whole: bool = True,
    ) -> None:
        """``refuse`` is called for an unusable object, if other objects are read together with it.

        Not ``whole``: the files are only some rows of an object, and can't be read value by value; such an object is
        refused.
        """
        self._scanner = scanner
        self._refuse = refuse
        self._month = month
        self._zone = zone
        self._int96_is_utc = int96_is_utc
        self._whole = whole
        self._shapes: dict[tuple[object, ...], Shape] = {}

    def read(self, files: Iterable[LocalFile]) -> Iterator[ObjectRead]:
        """Check objects of one dataset; yields one or several ObjectReads for each.

        Raises ObjectInvalid if one is damaged or lacks a column.
        """
        for batch in batches(files, _weight, _TOGETHER):
            try:
                objects = self._objects(batch)
            except EngineRefused as error:
                if len(batch) == 1:
                    yield from self._read_value_by_value(batch[0], error)
                else:
                    yield from self._read_one_by_one(batch)
                continue
            except ObjectInvalid:
                if len(batch) == 1:
                    raise
                yield from self._read_one_by_one(batch)
                continue
            for (_, proved), same in groupby(objects, lambda o: (o.shape, o.proved)):
                for alike in batches(same, lambda o: o.rows, AT_ONCE):
                    yield from self._read_alike(alike, proved)

    def _read_one_by_one(self, files: Iterable[LocalFile]) -> Iterator[ObjectRead]:
        for file in files:
            try:
                yield from self.read([file])
            except ObjectInvalid as error:  # continue with the next object of the batch
                self._refuse(file.dataset, error)

    def _objects(self, files: Sequence[LocalFile]) -> list[_Object]:
        """Raises EngineRefused, ObjectInvalid."""
        return list(map(self._object, files, footers(self._scanner.engine, [file.path for file in files])))

    def _read_alike(self, objects: Sequence[_Object], proved: Collection[str]) -> Iterator[ObjectRead]:
        """Read objects of one dataset and one shape."""
        dataset, shape = objects[0].file.dataset, objects[0].shape
        read = partial(values, dataset, shape.physical, self._month, self._zone, shape.stored)
        least = [
            read(trimmed_later=_trimmed_later(dataset), trimming=trimming, proved=proved) for trimming in (False, True)
        ]
        paths, rows = [o.file.path for o in objects], [o.rows for o in objects]
        kept = self._scanner.kept
        try:
            scanned = self._scanner.scan(dataset, paths, rows, least)
        except EngineRefused as error:
            if len(objects) > 1:
                yield from self._read_one_by_one(o.file for o in objects)
            else:
                yield from self._read_value_by_value(objects[0].file, error, self._scanner.kept - kept)
            return
        for o, found in zip(objects, scanned, strict=True):
            path, query = o.file.path, read(trimmed_later=_trimmed_later(dataset), trimming=found.untrimmed)
            if not o.file.stays:
                try:
                    path, query = self._scanner.write(dataset, of_files([path], query)), kept_query(dataset)
                except EngineRefused as error:
                    yield from self._read_value_by_value(o.file, error, o.rows)
                    continue
            yield ObjectRead(o.file, o.rows, _sources(path, query, o, found))
            yield from self._bad_rows(o, read(), found)

    def _read_value_by_value(self, file: LocalFile, refused: EngineRefused, kept: int = 0) -> Iterator[ObjectRead]:
        """Read an object that DuckDB refuses. ``kept``: for how many rows the scanner has kept the hashes already.

        Raises ObjectInvalid with DuckDB's reason, if single values are not the cause.
        """
        copy = self._scanner.folder / "plain.parquet"
        said = str(refused).replace(str(file.path), file.key)  # leave out the path, which differs in each run
        error = ObjectInvalid(
            f"{file.key}: the object can't be read ({said}); expected whole Parquet. Have it written again."
        )
        if not self._whole:
            raise error
        try:
            o = self._plain_copy(file, copy)
            read = partial(
                values, file.dataset, o.shape.physical, self._month, self._zone, o.shape.stored, damaged=o.shape.damaged
            )
            [found] = self._scanner.scan(file.dataset, [copy], [o.rows], [read()], already_kept=kept)
            path = self._scanner.write(file.dataset, of_files([copy], read()))
            yield ObjectRead(file, o.rows, _sources(path, kept_query(file.dataset), o, found))
            yield from self._bad_rows(o._replace(file=replace(file, path=copy)), read(), found)
        except (EngineRefused, ValueError) as still:
            raise error from still
        finally:
            copy.unlink(missing_ok=True)

    def _plain_copy(self, file: LocalFile, copy: Path) -> _Object:
        """Raises EngineRefused, ValueError."""
        nodes = columns_of(self._scanner.engine, file.path)
        plain = plain_columns(file, nodes)
        copy_with_plain(file.path, copy, set(plain.values()))
        [footer] = footers(self._scanner.engine, [copy])
        shape = shape_of(file, nodes, self._described(copy), plain=plain, int96_is_utc=self._int96_is_utc)
        return _Object(file, footer.rows, shape, ())

    def _object(self, file: LocalFile, footer: Footer) -> _Object:
        key = (file.dataset, footer.schema, file.key_columns)
        if key not in self._shapes:
            described = self._described(file.path)
            self._shapes[key] = shape_of(file, footer.columns(), described, int96_is_utc=self._int96_is_utc)
        shape = self._shapes[key]
        columns = [column for column in file.dataset.columns if column.name in shape.written]
        proved = {column.name for column in columns if _proved(column, shape, footer)}
        return _Object(file, footer.rows, shape, proved)

    def _described(self, path: Path) -> list[str]:
        """DuckDB's type of each column."""
        described = self._scanner.engine.rows("DESCRIBE " + select(("*",), of_files([path], PARQUET)))
        return [kind for _, kind, *_ in described]

    def _bad_rows(self, o: _Object, query: str, found: Scanned) -> Iterator[ObjectRead]:
        """The bad rows of an object, some at a time."""
        fields = ", ".join(f"{name} := {sql}" for name, sql in o.shape.shown.items())
        text = f"CAST(to_json(struct_pack({fields})) AS {TEXT}) AS text"
        for start in range(0, found.bad.size, BAD_TOGETHER):
            among = self._scanner.among(found.bad[start : start + BAD_TOGETHER])
            shown = nested(select(("file_row_number", text), o.shape.stored, among))
            reasons = nested(select(("file_row_number", "bad"), nested(query), among))
            both = f"{reasons} AS reasons JOIN {shown} AS shown USING (file_row_number)"
            rows = select(("file_row_number", "bad", "text"), both, order="file_row_number")
            bad = (BadRow(n + 1, *of) for n, *of in self._scanner.engine.rows(of_files([o.file.path], rows)))
            yield ObjectRead(o.file, 0, (), tuple(bad))


def _sources(path: Path, query: str, o: _Object, found: Scanned) -> tuple[Source, ...]:
    return (Source(path, query, (Origin(o.file.key, range(1, o.rows + 1)),), found.bad),) if o.rows else ()


def _trimmed_later(dataset: Dataset) -> Collection[str]:
    """Text columns that are read without trimming."""
    return _CHECKED_LATER if dataset is Dataset.ORDERS else ()


def _weight(file: LocalFile) -> int:
    """The size in bytes. An object that must be removed before the next is requested weighs as much as a full batch."""
    return file.path.stat().st_size if file.stays else _TOGETHER


def _proved(column: Column, shape: Shape, footer: Footer) -> bool:
    """Whether no value of a column can be bad, by the footer's statistics."""
    written, physical = shape.written[column.name], shape.physical[column.name]
    match column.kind:
        case Kind.AMOUNT:
            valid = physical in SMALL and written in footer.never_negative
        case Kind.TIME:
            valid = physical in TEMPORAL and written in footer.dated
        case _:  # texts are always read: they may be invalid UTF-8, or contain a newline
            valid = False
    return valid and written in footer.present
