"""The engines that measure a month's files, each as one function; the plain SQL runs on DuckDB as a witness."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from decimal import Decimal
from pathlib import Path
from string import Template
from zoneinfo import ZoneInfo

from functions.rating.extracts.datasets import Dataset, Kind, LocalFile
from functions.rating.measuring.embedded import measure as embedded
from functions.rating.measuring.embedded.agencies import read_agencies
from functions.rating.measuring.embedded.duckdb_engine import DuckDB, open_engine
from functions.rating.measuring.embedded.reading.one_object import VALID
from functions.rating.measuring.embedded.sql import literal
from functions.rating.measuring.quarantine import QUARANTINE, header_member
from functions.rating.measuring.spark import counting
from functions.rating.measuring.spark.month import month_totals, usable
from functions.rating.measuring.spark.objects import BAD, ObjectCounts, raise_what_stops, read_into
from functions.rating.measuring.totals import MonthTotals
from shared.months import Month

Engine = Callable[[Sequence[LocalFile], Month, ZoneInfo, Path], MonthTotals]
RELATIONS = {
    "bindings": Dataset.CREATORS,
    "previous_bindings": Dataset.PREVIOUS_CREATORS,
    "orders": Dataset.ORDERS,
}


def duckdb_engine(files: Sequence[LocalFile], month: Month, zone: ZoneInfo, folder: Path) -> MonthTotals:
    """The embedded engine, whatever the bad rows."""
    return embedded.add_up(files, month, zone, Decimal(1), folder)


def plain_sql(files: Sequence[LocalFile], month: Month, zone: ZoneInfo, folder: Path) -> MonthTotals:
    """What the Spark job does, without Spark: each object read alone, then the plain SQL, on DuckDB."""
    counts: list[ObjectCounts] = []
    for index, file in enumerate(files):
        part = folder / f"part-{index}"
        part.mkdir()
        counts.append(read_into(part, file, month, zone, int96_is_utc=True))
    raise_what_stops(counts)
    agencies = read_agencies([file for file in files if file.dataset is Dataset.AGENCIES], month, zone, folder)
    with open_engine(folder) as engine:
        engine.run("CREATE TABLE agencies (agency_id VARCHAR)")
        engine.run("".join(f"INSERT INTO agencies VALUES ({literal(agency.agency_id)});" for agency in agencies))
        for relation, dataset in RELATIONS.items():
            parts = [folder / f"part-{index}" / VALID for index, of in enumerate(counts) if of.dataset is dataset]
            _show(engine, relation, dataset, parts if usable(counts, dataset) else ())
        rows = sum(of.rows for of in counts if of.dataset is Dataset.ORDERS)
        counted = counting.count(engine, month, zone, order_rows=rows, binding_rows=0)
    return month_totals(counts, agencies, counted, _quarantine(counts, folder), "plain SQL")


def _show(engine: DuckDB, relation: str, dataset: Dataset, parts: Sequence[Path]) -> None:
    columns = ", ".join(f"{c.name} {'VARCHAR' if c.kind is Kind.TEXT else 'BIGINT'}" for c in dataset.columns)
    engine.run(f"CREATE TABLE {relation} ({columns})")
    if parts:
        engine.run(f"INSERT INTO {relation} SELECT * FROM read_parquet([{', '.join(map(literal, parts))}])")


def _quarantine(counts: Sequence[ObjectCounts], folder: Path) -> Path | None:
    bad = sorted((of.key, folder / f"part-{index}" / BAD) for index, of in enumerate(counts))
    if not any(path.exists() for _, path in bad):
        return None
    quarantine = folder / QUARANTINE
    with quarantine.open("wb") as into:
        into.write(header_member())
        for _, path in bad:
            if path.exists():
                with path.open("rb") as member:
                    shutil.copyfileobj(member, into)
    return quarantine


ENGINES: Mapping[str, tuple[Engine, MutableMapping[str, Template]]] = {
    "DuckDB": (duckdb_engine, embedded.SQL),
    "plain SQL": (plain_sql, counting.SQL),
}
"""Each engine with the SQL that it runs."""
