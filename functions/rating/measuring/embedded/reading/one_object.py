"""One object on its own, in a process of its own: what a task of a distributed engine does with each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from functions.rating.extracts.datasets import LocalFile
from functions.rating.measuring.embedded.duckdb_engine import open_engine
from functions.rating.measuring.embedded.reading.objects import ObjectReader
from functions.rating.measuring.embedded.reading.sources import of_files
from functions.rating.measuring.embedded.sql import literal, nested, select
from functions.rating.measuring.quarantine import BadRow
from shared.months import Month

_MEMORY = 256 * 1024**2


@dataclass(frozen=True, slots=True)
class CanonicalObject:
    """An object's valid rows as Parquet: the dataset's columns, times in epoch microseconds, money in fen.

    ``rows``: all that the object has, the bad ones among them. ``skipped``: lines that are no rows, by what they are.
    """

    paths: tuple[Path, ...]
    rows: int
    bad: Counter[str]
    skipped: Counter[str]


def read_object(
    file: LocalFile,
    month: Month,
    zone: ZoneInfo,
    folder: Path,
    put_away: Callable[[Sequence[BadRow]], None],
    *,
    int96_is_utc: bool = True,
) -> CanonicalObject:
    """Read one object: its valid rows into ``folder``, its bad rows, some at a time, to ``put_away``.

    Raises ObjectInvalid.
    """
    paths: list[Path] = []
    rows, bad, skipped = 0, Counter[str](), Counter[str]()
    columns = [column.name for column in file.dataset.columns]
    with TemporaryDirectory(dir=folder) as work, open_engine(Path(work), _MEMORY) as engine:
        engine.run("SET threads = 1")
        reader = ObjectReader(engine, lambda _: None, Path(work), month, zone, int96_is_utc=int96_is_utc)
        for read in reader.read([file]):
            rows += read.rows
            skipped.update(read.skipped)
            bad.update(row.reason for row in read.bad)
            put_away(read.bad)
            for source in read.sources:
                paths.append(folder / f"valid-{len(paths)}.parquet")
                engine.table("numbers", {"number": source.bad})
                valid = f"file_row_number NOT IN {nested(select(('number',), 'numbers'))}"
                query = select(columns, nested(of_files([source.path], source.query)), valid)
                engine.run(f"COPY {nested(query)} TO {literal(paths[-1])} (FORMAT parquet)")
    return CanonicalObject(tuple(paths), rows, bad, skipped)
