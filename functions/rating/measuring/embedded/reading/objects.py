"""Reads a month's objects one after the other: chooses the reader of each, and refuses those that can't be read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from pathlib import Path
from zoneinfo import ZoneInfo

from functions.rating.extracts.datasets import Dataset, LocalFile
from functions.rating.extracts.formats import Format, format_of
from functions.rating.extracts.unusable import listed
from functions.rating.measuring.embedded.duckdb_engine import DuckDB
from functions.rating.measuring.embedded.reading.csv_objects import CsvObjects
from functions.rating.measuring.embedded.reading.parquet_objects import ParquetObjects
from functions.rating.measuring.embedded.reading.scan import Hashes, ObjectRead, Scanner
from shared.errors import ObjectInvalid
from shared.months import Month


class ObjectReader:
    """Reads the objects of one month. ``folder``: for files that have to be written first.

    ``warnings``: faults of the previous month's creators, which are optional.
    """

    def __init__(
        self,
        engine: DuckDB,
        keep: Callable[[Hashes], None],
        folder: Path,
        month: Month,
        zone: ZoneInfo,
        *,
        int96_is_utc: bool = True,
        whole: bool = True,
    ) -> None:
        """``keep`` is called with the hash of every order_id, in order. ``whole``: see ParquetObjects."""
        scanner = Scanner(engine, keep, folder)
        self.warnings: list[str] = []
        self._refused: list[str] = []
        self._csv = CsvObjects(scanner, month, zone)
        self._parquet = ParquetObjects(scanner, month, zone, self._refuse, int96_is_utc=int96_is_utc, whole=whole)

    def read(self, files: Iterable[LocalFile]) -> Iterator[ObjectRead]:
        """Check and read every object; yields one or several ObjectReads for each.

        Raises ObjectInvalid at the end, naming all objects that are empty, damaged, of another format, or lack a
        column.
        """
        for (dataset, parquet), some in groupby(self._readable(files), lambda file: (file[0].dataset, file[1])):
            reader = self._parquet if parquet else self._csv
            remaining = (file for file, _ in some)
            refused = True
            while refused:
                try:
                    yield from reader.read(remaining)
                    refused = False
                except ObjectInvalid as error:  # continue, so that one run shows all faults
                    self._refuse(dataset, error)
        if self._refused:
            raise refusal(self._refused)

    def _readable(self, files: Iterable[LocalFile]) -> Iterator[tuple[LocalFile, bool]]:
        """The files with a known format, and whether each is Parquet."""
        for file in files:
            try:
                yield file, format_of(file) is Format.PARQUET
            except ObjectInvalid as error:
                self._refuse(file.dataset, error)

    def _refuse(self, dataset: Dataset, error: ObjectInvalid) -> None:
        if dataset is Dataset.PREVIOUS_CREATORS:
            self.warnings.append(listed([str(error)]))
        else:
            self._refused.append(str(error))


def refusal(faults: Iterable[str]) -> ObjectInvalid:
    """The error that names all unusable objects, in an order that does not depend on how they were read."""
    return ObjectInvalid(listed(sorted(faults)))
