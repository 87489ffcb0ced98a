"""Turns totals into the measured month, and reconciles: every row of the files is accounted for. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from functions.rating.extracts.datasets import Dataset
from functions.rating.garbage import cycle_collection_paused
from functions.rating.measuring.measured import Cause, DatasetCounts, MonthMeasured, Reconciliation
from functions.rating.measuring.totals import CreatorTotal, MonthTotals, OrderTotal, RowsRead
from shared.errors import NotReconciled
from shared.levels import ASSESSED_POWER, POWER_LEVELS, Measured, Removed, SlotCounts


class _Flagged(NamedTuple):
    """Creators or orders that risk control flagged."""

    agency_id: str | None
    risk_tag: str
    number: int
    amount: int


def assemble(totals: MonthTotals) -> MonthMeasured:
    """The measured month. Raises NotReconciled if the rows accounted for are not all rows of the files."""
    with cycle_collection_paused():
        return _assemble(totals)


def _assemble(totals: MonthTotals) -> MonthMeasured:
    rows = totals.rows_read
    known = {agency.agency_id for agency in totals.agencies}
    in_month = [total for total in totals.orders if total.in_month]
    used = [total for total in in_month if total.risk_tag is None and total.agency_id in known]
    excluded = [_Flagged(t.agency_id, t.risk_tag, t.orders, t.amount) for t in in_month if t.risk_tag]
    has_previous = Dataset.PREVIOUS_CREATORS in rows
    order_counters = {
        "repeated_ids": totals.duplicates.repeated_ids,
        "unknown_creator": sum(total.orders for total in in_month if not total.known_creator),
    }
    return MonthMeasured(
        agencies=tuple(_measured(totals, used, excluded, has_previous=has_previous)),
        paid_gmv=sum(total.amount for total in used),
        order_rows=reconcile(totals, used),
        datasets={
            Dataset.AGENCIES: _counts(rows[Dataset.AGENCIES], {"repeated": rows[Dataset.AGENCIES].rows - len(known)}),
            Dataset.CREATORS: _counts(rows[Dataset.CREATORS], totals.bindings._asdict()),
            Dataset.ORDERS: _counts(rows[Dataset.ORDERS], order_counters),
        },
        previous_creators=_counts(rows[Dataset.PREVIOUS_CREATORS], {}) if has_previous else None,
        excluded_creators=_removed(_flagged(totals.creators)),
        excluded_orders=_removed(excluded),
        quarantine=totals.quarantine,
        examples=_examples(totals, known),
        warnings=tuple(totals.warnings),
        engine=totals.engine,
    )


def _examples(totals: MonthTotals, known: Collection[str]) -> dict[Cause, tuple[str, ...]]:
    unknown = sorted({total.agency_id for total in totals.creators if total.agency_id not in known})
    return {**totals.examples, Cause.UNKNOWN_AGENCY: tuple(unknown[:3])}


def reconcile(totals: MonthTotals, used: Iterable[OrderTotal]) -> Reconciliation:
    """The outcome of the order rows. Raises NotReconciled if their sum is not the rows of the files."""
    read = totals.rows_read[Dataset.ORDERS]
    in_month = [total for total in totals.orders if total.in_month]
    excluded = sum(total.orders for total in in_month if total.risk_tag is not None)
    counted = sum(total.orders for total in used)
    rows = Reconciliation(
        read=read.rows,
        quarantined=sum(read.bad.values()),
        duplicate=totals.duplicates.duplicates,
        out_of_month=sum(total.orders for total in totals.orders if not total.in_month),
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


def _measured(
    totals: MonthTotals, used: Iterable[OrderTotal], excluded: Iterable[_Flagged], *, has_previous: bool
) -> Iterator[Measured]:
    """The numbers of every agency, also of those without creators and orders."""
    gmv: defaultdict[str | None, int] = defaultdict(int)
    for order in used:
        gmv[order.agency_id] += order.amount
    powers: defaultdict[str, list[int]] = defaultdict(lambda: [0] * len(POWER_LEVELS))
    bound: defaultdict[str, int] = defaultdict(int)
    for total in totals.creators:
        powers[total.agency_id][total.power_level] += total.creators if total.risk_tag is None else 0
        bound[total.agency_id] += total.creators if total.power_level in ASSESSED_POWER else 0
    removed_orders, removed_creators = _by_agency(excluded), _by_agency(_flagged(totals.creators))
    slots = {slot.agency_id: (slot.base, slot.kept) for slot in totals.slots}
    for agency in totals.agencies:
        agency_id = agency.agency_id
        base, kept = slots.get(agency_id, (0, 0)) if has_previous else (None, None)
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


def _counts(read: RowsRead, counters: Mapping[str, int]) -> DatasetCounts:
    return DatasetCounts(read.rows, dict(sorted(read.bad.items())), {**counters, **read.skipped})


def _flagged(creators: Sequence[CreatorTotal]) -> list[_Flagged]:
    return [_Flagged(t.agency_id, t.risk_tag, t.creators, 0) for t in creators if t.risk_tag]


def _by_agency(totals: Iterable[_Flagged]) -> defaultdict[str | None, list[_Flagged]]:
    by_agency: defaultdict[str | None, list[_Flagged]] = defaultdict(list)
    for total in totals:
        by_agency[total.agency_id].append(total)
    return by_agency


def _removed(totals: Iterable[_Flagged]) -> tuple[Removed, ...]:
    """Sums by tag, sorted by tag."""
    counts: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for total in totals:
        counts[total.risk_tag][0] += total.number
        counts[total.risk_tag][1] += total.amount
    return tuple(Removed(tag, count, amount) for tag, (count, amount) in sorted(counts.items()))
