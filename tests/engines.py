"""The engines that measure a month's files, each as one function. The plain SQL runs on DuckDB here."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from string import Template
from zoneinfo import ZoneInfo

from functions.rating.extracts.datasets import Dataset, Kind, LocalFile
from functions.rating.extracts.download import DataObject
from functions.rating.measuring.embedded import measure as embedded
from functions.rating.measuring.embedded.agencies import read_agencies
from functions.rating.measuring.embedded.duckdb_engine import DuckDB, open_engine
from functions.rating.measuring.embedded.reading.one_object import VALID
from functions.rating.measuring.embedded.sql import literal
from functions.rating.measuring.quarantine import QUARANTINE, put_together
from functions.rating.measuring.spark import counting, row_groups
from functions.rating.measuring.spark.month import month_totals, usable
from functions.rating.measuring.spark.objects import BAD, ObjectCounts, raise_what_stops, read_into
from functions.rating.measuring.spark.row_groups import Content
from functions.rating.measuring.spark.tasks import Task, read_all, tasks_of
from functions.rating.measuring.totals import MonthTotals
from shared.months import Month

Engine = Callable[[Sequence[LocalFile], Month, ZoneInfo, Path], MonthTotals]
RELATIONS = {
    "bindings": Dataset.CREATORS,
    "previous_bindings": Dataset.PREVIOUS_CREATORS,
    "orders": Dataset.ORDERS,
}

AT_MOST = 1500  # bytes of row groups in one task, where an object is split


def duckdb_engine(files: Sequence[LocalFile], month: Month, zone: ZoneInfo, folder: Path) -> MonthTotals:
    """The embedded engine, with any number of bad rows allowed."""
    return embedded.add_up(files, month, zone, Decimal(1), folder)


def plain_sql(files: Sequence[LocalFile], month: Month, zone: ZoneInfo, folder: Path) -> MonthTotals:
    """The Spark job without Spark: each object is read alone, then the plain SQL runs on DuckDB."""
    return _plain_sql(files, month, zone, folder, 1 << 40)


def by_row_groups(files: Sequence[LocalFile], month: Month, zone: ZoneInfo, folder: Path) -> MonthTotals:
    """Like ``plain_sql``, but with only a few row groups of a Parquet object in each task."""
    return _plain_sql(files, month, zone, folder, AT_MOST)


def _plain_sql(files: Sequence[LocalFile], month: Month, zone: ZoneInfo, folder: Path, split_over: int) -> MonthTotals:
    contents = {DataObject(file.dataset, file.key, "", file.path.stat().st_size): file for file in files}

    def content(o: DataObject) -> Content:
        return lambda start, end: io.BytesIO(contents[o].path.read_bytes()[start:end])

    def folder_of(task: Task) -> Path:
        number = [*contents].index(task.object)
        return folder / (f"part-{number}-{task.groups.first}" if task.groups else f"part-{number}")

    def read_each(tasks: Sequence[Task]) -> list[ObjectCounts]:
        return [read_one(task) for task in tasks]

    def read_one(task: Task) -> ObjectCounts:
        file, into = contents[task.object], folder_of(task)
        into.mkdir(exist_ok=True)  # the folder exists already when the month is read again
        if task.groups:
            file = replace(file, path=into / "row-groups")
            row_groups.write(content(task.object), task.object.size, task.groups, file.path)
        return read_into(into, file, month, zone, int96_is_utc=True, groups=task.groups)

    tasks = {o: tasks_of(content(o), o, split_over) for o in contents}
    read = read_all(tasks, read_each)
    counts = [of_object for _, of_object in read]
    raise_what_stops(counts)
    agencies = read_agencies([file for file in files if file.dataset is Dataset.AGENCIES], month, zone, folder)
    with open_engine(folder) as engine:
        engine.run("CREATE TABLE agencies (agency_id VARCHAR)")
        engine.run("".join(f"INSERT INTO agencies VALUES ({literal(agency.agency_id)});" for agency in agencies))
        for relation, dataset in RELATIONS.items():
            parts = [folder_of(task) / VALID for task, of_object in read if of_object.dataset is dataset]
            _show(engine, relation, dataset, parts if usable(counts, dataset) else ())
        rows = sum(of_object.rows for of_object in counts if of_object.dataset is Dataset.ORDERS)
        counted = counting.count(engine, month, zone, order_rows=rows, binding_rows=0)
    members = [
        (task.object.key, partial(io.FileIO, folder_of(task) / BAD)) for task, of_object in read if of_object.bad
    ]
    return month_totals(counts, agencies, counted, put_together(folder / QUARANTINE, members), "plain SQL")


def _show(engine: DuckDB, relation: str, dataset: Dataset, parts: Sequence[Path]) -> None:
    columns = ", ".join(f"{c.name} {'VARCHAR' if c.kind is Kind.TEXT else 'BIGINT'}" for c in dataset.columns)
    engine.run(f"CREATE TABLE {relation} ({columns})")
    if parts:
        engine.run(f"INSERT INTO {relation} SELECT * FROM read_parquet([{', '.join(map(literal, parts))}])")


ENGINES: Mapping[str, tuple[Engine, MutableMapping[str, Template]]] = {
    "DuckDB": (duckdb_engine, embedded.SQL),
    "plain SQL": (plain_sql, counting.SQL),
}
"""Each engine with the SQL that it runs."""
