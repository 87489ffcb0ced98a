"""Objects into sources: each is checked from end to end, its rows are counted, its bad rows are found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from pathlib import Path
from zoneinfo import ZoneInfo

from functions.rating.extracts.datasets import LocalFile
from functions.rating.measuring.embedded.duckdb_engine import DuckDB
from functions.rating.measuring.embedded.reading.csv_objects import CsvObjects
from functions.rating.measuring.embedded.reading.parquet_objects import ParquetObjects
from functions.rating.measuring.embedded.reading.scan import Hashes, Ingested, Scanner
from shared.errors import ObjectUnsound
from shared.months import Month


class Ingest:
    """Takes the objects of one month, in order; ``folder`` gets what can't be read where it is."""

    def __init__(
        self,
        engine: DuckDB,
        keep: Callable[[Hashes], None],
        folder: Path,
        month: Month,
        zone: ZoneInfo,
    ) -> None:
        """``keep`` is given the hash of every order_id, in order."""
        scanner = Scanner(engine, keep, folder)
        self._csv = CsvObjects(scanner, month, zone)
        self._parquet = ParquetObjects(scanner, month, zone)

    def take(self, files: Iterable[LocalFile]) -> Iterator[Ingested]:
        """Check and read every object; each is given in one piece or in several.

        Raises ObjectUnsound when one is empty, damaged, or lacks a column.
        """
        for (_, parquet), some in groupby(map(_not_empty, files), lambda file: (file.dataset, _is_parquet(file))):
            take = self._parquet.take if parquet else self._csv.take
            yield from take(some)


def _not_empty(file: LocalFile) -> LocalFile:
    if not file.path.stat().st_size:
        raise ObjectUnsound(f"{file.key}: the object has zero bytes; expected at least a header. Upload it again.")
    return file


def _is_parquet(file: LocalFile) -> bool:
    return file.path.suffix == ".parquet"
