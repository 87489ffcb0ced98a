"""What measuring a month gives: every agency's numbers, and what became of every row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from functions.rating.extracts.datasets import Dataset
from shared.levels import Measured, Removed

TAGS_NAMED = 100  # the most usual tags of a month's creators, and of its orders; so a tag for each order does no harm
OTHER_TAGS = "其他 (other)"


class Cause(StrEnum):
    """Why rows count for nothing, where examples of their values help to see what is wrong."""

    DUPLICATE = "duplicate"
    OUT_OF_MONTH = "out_of_month"
    UNKNOWN_CREATOR = "unknown_creator"
    UNKNOWN_AGENCY = "unknown_agency"


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What became of the order rows: ``read`` is counted from the files, each of the others from what was measured.

    A row is the first that applies of: quarantined (bad), duplicate (repeats an order), out_of_month, excluded
    (flagged), unbound (nobody held the creator, or an unknown agency did), used.
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
    """One dataset: rows in its files, bad ones by reason, and what else is worth knowing.

    Counters of creators: repeated (equal rows beyond the first), out_of_month, overlapping (begins while an earlier
    binding of the creator goes on), unknown_agency. Of orders: repeated_ids, unknown_creator (of the orders of the
    month, each counted once). Of agencies: repeated.
    """

    rows: int
    bad_rows: Mapping[str, int]
    counters: Mapping[str, int]

    @property
    def bad(self) -> int:
        return sum(self.bad_rows.values())


@dataclass(frozen=True, slots=True)
class MonthMeasured:
    """A month's extracts, measured. Money in fen.

    ``agencies``: every agency of the extract, by agency_id. ``excluded_creators`` and ``excluded_orders``: everything
    that risk control flagged, whoever held it, under OTHER_TAGS what has none of the usual tags. ``quarantine``: a
    ``.csv.gz`` of the bad rows, None without any. ``examples``: up to three values for a cause that is frequent.
    ``warnings``: what was wrong with the creators of the month before, which are left out then. ``engine``: what
    measured it.
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
