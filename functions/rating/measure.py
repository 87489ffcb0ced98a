"""Extracts into metrics of every agency: the story of measuring a month, on the analytical engine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import numpy.typing as npt

from functions.rating.assemble import assemble
from functions.rating.datasets import Dataset, Kind, LocalFile
from functions.rating.engine import Engine, EngineRefused
from functions.rating.ingest import Ingest, Source, read_all, read_sound
from functions.rating.intake import refuse_too_many_bad, take_all
from functions.rating.measured import MonthMeasured
from functions.rating.quarantine import Quarantine
from functions.rating.repeats import Repeats
from functions.rating.sql import literal, nested, select
from shared.errors import AgenciesUnsound, ObjectUnsound, OutOfRoom
from shared.levels import ASSESSED_POWER
from shared.months import Month

MEASURING = Template(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
MEMORY_LIMIT = 512 * 1024**2
SPILL_LIMIT = 10 * 1024**3


def measure(
    files: Iterable[LocalFile],
    month: Month,
    zone: ZoneInfo,
    max_bad_row_share: Decimal,
    scratch: Path,
    *,
    memory_limit: int = MEMORY_LIMIT,
) -> MonthMeasured:
    """What a month's extracts say of every agency, and what became of every row.

    ``files`` are taken in order, each when the one before is done with. ``scratch``: a folder for working files, which
    are removed, and for the quarantine, which stays. ``memory_limit``: bytes for the engine, which spills to
    ``scratch`` beyond them; the hashes of order ids come on top, with eight bytes a row.

    Raises ObjectUnsound, AgenciesUnsound, TooManyBadRows, NotReconciled, OutOfRoom.
    """
    with (
        TemporaryDirectory(prefix="measure-", dir=scratch) as work,
        open_engine(Path(work), memory_limit) as engine,
        Quarantine(scratch / "quarantine.csv.gz") as quarantine,
        Repeats(Path(work) / "hashes") as repeats,
    ):
        taken = take_all(files, Ingest(engine, repeats, Path(work), month, zone), quarantine)
        refuse_too_many_bad(taken, max_bad_row_share)
        sources = {dataset: taken[dataset].sources if dataset in taken else [] for dataset in Dataset}
        with naming_the_unreadable(engine, sources):
            load_agencies(engine, sources[Dataset.AGENCIES])
            load(engine, "bindings", Dataset.CREATORS, sources[Dataset.CREATORS])
            load(engine, "previous_bindings", Dataset.CREATORS, sources[Dataset.PREVIOUS_CREATORS])
            show_orders(engine, sources[Dataset.ORDERS])
            load_repeated(engine, sources[Dataset.ORDERS], repeats)
            engine.run(measuring(month, zone))
        return assemble(engine, taken, quarantine.path if quarantine.rows else None)


def measuring(month: Month, zone: ZoneInfo) -> str:
    """The measuring SQL with the month's bounds."""
    return MEASURING.substitute(
        month_start=_microseconds(month.start(zone).timestamp()),
        month_end=_microseconds(month.end(zone).timestamp()),
        assessed_power=ASSESSED_POWER.start,
    )


def load(engine: Engine, table: str, dataset: Dataset, sources: Sequence[Source]) -> None:
    """The sound rows of a dataset as a table."""
    columns = {column.name: "VARCHAR" if column.kind is Kind.TEXT else "BIGINT" for column in dataset.columns}
    engine.run(f"CREATE TABLE {table} ({', '.join(f'{name} {kind}' for name, kind in columns.items())})")
    if sources:
        engine.run(f"INSERT INTO {table} {read_sound(sources, tuple(columns))}")


def load_agencies(engine: Engine, sources: Sequence[Source]) -> None:
    """The agencies, equal rows once. Raises AgenciesUnsound when two rows of one agency differ."""
    load(engine, "agency_rows", Dataset.AGENCIES, sources)
    engine.run("CREATE TABLE agencies AS SELECT DISTINCT * FROM agency_rows")
    differing = engine.rows("SELECT agency_id FROM agencies GROUP BY agency_id HAVING count(*) > 1 ORDER BY agency_id")
    if differing:
        agency_id = differing[0][0]
        places = [
            f"{source.key}, row {source.rows[index]}"
            for source in sources
            for (index,) in engine.rows(
                select(
                    ("file_row_number",),
                    nested(read_all([source], ("agency_id", "file_row_number"))),
                    f"agency_id = {literal(agency_id)}",
                    "1",
                )
            )
        ]
        raise AgenciesUnsound(
            f"agency {agency_id} has rows that differ ({'; '.join(places)}), and so have {len(differing) - 1} other "
            "agencies; expected equal rows, or one. Have the agencies extract corrected and written again."
        )


def show_orders(engine: Engine, sources: Sequence[Source]) -> None:
    """The sound rows of all orders as a view: they are read where they are."""
    columns = ("creator_id", "pay_time", "pay_amount", "risk_tag")
    types = ("VARCHAR", "BIGINT", "BIGINT", "VARCHAR")
    none = (
        "SELECT " + ", ".join(f"CAST(NULL AS {t}) AS {c}" for c, t in zip(columns, types, strict=True)) + " WHERE FALSE"
    )
    engine.run(f"CREATE VIEW orders AS {read_sound(sources, columns) if sources else none}")


def load_repeated(engine: Engine, sources: Sequence[Source], repeats: Repeats) -> None:
    """The orders whose order_id may be there more than once, as a table."""
    load(engine, "repeated_orders", Dataset.ORDERS, ())
    if not repeats.settle():
        return
    start = 0
    names = [column.name for column in Dataset.ORDERS.columns]
    for source in sources:
        rows = np.setdiff1d(repeats.rows(start, len(source.rows)), source.bad, assume_unique=True)
        start += len(source.rows)
        if rows.size:
            engine.table("candidates", {"file_row_number": rows})
            some = read_all([source], (*names, "file_row_number"))
            among = "file_row_number IN (SELECT file_row_number FROM candidates)"
            engine.run(f"INSERT INTO repeated_orders {select(names, nested(some), among)}")


@contextmanager
def naming_the_unreadable(engine: Engine, sources: Mapping[Dataset, Sequence[Source]]) -> Iterator[None]:
    """What can't be read in a query over many objects, is looked for object by object: ObjectUnsound names it."""
    try:
        yield
    except EngineRefused:
        for dataset, of in sources.items():
            for source in of:
                try:
                    names = tuple(column.name for column in dataset.columns)
                    engine.rows(select((f"max(hash({', '.join(names)}))",), nested(read_all([source], names))))
                except EngineRefused as error:
                    raise ObjectUnsound(
                        f"{source.key}: the object can't be read ({error}). Have it written again."
                    ) from error
        raise


class DuckDB:
    """DuckDB as the engine: in memory up to a limit, on disk beyond it."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def run(self, sql: str) -> None:
        with _translated():
            self._connection.execute(sql)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with _translated():
            return self._connection.execute(sql).fetchall()

    def arrays(self, sql: str) -> dict[str, npt.NDArray[Any]]:
        with _translated():
            return {name: np.asarray(values) for name, values in self._connection.execute(sql).fetchnumpy().items()}

    def table(self, name: str, columns: Mapping[str, npt.NDArray[Any]]) -> None:
        self._connection.register(name, dict(columns))


@contextmanager
def open_engine(folder: Path, memory_limit: int) -> Iterator[Engine]:
    """The engine, confined to this machine's files, spilling into ``folder``."""
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{memory_limit // 1024**2}MiB",
        "temp_directory": str(folder / "spill"),
        "max_temp_directory_size": f"{SPILL_LIMIT // 1024**2}MiB",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
    with duckdb.connect(config=settings) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield DuckDB(connection)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise OutOfRoom(
            f"memory or scratch space does not suffice for this month ({_first_line(error)}). Give the function more "
            "memory and ephemeral storage, or have the extract written in a smaller form (Parquet)."
        ) from error
    except duckdb.Error as error:
        raise EngineRefused(_first_line(error)) from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _microseconds(seconds: float) -> int:
    return int(seconds) * 1_000_000
