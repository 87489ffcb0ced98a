"""Extracts into metrics of every agency: the story of measuring a month, on the analytical engine."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import numpy.typing as npt

from functions.rating.extracts.datasets import Dataset, LocalFile
from functions.rating.garbage import cycle_collection_paused
from functions.rating.measuring.assemble import assemble
from functions.rating.measuring.embedded.duckdb_engine import Engine, EngineRefused
from functions.rating.measuring.embedded.duplicates import Repeats
from functions.rating.measuring.embedded.handover import HandoverBroken, Piece, pieces
from functions.rating.measuring.embedded.reading.intake import refuse_too_many_bad, take_all
from functions.rating.measuring.embedded.reading.read_all import Ingest
from functions.rating.measuring.embedded.reading.sql_cells import padded, trimmed
from functions.rating.measuring.embedded.relations import load_relations, load_repeated, naming_the_unreadable
from functions.rating.measuring.embedded.sql import nested, select
from functions.rating.measuring.measured import OTHER_TAGS, TAGS_NAMED, MonthMeasured
from functions.rating.measuring.quarantine import Quarantine
from shared.errors import OutOfRoom
from shared.levels import ASSESSED_POWER
from shared.months import Month

SQL = {
    name: Template(Path(__file__).with_name(f"{name}.sql").read_text(encoding="utf-8"))
    for name in ("bindings", "orders", "duplicates", "totals")
}
MEMORY_LIMIT = 512 * 1024**2  # enough however often orders are repeated; with more that takes less time
SPILL_LIMIT = 10 * 1024**3
_REPEATED_ROW = 64  # bytes of the limit for each order that may be repeated: half as many suffice to group them
_DENSE_BITS = 20  # of numbers that are grouped by place instead of by hash: some fifty megabytes
_BUSY = 6_000  # creators that are looked up apart: as many as a processor's cache has room for
_LOOKED_AT = 250_000  # orders that tell which creators those are


def measure(
    files: Callable[[], Iterable[LocalFile]],
    month: Month,
    zone: ZoneInfo,
    max_bad_row_share: Decimal,
    scratch: Path,
    *,
    memory_limit: int = MEMORY_LIMIT,
) -> MonthMeasured:
    """What a month's extracts say of every agency, and what became of every row.

    ``files`` are taken in order, each when the one before is done with; all of them once more in the rare case that
    creators are found not to be written as they should. ``scratch``: a folder for working files, which are removed,
    and for the quarantine, which stays. ``memory_limit``: bytes for the engine, which spills to ``scratch`` beyond
    them; what finds repeated orders comes on top, with eight bytes an order until it is done, and four for each that
    may be repeated.

    Raises ObjectUnsound, AgenciesUnsound, TooManyBadRows, NotReconciled, OutOfRoom.
    """
    measured = partial(_measure, month=month, zone=zone, max_bad_row_share=max_bad_row_share, scratch=scratch)
    try:
        return measured(files(), memory_limit=memory_limit, trusting=True)
    except _CreatorsPadded:
        return measured(files(), memory_limit=memory_limit, trusting=False)


class _CreatorsPadded(Exception):
    """What was trusted to be a creator's id has blanks around it, or is none."""


def _measure(
    files: Iterable[LocalFile],
    *,
    month: Month,
    zone: ZoneInfo,
    max_bad_row_share: Decimal,
    scratch: Path,
    memory_limit: int,
    trusting: bool,
) -> MonthMeasured:
    """``trusting``: looks only at the creators of orders that nobody knows. Raises _CreatorsPadded for one of them."""
    with (
        TemporaryDirectory(prefix="measure-", dir=scratch) as work,
        open_engine(Path(work), memory_limit) as engine,
        Quarantine(scratch / "quarantine.csv.gz") as quarantine,
    ):
        repeats = Repeats()
        taken = take_all(files, Ingest(engine, repeats, Path(work), month, zone, trusting=trusting), quarantine)
        refuse_too_many_bad(taken, max_bad_row_share)
        sources = {dataset: of.sources for dataset, of in taken.items()}
        candidates = repeats.rows(at_once=memory_limit // _REPEATED_ROW)
        sql = measuring(month, zone, trusting=trusting)
        with naming_the_unreadable(engine, sources):
            load_relations(engine, sources)
            engine.run(sql["bindings"])
            engine.run(sql["orders"])
            if engine.rows(select(("1",), "order_tallies", "doubtful > 0")):
                raise _CreatorsPadded
            for some in candidates:
                load_repeated(engine, sources.get(Dataset.ORDERS, ()), some, repeats.by_chance())
                engine.run(sql["duplicates"])
            engine.run(sql["totals"])
        with cycle_collection_paused():
            return assemble(engine, taken, quarantine.path if quarantine.rows else None)


def engine_memory(function_memory: int) -> int:
    """The engine's share of the function's memory, in bytes: it is given more than it needs only where there is more.

    The other two thirds are for the numbers of orders, of which an extract that came twice has two for each.
    """
    return max(MEMORY_LIMIT, function_memory // 3)


def measuring(month: Month, zone: ZoneInfo, *, trusting: bool = False) -> Mapping[str, str]:
    """The measuring SQL with the month's bounds. ``trusting``: some texts of orders were not looked at yet."""
    trimmed_tag = f"CASE WHEN {padded('risk_tag')} THEN {trimmed('risk_tag')} ELSE risk_tag END"
    meant = {
        "doubtful_creator": padded("orders.creator_id") if trusting else "FALSE",
        "tag_meant": trimmed_tag if trusting else "risk_tag",
        "looked_at": _LOOKED_AT,
        "most_busy": _BUSY,
        "tags_named": TAGS_NAMED,
        "other_tags": OTHER_TAGS,
        "month_start": _microseconds(month.start(zone).timestamp()),
        "month_end": _microseconds(month.end(zone).timestamp()),
        "assessed_power": ASSESSED_POWER.start,
    }
    return {name: template.substitute(meant) for name, template in SQL.items()}


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

    def pieces(self, sql: str) -> Generator[Piece]:
        with _translated():
            try:
                yield from pieces(self._connection.sql(sql))
            except HandoverBroken:
                self.rows(select(("max(hash(asked))",), f"{nested(sql)} AS asked"))  # fails with the kind of error
                raise

    def table(self, name: str, columns: Mapping[str, npt.NDArray[Any]]) -> None:
        self._connection.register(name, dict(columns))


@contextmanager
def open_engine(folder: Path, memory_limit: int) -> Iterator[Engine]:
    """The engine, confined to this machine's files, spilling into ``folder``."""
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{memory_limit // 1024**2}MiB",
        "temp_directory": str(folder / "spill"),
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "arrow_large_buffer_size": "true",
    }
    with duckdb.connect(config=settings) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        # As a setting of the connection above it would be shown, and not be kept to.
        connection.execute(f"SET max_temp_directory_size = '{SPILL_LIMIT // 1024**2}MiB'")
        connection.execute(f"SET perfect_ht_threshold = {_DENSE_BITS}")
        yield DuckDB(connection)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise OutOfRoom(
            f"memory or scratch space does not suffice for this month ({_first_line(error)}). Nothing was published. "
            "See whether orders were delivered twice, which takes most of it; give the function more memory "
            "(RatingMemory) and ephemeral storage (RatingStorage), or have the extract written as Parquet."
        ) from error
    except (duckdb.Error, HandoverBroken) as error:
        raise EngineRefused(_first_line(error)) from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _microseconds(seconds: float) -> int:
    return int(seconds) * 1_000_000
