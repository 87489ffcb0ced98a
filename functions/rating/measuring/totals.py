"""What an engine delivers for a month: plain rows and counts. Pure: no engine's library, no file, no S3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from functions.rating.extracts.datasets import Dataset
from functions.rating.measuring.measured import Cause

EXAMPLES_SHOWN = 3


class Agency(NamedTuple):
    """A row of the agencies extract. ``joined_at`` in epoch microseconds."""

    agency_id: str
    name: str
    joined_at: int
    city: str | None
    introduction: str | None
    logo_url: str | None


class OrderTotal(NamedTuple):
    """Orders, each counted once, with the same agency, tag and outcome. ``amount``: fen.

    ``agency_id``: the creator's agency at the time of payment, None without one.
    """

    agency_id: str | None
    known_creator: bool
    in_month: bool
    risk_tag: str | None
    orders: int
    amount: int


class CreatorTotal(NamedTuple):
    """Creators that an agency had at the month's last instant, by power level and tag."""

    agency_id: str
    power_level: int
    risk_tag: str | None
    creators: int


class SlotTotal(NamedTuple):
    """The base and the kept creators of one agency (rule 10)."""

    agency_id: str
    base: int
    kept: int


class BindingCounts(NamedTuple):
    """Counters of the bindings; DatasetCounts explains them."""

    repeated: int
    out_of_month: int
    overlapping: int
    unknown_agency: int


class Duplicates(NamedTuple):
    """Order rows beyond the first of each order_id, and order ids that have such rows."""

    duplicates: int
    repeated_ids: int


@dataclass(frozen=True, slots=True)
class RowsRead:
    """The rows of one dataset: how many its files have, and how many of those are bad, by reason.

    ``skipped``: lines that are not rows, by kind (``empty_rows``, ``repeated_headers``). ``examples``: for each reason
    the first bad values, with their positions.
    """

    rows: int
    bad: Mapping[str, int]
    skipped: Mapping[str, int] = field(default_factory=dict)
    examples: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MonthTotals:
    """The totals of a month, from an engine.

    ``rows_read``: of each dataset; PREVIOUS_CREATORS may be missing. ``agencies``: equal rows once, by agency_id.
    ``slots``: empty without the month before. ``quarantine``: a ``.csv.gz`` of the bad rows, None without any.
    ``examples``: up to three values, the smallest, for a frequent cause. ``warnings``: faults of the previous month's
    creators. ``engine``: its name, for people.
    """

    rows_read: Mapping[Dataset, RowsRead]
    agencies: Sequence[Agency]
    orders: Sequence[OrderTotal]
    creators: Sequence[CreatorTotal]
    slots: Sequence[SlotTotal]
    bindings: BindingCounts
    duplicates: Duplicates
    quarantine: Path | None
    examples: Mapping[Cause, tuple[str, ...]] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    engine: str | None = None


def is_frequent(rows: int, order_rows: int) -> bool:
    """Whether a cause has so many orders that examples are useful; every month has a few."""
    return 10 * rows > order_rows


def shown_time(microseconds: int, zone: ZoneInfo) -> str:
    """An instant as an example shows it: ISO 8601 in the month's time zone, to the second."""
    return datetime.fromtimestamp(microseconds // 1_000_000, UTC).astimezone(zone).isoformat()


class StillMeasuring(Exception):
    """A distributed engine is running; a later firing continues.

    ``run``: the engine's own id, empty if unknown.
    """

    def __init__(self, month: str, measurement: str, run: str) -> None:
        super().__init__(f"month {month}: measurement {measurement} is being made by run {run or '(another one)'}")
        self.month, self.measurement, self.run = month, measurement, run
