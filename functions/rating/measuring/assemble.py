"""The engine's totals as domain values, and the reconciliation: every row of the files is accounted for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from functions.rating.extracts.datasets import Dataset
from functions.rating.measuring.embedded.duckdb_engine import Engine
from functions.rating.measuring.embedded.reading.intake import Taken
from functions.rating.measuring.embedded.sql import select
from functions.rating.measuring.measured import DatasetCounts, MonthMeasured, Reconciliation
from shared.errors import NotReconciled
from shared.levels import ASSESSED_POWER, POWER_LEVELS, Measured, Removed, SlotCounts


class Agency(NamedTuple):
    """A row of the agencies extract; ``joined_at`` in epoch microseconds."""

    agency_id: str
    name: str
    joined_at: int
    city: str | None
    introduction: str | None
    logo_url: str | None


class OrderTotal(NamedTuple):
    """Orders, each counted once, of one holder, one tag and one fate."""

    agency_id: str | None
    known_creator: bool
    in_month: bool
    risk_tag: str | None
    orders: int
    amount: int


class CreatorTotal(NamedTuple):
    """Creators of one holder, power level and tag at the month's last instant."""

    agency_id: str
    power_level: int
    risk_tag: str | None
    creators: int


class Flagged(NamedTuple):
    """Creators or orders that risk control flagged."""

    agency_id: str | None
    risk_tag: str
    number: int
    amount: int


class SlotTotal(NamedTuple):
    """The base and the kept of one agency (rule 10)."""

    agency_id: str
    base: int
    kept: int


def assemble(engine: Engine, taken: Mapping[Dataset, Taken], quarantine: Path | None) -> MonthMeasured:
    """The month as measured. Raises NotReconciled when the rows accounted for are not those in the files."""
    agencies = [Agency(*row) for row in engine.rows(select(Agency._fields, "agencies", order="agency_id"))]
    orders = [OrderTotal(*row) for row in engine.rows(select(OrderTotal._fields, "order_totals"))]
    creators = [CreatorTotal(*row) for row in engine.rows(select(CreatorTotal._fields, "creator_totals"))]
    slots = [SlotTotal(*row) for row in engine.rows(select(SlotTotal._fields, "slot_totals"))]
    known = {agency.agency_id for agency in agencies}
    used = [total for total in orders if total.in_month and total.risk_tag is None and total.agency_id in known]
    excluded = [Flagged(t.agency_id, t.risk_tag, t.orders, t.amount) for t in orders if t.in_month and t.risk_tag]
    has_previous = Dataset.PREVIOUS_CREATORS in taken
    return MonthMeasured(
        agencies=tuple(_measured(agencies, used, creators, excluded, slots if has_previous else None)),
        paid_gmv=sum(total.amount for total in used),
        order_rows=reconcile(engine, taken[Dataset.ORDERS], orders, used),
        datasets={
            Dataset.AGENCIES: _counts(taken[Dataset.AGENCIES], {"repeated": taken[Dataset.AGENCIES].rows - len(known)}),
            Dataset.CREATORS: _counts(taken[Dataset.CREATORS], _binding_counters(engine)),
            Dataset.ORDERS: _counts(taken[Dataset.ORDERS], _order_counters(engine, orders)),
        },
        previous_creators=_counts(taken[Dataset.PREVIOUS_CREATORS], {}) if has_previous else None,
        excluded_creators=_removed(_flagged(creators)),
        excluded_orders=_removed(excluded),
        quarantine=quarantine,
    )


def _measured(
    agencies: Iterable[Agency],
    used: Iterable[OrderTotal],
    creators: Sequence[CreatorTotal],
    excluded: Iterable[Flagged],
    slots: Iterable[SlotTotal] | None,
) -> Iterator[Measured]:
    """Every agency, those of which nothing was found too. ``slots`` is None without the month before."""
    gmv: defaultdict[str | None, int] = defaultdict(int)
    for order in used:
        gmv[order.agency_id] += order.amount
    powers: defaultdict[str, list[int]] = defaultdict(lambda: [0] * len(POWER_LEVELS))
    bound: defaultdict[str, int] = defaultdict(int)
    for held in creators:
        powers[held.agency_id][held.power_level] += held.creators if held.risk_tag is None else 0
        bound[held.agency_id] += held.creators if held.power_level in ASSESSED_POWER else 0
    removed_orders, removed_creators = _by_agency(excluded), _by_agency(_flagged(creators))
    counted = None if slots is None else {slot.agency_id: (slot.base, slot.kept) for slot in slots}
    for agency in agencies:
        agency_id = agency.agency_id
        base, kept = (None, None) if counted is None else counted.get(agency_id, (0, 0))
        yield Measured(
            agency_id=agency_id,
            name=agency.name,
            joined_at=agency.joined_at,
            city=agency.city,
            introduction=agency.introduction,
            logo_url=agency.logo_url,
            creators_by_power=tuple(powers[agency_id]),
            paid_gmv=gmv[agency_id],
            excluded_creators=_removed(removed_creators[agency_id]),
            excluded_orders=_removed(removed_orders[agency_id]),
            slots=SlotCounts(bound[agency_id], base, kept),
        )


def reconcile(engine: Engine, taken: Taken, orders: Sequence[OrderTotal], used: Sequence[OrderTotal]) -> Reconciliation:
    """What became of the order rows. Raises NotReconciled when they are not all there."""
    in_month = [total for total in orders if total.in_month]
    excluded = sum(total.orders for total in in_month if total.risk_tag is not None)
    counted = sum(total.orders for total in used)
    rows = Reconciliation(
        read=taken.rows,
        quarantined=taken.bad,
        duplicate=_repeated(engine, "duplicates"),
        out_of_month=sum(total.orders for total in orders if not total.in_month),
        excluded=excluded,
        unbound=sum(total.orders for total in in_month) - excluded - counted,
        used=counted,
    )
    if rows.read != rows.accounted:
        raise NotReconciled(
            f"orders: {rows.read} rows are in the files, but {rows.accounted} are accounted for ({rows}). Nothing was "
            "published; report this as a defect, with the run's inputs."
        )
    return rows


def _counts(taken: Taken, counters: Mapping[str, int]) -> DatasetCounts:
    return DatasetCounts(taken.rows, dict(sorted(taken.bad_rows.items())), counters)


def _binding_counters(engine: Engine) -> dict[str, int]:
    names = ("repeated", "out_of_month", "overlapping", "unknown_agency")
    return dict(zip(names, engine.rows(select(names, "binding_counts"))[0], strict=True))


def _order_counters(engine: Engine, orders: Iterable[OrderTotal]) -> dict[str, int]:
    unknown = sum(total.orders for total in orders if total.in_month and not total.known_creator)
    return {
        "repeated_ids": _repeated(engine, "repeated_ids"),
        "unknown_creator": unknown,
    }


def _repeated(engine: Engine, what: str) -> int:
    return int(engine.rows(select((f"coalesce(sum({what}), 0)",), "repeat_counts"))[0][0])


def _flagged(creators: Iterable[CreatorTotal]) -> list[Flagged]:
    return [Flagged(t.agency_id, t.risk_tag, t.creators, 0) for t in creators if t.risk_tag]


def _by_agency(totals: Iterable[Flagged]) -> defaultdict[str | None, list[Flagged]]:
    by_agency: defaultdict[str | None, list[Flagged]] = defaultdict(list)
    for total in totals:
        by_agency[total.agency_id].append(total)
    return by_agency


def _removed(totals: Iterable[Flagged]) -> tuple[Removed, ...]:
    """Sums by tag, in the order of the tags."""
    counts: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for total in totals:
        counts[total.risk_tag][0] += total.number
        counts[total.risk_tag][1] += total.amount
    return tuple(Removed(tag, count, amount) for tag, (count, amount) in sorted(counts.items()))
