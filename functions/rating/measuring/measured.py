"""The measured month: every agency's numbers, and the outcome of every row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from functions.rating.extracts.datasets import Dataset
from shared.levels import Measured, Removed

TAGS_NAMED = 100
"""So many tags are counted one by one, the others together: a different tag on every order does no harm."""
OTHER_TAGS = "其他 (other)"


class Cause(StrEnum):
    """A cause why rows count for nothing, with examples of their values."""

    DUPLICATE = "duplicate"
    OUT_OF_MONTH = "out_of_month"
    UNKNOWN_CREATOR = "unknown_creator"
    UNKNOWN_AGENCY = "unknown_agency"


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The outcome of the order rows. ``read`` is counted from the files, the others from the measurement.

    A row is the first of these that applies: quarantined (bad), duplicate (repeats an order), out_of_month, excluded
    (flagged), unbound (no agency or an unknown one had the creator), used.
    """

    read: int
    quarantined: int
    duplicate: int
    out_of_month: int
    excluded: int
    unbound: int
    used: int

    @property
    def accounted(self) -> int:
        return self.quarantined + self.duplicate + self.out_of_month + self.excluded + self.unbound + self.used


@dataclass(frozen=True, slots=True)
class DatasetCounts:
    """One dataset: rows in its files, bad rows by reason, and further counters.

    Counters of creators: repeated (equal rows beyond the first), out_of_month, overlapping (begins while an earlier
    binding of the creator is open), unknown_agency. Of orders: repeated_ids, unknown_creator (orders of the month, each
    counted once). Of agencies: repeated.
    """

    rows: int
    bad_rows: Mapping[str, int]
    counters: Mapping[str, int]

    @property
    def bad(self) -> int:
        return sum(self.bad_rows.values())


@dataclass(frozen=True, slots=True)
class MonthMeasured:
    """A measured month. Money in fen.

    ``agencies``: every agency of the extract, by agency_id. ``excluded_creators`` and ``excluded_orders``: all flagged
    ones of any agency; rare tags are summed as OTHER_TAGS. ``quarantine``: a ``.csv.gz`` of the bad rows, None without
    any. ``examples``: up to three values for a frequent cause. ``warnings``: faults of the previous month's creators,
    which are then left out. ``engine``: the engine that measured it.
    """

    agencies: tuple[Measured, ...]
    paid_gmv: int
    order_rows: Reconciliation
    datasets: Mapping[Dataset, DatasetCounts]
    previous_creators: DatasetCounts | None
    excluded_creators: tuple[Removed, ...]
    excluded_orders: tuple[Removed, ...]
    quarantine: Path | None
    examples: Mapping[Cause, tuple[str, ...]]
    warnings: tuple[str, ...] = ()
    engine: str | None = None
