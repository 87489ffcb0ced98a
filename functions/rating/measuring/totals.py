"""What an engine delivers of a month: plain rows and counts. Pure: no engine's library, no file, no S3."""

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
    """Orders, each counted once, that share agency, tag and fate. ``amount`` in fen.

    ``agency_id``: who held the creator at the time of payment, None for nobody.
    """

    agency_id: str | None
    known_creator: bool
    in_month: bool
    risk_tag: str | None
    orders: int
    amount: int


class CreatorTotal(NamedTuple):
    """Creators that an agency held at the month's last instant, by power level and tag."""

    agency_id: str
    power_level: int
    risk_tag: str | None
    creators: int


class SlotTotal(NamedTuple):
    """The base and the kept of one agency (rule 10)."""

    agency_id: str
    base: int
    kept: int


class BindingCounts(NamedTuple):
    """What is worth knowing of the bindings: DatasetCounts says what each of them means."""

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
    """One dataset's rows: how many its files have, and how many of those are bad, by reason.

    ``skipped``: lines that are no rows, by what they are (``empty_rows``, ``repeated_headers``). ``examples``: for each
    reason the first few bad values, with where they are.
    """

    rows: int
    bad: Mapping[str, int]
    skipped: Mapping[str, int] = field(default_factory=dict)
    examples: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MonthTotals:
    """A month, added up by an engine.

    ``rows_read``: of each dataset that was there; PREVIOUS_CREATORS may be absent. ``agencies``: equal rows once, by
    agency_id. ``slots``: empty without the month before. ``quarantine``: a ``.csv.gz`` of the bad rows, None where
    there are none. ``examples``: up to three values, the smallest, for a cause that is frequent. ``warnings``: what was
    wrong with the creators of the month before. ``engine``: what added it up, for people.
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
    """Whether so many orders count for nothing that examples are worth looking for; a few do in every month."""
    return 10 * rows > order_rows


def shown_time(microseconds: int, zone: ZoneInfo) -> str:
    """An instant as an example shows it: ISO 8601 in the month's time zone, to the second."""
    return datetime.fromtimestamp(microseconds // 1_000_000, UTC).astimezone(zone).isoformat()


class StillMeasuring(Exception):
    """A distributed engine is at work: a later firing goes on. ``run``: the engine's own id, empty where not known."""

    def __init__(self, month: str, measurement: str, run: str) -> None:
        super().__init__(f"month {month}: measurement {measurement} is being made by run {run or '(another one)'}")
        self.month, self.measurement, self.run = month, measurement, run
