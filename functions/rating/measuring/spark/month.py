"""Combines the tasks' results and the SQL's counts into a month's totals, as every engine delivers them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from functions.rating.extracts.datasets import Dataset
from functions.rating.measuring.spark.counting import Counted
from functions.rating.measuring.spark.objects import ObjectCounts, rows_read
from functions.rating.measuring.totals import Agency, MonthTotals


def usable(counts: Sequence[ObjectCounts], dataset: Dataset) -> bool:
    """Whether a dataset exists and all of its objects could be read."""
    return dataset in rows_read(counts)[0]


def month_totals(
    counts: Sequence[ObjectCounts], agencies: Sequence[Agency], counted: Counted, quarantine: Path | None, engine: str
) -> MonthTotals:
    """The month's totals. ``counts``: of every task, those of one object in the order of its rows.

    ``quarantine``: of all objects.
    """
    read, warnings = rows_read(counts)
    return MonthTotals(
        rows_read=read,
        agencies=agencies,
        orders=counted.orders,
        creators=counted.creators,
        slots=counted.slots,
        bindings=counted.bindings,
        duplicates=counted.duplicates,
        quarantine=quarantine,
        examples=counted.examples,
        warnings=tuple(warnings),
        engine=engine,
    )
