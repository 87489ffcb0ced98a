"""Measures a month's extracts with DuckDB in this process, step by step."""

from __future__ import annotations

import shutil
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from functions.rating.extracts.datasets import Dataset, LocalFile
from functions.rating.extracts.download import fetch
from functions.rating.extracts.inventory import Inventory
from functions.rating.garbage import cycle_collection_paused
from functions.rating.measuring.bad_rows import within_share
from functions.rating.measuring.embedded.duckdb_engine import MEMORY_LIMIT, DuckDB, open_engine
from functions.rating.measuring.embedded.duplicates import Repeats
from functions.rating.measuring.embedded.examples import Examples
from functions.rating.measuring.embedded.reading.objects import ObjectReader
from functions.rating.measuring.embedded.reading.rows_read import DatasetRead, read_objects
from functions.rating.measuring.embedded.reading.sql_cells import trimmed_if_needed, untrimmed
from functions.rating.measuring.embedded.relations import load_relations, load_repeated, naming_the_unreadable
from functions.rating.measuring.embedded.sql import select
from functions.rating.measuring.embedded.unknown_creators import correct_creators, need_trimming
from functions.rating.measuring.measured import Cause
from functions.rating.measuring.quarantine import QUARANTINE, Quarantine, first_rows
from functions.rating.measuring.statements import BINDINGS, bounds, meant_by, template
from functions.rating.measuring.totals import (
    Agency,
    BindingCounts,
    CreatorTotal,
    Duplicates,
    MonthTotals,
    OrderTotal,
    SlotTotal,
)
from functions.rating.progress import Progress
from shared.errors import ExtractError
from shared.months import Month

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SQL = {
    "bindings": BINDINGS,
    **{name: template(__package__, name) for name in ("numbered_attributions", "orders", "duplicates", "totals")},
}
ENGINE = "DuckDB"
SCRATCH = 10 * 1024**3  # the largest ephemeral storage of a Lambda function
_REPEATED_ROW = 64  # bytes of the limit per candidate of a repeated order; grouping takes half of that
_HOT = 6_000  # hot creators that have a table of their own, which fits into a processor's cache
_SAMPLE = 250_000  # orders sampled to find the hot creators


@dataclass(frozen=True, slots=True, weakref_slot=True)
class EmbeddedEngine:
    """Measures months in this process, from objects in a bucket.

    ``folder``: for working files; ``scratch``: bytes that it may use there. ``memory_limit``: bytes for DuckDB.
    """

    s3: S3Client
    bucket: str
    zone: ZoneInfo
    folder: Path
    memory_limit: int = MEMORY_LIMIT
    scratch: int = SCRATCH
    int96_is_utc: bool = True

    def measure(self, inventory: Inventory, max_bad_row_share: Decimal, progress: Progress) -> MonthTotals:
        """The month's totals.

        The quarantine file exists as long as this object; if this raises, no file remains. Stops early if there are
        more bad rows than ``max_bad_row_share`` allows; otherwise the share does not change the totals. Raises one
        ExtractError for each cause, with the first bad rows.
        """
        with progress.stage("measure") as facts, ExitStack() as unless_measured:
            folder = Path(mkdtemp(prefix="extracts-", dir=self.folder))
            unless_measured.callback(weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True))
            try:
                with TemporaryDirectory(prefix="objects-", dir=folder) as downloads:
                    files = self._fetched(inventory, Path(downloads), progress)
                    totals = add_up(
                        files,
                        inventory.month,
                        self.zone,
                        max_bad_row_share,
                        folder,
                        memory_limit=self.memory_limit,
                        int96_is_utc=self.int96_is_utc,
                    )
            except ExtractError as error:
                error.quarantine = first_rows(folder / QUARANTINE)
                raise
            facts |= {name: read.rows for name, read in totals.rows_read.items()}
            facts["quarantined"] = sum(sum(read.bad.values()) for read in totals.rows_read.values())
            unless_measured.pop_all()
        return totals

    def _fetched(self, inventory: Inventory, folder: Path, progress: Progress) -> Iterator[LocalFile]:
        objects = inventory.all_objects
        room = min(self.scratch, shutil.disk_usage(folder).free)
        total, done = sum(o.size for o in objects), 0
        for file, size in fetch(self.s3, self.bucket, objects, folder, room):
            progress.advance("measure", done, total)
            yield file
            done += size
        progress.advance("measure", done, total)
        progress.advance("count", 0, None)  # everything is read; the progress of counting is unknown


def measure(
    files: Iterable[LocalFile],
    month: Month,
    zone: ZoneInfo,
    max_bad_row_share: Decimal,
    scratch: Path,
    *,
    memory_limit: int = MEMORY_LIMIT,
    int96_is_utc: bool = True,
) -> MonthTotals:
    """The totals of a month's extracts, within the allowed share of bad rows. Parameters: see ``add_up``.

    If the previous month's creators have too many bad rows, they are left out.
    """
    totals = add_up(
        files, month, zone, max_bad_row_share, scratch, memory_limit=memory_limit, int96_is_utc=int96_is_utc
    )
    return within_share(totals, max_bad_row_share)


def add_up(
    files: Iterable[LocalFile],
    month: Month,
    zone: ZoneInfo,
    max_bad_row_share: Decimal,
    scratch: Path,
    *,
    memory_limit: int = MEMORY_LIMIT,
    int96_is_utc: bool = True,
) -> MonthTotals:
    """The totals of a month's extracts, and the outcome of every row.

    ``files`` are read in order; the next one is requested when the one before is finished. ``scratch``: a folder for
    working files, which are removed, and for the quarantine, which stays. ``memory_limit``: bytes for DuckDB, which
    spills to ``scratch`` above it. Finding duplicates takes eight more bytes per order, and four per candidate.

    Raises ObjectInvalid, AgenciesInvalid, TooManyBadRows, OutOfRoom.
    """
    with (
        TemporaryDirectory(prefix="measure-", dir=scratch) as work,
        open_engine(Path(work), memory_limit) as engine,
        Quarantine(scratch / QUARANTINE) as quarantine,
    ):
        repeats, examples = Repeats(), Examples(engine, zone)
        reader = ObjectReader(engine, repeats.add, Path(work), month, zone, int96_is_utc=int96_is_utc)
        datasets = read_objects(files, reader, quarantine, max_bad_row_share)
        candidates = repeats.rows(at_once=memory_limit // _REPEATED_ROW)
        sql = measuring(month, zone)
        with naming_the_unreadable(engine, datasets):
            load_relations(engine, {dataset: of.sources for dataset, of in datasets.items()})
            engine.run(sql["bindings"])
            engine.run(sql["numbered_attributions"])
            engine.run(sql["orders"])
            if need_trimming(engine):
                correct_creators(engine, datasets[Dataset.ORDERS], quarantine, max_bad_row_share)
                engine.run(sql["orders"])
            for some in candidates:
                load_repeated(engine, datasets[Dataset.ORDERS].sources, some, repeats.by_chance())
                examples.note_duplicates()
                engine.run(sql["duplicates"])
            shown = examples.collect(datasets[Dataset.ORDERS].rows, bounds(month, zone))
            engine.run(sql["totals"])
        path = quarantine.path if quarantine.rows else None
        return _totals(engine, datasets, path, shown, sorted(reader.warnings))


def engine_memory(function_memory: int) -> int:
    """DuckDB's part of the function's memory, in bytes: a third, and at least 512 MB.

    The rest is for the numbers of orders; an extract that was delivered twice has two for each order.
    """
    return max(MEMORY_LIMIT, function_memory // 3)


def measuring(month: Month, zone: ZoneInfo) -> Mapping[str, str]:
    """The measuring SQL with the month's bounds."""
    meant = {
        **meant_by(month, zone),
        "trim_needed": untrimmed("orders.creator_id"),
        "trimmed_tag": trimmed_if_needed("risk_tag"),
        "sampled_orders": _SAMPLE,
        "hot_creators": _HOT,
    }
    return {name: template.substitute(meant) for name, template in SQL.items()}


def _totals(
    engine: DuckDB,
    datasets: Mapping[Dataset, DatasetRead],
    quarantine: Path | None,
    examples: Mapping[Cause, tuple[str, ...]],
    warnings: Sequence[str],
) -> MonthTotals:
    def rows(fields: Sequence[str], table: str, order: str | None = None) -> list[tuple[Any, ...]]:
        return engine.rows(select(fields, table, order=order))

    with cycle_collection_paused():
        return MonthTotals(
            rows_read={dataset: of.counted() for dataset, of in datasets.items()},
            agencies=[Agency(*row) for row in rows(Agency._fields, "agencies", "agency_id")],
            orders=[OrderTotal(*row) for row in rows(OrderTotal._fields, "order_totals")],
            creators=[CreatorTotal(*row) for row in rows(CreatorTotal._fields, "creator_totals")],
            slots=[SlotTotal(*row) for row in rows(SlotTotal._fields, "slot_totals")],
            bindings=BindingCounts(*rows(BindingCounts._fields, "binding_counts")[0]),
            duplicates=Duplicates(*rows(Duplicates._fields, "duplicates")[0]),
            quarantine=quarantine,
            examples=examples,
            warnings=tuple(warnings),
            engine=ENGINE,
        )
