"""Reads the agencies alone: they are few enough for one process, and none may be lost."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from functions.rating.extracts.datasets import LocalFile
from functions.rating.measuring.embedded.duckdb_engine import open_engine
from functions.rating.measuring.embedded.reading.objects import ObjectReader
from functions.rating.measuring.embedded.relations import load_agencies
from functions.rating.measuring.embedded.sql import select
from functions.rating.measuring.totals import Agency
from shared.months import Month


def read_agencies(
    files: Iterable[LocalFile], month: Month, zone: ZoneInfo, folder: Path, *, int96_is_utc: bool = True
) -> list[Agency]:
    """The agencies in objects without bad rows, by agency_id. Equal rows count once.

    Raises ObjectInvalid, and AgenciesInvalid if two rows of one agency differ.
    """
    with TemporaryDirectory(dir=folder) as work, open_engine(Path(work)) as engine:
        reader = ObjectReader(engine, lambda _: None, Path(work), month, zone, int96_is_utc=int96_is_utc)
        load_agencies(engine, [source for read in reader.read(files) for source in read.sources])
        found = engine.rows(select(Agency._fields, "agencies", order="agency_id"))
        return [Agency(*row) for row in found]
