"""Reads one object in a process of its own: the task of a distributed engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from functions.rating.extracts.datasets import Column, Dataset, Kind, LocalFile
from functions.rating.measuring.embedded.duckdb_engine import DuckDB, open_engine
from functions.rating.measuring.embedded.reading.missing_creators import (
    TRIMMED_CREATOR,
    TRIMMED_TAG,
    missing_creators,
    without,
)
from functions.rating.measuring.embedded.reading.objects import ObjectReader
from functions.rating.measuring.embedded.reading.sources import Source, of_files
from functions.rating.measuring.embedded.sql import literal, nested, select
from functions.rating.measuring.quarantine import BadRow
from shared.errors import ObjectInvalid
from shared.months import Month

VALID = "valid.parquet"
_MEMORY = 256 * 1024**2
_OPTIONS = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1"


@dataclass(frozen=True, slots=True)
class CanonicalObject:
    """An object's valid rows as Parquet: the dataset's columns, times in epoch microseconds, money in fen.

    ``rows``: all rows of the object, with the bad ones. ``bad``: by reason. ``skipped``: lines that are not rows, by
    kind.
    """

    path: Path
    rows: int
    bad: Counter[str]
    skipped: Counter[str]


def read_object(
    file: LocalFile,
    month: Month,
    zone: ZoneInfo,
    folder: Path,
    add_bad_rows: Callable[[Sequence[BadRow], Mapping[str, int] | None], None],
    *,
    int96_is_utc: bool = True,
    whole: bool = True,
) -> CanonicalObject:
    """Read one object, or some of its rows: write valid rows to ``folder``, and pass bad rows to ``add_bad_rows``.

    ``add_bad_rows`` is called with some bad rows at a time, and with the positions of columns in their text (None if
    the text is JSON). Raises ObjectInvalid; if not ``whole``, also for an object that could only be read value by
    value.
    """
    path = folder / VALID
    rows, bad, skipped = 0, Counter[str](), Counter[str]()
    sources: list[Source] = []
    with TemporaryDirectory(dir=folder) as work, open_engine(Path(work), _MEMORY) as engine:
        engine.run("SET threads = 1")
        reader = ObjectReader(engine, lambda _: None, Path(work), month, zone, int96_is_utc=int96_is_utc, whole=whole)
        for read in reader.read([file]):
            rows += read.rows
            skipped.update(read.skipped)
            bad.update(row.reason for row in read.bad)
            add_bad_rows(read.bad, read.positions)
            sources += read.sources
        if reader.warnings:  # a fault of the previous month's creators; the caller decides
            raise ObjectInvalid(reader.warnings[0])
        if file.dataset is Dataset.ORDERS:
            for index, source in enumerate(sources):
                missing = list(missing_creators(engine, source))
                add_bad_rows([row for *_, row in missing], None)
                bad.update(row.reason for *_, row in missing)
                sources[index] = without(source, [number for number, *_ in missing])
        query = _valid_rows(engine, file.dataset, sources)
        engine.run(f"COPY {nested(query)} TO {literal(path)} ({_OPTIONS})")
    return CanonicalObject(path, rows, bad, skipped)


def _valid_rows(engine: DuckDB, dataset: Dataset, sources: Sequence[Source]) -> str:
    """A query for the valid rows, with texts trimmed."""
    trimmed = {"creator_id": TRIMMED_CREATOR, "risk_tag": TRIMMED_TAG} if dataset is Dataset.ORDERS else {}
    columns = [f"{trimmed.get(column.name, column.name)} AS {column.name}" for column in dataset.columns]
    queries = []
    for index, source in enumerate(sources):
        numbers = f"numbers_{index}"
        engine.table(numbers, {"number": source.bad})
        valid = f"file_row_number NOT IN {nested(select(('number',), numbers))}" if source.bad.size else None
        queries.append(select(columns, nested(of_files([source.path], source.query)), valid))
    return " UNION ALL ".join(queries) or select(
        [f"{_null(column)} AS {column.name}" for column in dataset.columns], "(VALUES (1)) AS nothing", "FALSE"
    )


def _null(column: Column) -> str:
    return f"CAST(NULL AS {'VARCHAR' if column.kind is Kind.TEXT else 'BIGINT'})"
