"""The rules of measuring a second time, as plain loops over rows: tests compare the engines with it.

Written from the contract alone, and slow. It shares nothing with the tested code except the values of the result.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from shared.levels import Measured, Removed, SlotCounts

Row = Mapping[str, str | None]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TIME = re.compile(
    r"(\d{4})[-/](\d\d?)[-/](\d\d?)"
    r"(?:(?:[Tt]| +)(\d\d?):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?"
    r"(?: ?(?:([Zz]|UTC|GMT)|(?:UTC|GMT)?([+-])(\d\d):?(\d\d)?|([A-Z][A-Za-z_]+/[A-Za-z_]+)))?)?",
    re.ASCII,
)
WHOLE = re.compile(r"(-?[0-9]+)(?:\.0*)?", re.ASCII)
YEAR_2000 = 946_684_800
OPEN_END = re.compile(r"0000[-/]00[-/]00(?:[ T]00:00:00(?:\.0+)?)?|null|none|nan|nat|<na>", re.ASCII | re.IGNORECASE)


class Unreadable(Exception):
    """A cell has no value of its column's type."""


@dataclass(frozen=True)
class Binding:
    creator_id: str
    agency_id: str
    start: int
    end: int | None
    power: int
    tag: str | None


@dataclass(frozen=True)
class Order:
    order_id: str
    creator_id: str
    paid_at: int
    amount: int
    tag: str | None


@dataclass(frozen=True)
class Expected:
    """The expected result of a month. ``bad``: (dataset, index of the row, reason)."""

    agencies: tuple[Measured, ...]
    paid_gmv: int
    fates: Mapping[str, int]
    excluded_creators: tuple[Removed, ...]
    excluded_orders: tuple[Removed, ...]
    counters: Mapping[str, Mapping[str, int]]
    bad: frozenset[tuple[str, int, str]]


def expect(
    agencies: Sequence[Row],
    creators: Sequence[Row],
    orders: Sequence[Row],
    previous_creators: Sequence[Row] | None,
    start: datetime,
    end: datetime,
    zone: ZoneInfo,
) -> Expected:
    """Measure the month [start, end). The agencies are valid; the others may have bad rows."""
    reader = Reader(zone)
    bindings = reader.bindings("creators", creators)
    before = reader.bindings("previous_creators", previous_creators or [])
    paid = reader.orders(orders)
    month = Month(micros(start), micros(end), bindings)
    known = {text(row["agency_id"]) or "": row for row in agencies}
    counted, duplicates, repeated_ids = once_each(paid)
    fates = Counter(read=len(orders), quarantined=sum(1 for b in reader.bad if b[0] == "orders"), duplicate=duplicates)
    gmv: Counter[str] = Counter()
    removed: list[tuple[str | None, str, int]] = []
    unknown_creator = 0
    for order in counted:
        if not month.start <= order.paid_at < month.end:
            fates["out_of_month"] += 1
            continue
        if all(binding.creator_id != order.creator_id for binding in bindings):
            unknown_creator += 1
        holder = month.holding(order.creator_id, order.paid_at)
        if order.tag is not None:
            fates["excluded"] += 1
            removed.append((holder.agency_id if holder else None, order.tag, order.amount))
        elif holder is None or holder.agency_id not in known:
            fates["unbound"] += 1
        else:
            fates["used"] += 1
            gmv[holder.agency_id] += order.amount
    held = [h for c in sorted({b.creator_id for b in bindings}) if (h := month.holding(c, month.end - 1))]
    base = None if previous_creators is None else slot_base(before, month.start - 1)
    high = {binding.creator_id for binding in bindings if binding.power >= 6}
    return Expected(
        agencies=tuple(
            Measured(
                agency_id=agency_id,
                name=text(row["name"]) or "",
                joined_at=reader.time(text(row["joined_at"]) or ""),
                city=text(row.get("city")),
                introduction=text(row.get("introduction")),
                logo_url=text(row.get("logo_url")),
                creators_by_power=tuple(
                    sum(h.agency_id == agency_id and h.power == power and h.tag is None for h in held)
                    for power in range(8)
                ),
                paid_gmv=gmv[agency_id],
                excluded_creators=by_tag((h.tag, 0) for h in held if h.agency_id == agency_id and h.tag is not None),
                excluded_orders=by_tag((tag, amount) for holder, tag, amount in removed if holder == agency_id),
                slots=SlotCounts(
                    bound=sum(h.agency_id == agency_id and h.power >= 6 for h in held),
                    base=None if base is None else sum(a == agency_id for _, a in base),
                    kept=None if base is None else sum(a == agency_id and c in high for c, a in base),
                ),
            )
            for agency_id, row in sorted(known.items())
        ),
        paid_gmv=sum(gmv.values()),
        fates={
            name: fates[name]
            for name in ("read", "quarantined", "duplicate", "out_of_month", "excluded", "unbound", "used")
        },
        excluded_creators=by_tag((h.tag, 0) for h in held if h.tag is not None),
        excluded_orders=by_tag((tag, amount) for _, tag, amount in removed),
        counters={
            "agencies": {"repeated": len(agencies) - len(known)},
            "creators": binding_counters(bindings, month, known),
            "orders": {"repeated_ids": repeated_ids, "unknown_creator": unknown_creator},
        },
        bad=frozenset(reader.bad),
    )


class Month:
    """The attribution of creators, by searching all bindings every time."""

    def __init__(self, start: int, end: int, bindings: Sequence[Binding]) -> None:
        self.start, self.end, self.bindings = start, end, bindings

    def holding(self, creator_id: str, instant: int) -> Binding | None:
        return holder(self.bindings, creator_id, instant)


def holder(bindings: Iterable[Binding], creator_id: str, instant: int) -> Binding | None:
    best: Binding | None = None
    for binding in bindings:
        if binding.creator_id != creator_id or binding.start > instant:
            continue
        if binding.end is not None and binding.end <= instant:
            continue
        if best is None or beats(binding, best):
            best = binding
    return best


def beats(one: Binding, other: Binding) -> bool:
    if one.start != other.start:
        return one.start > other.start
    if one.agency_id != other.agency_id:
        return one.agency_id < other.agency_id
    if one.power != other.power:
        return one.power > other.power
    if (one.tag is None) != (other.tag is None):
        return one.tag is not None
    return one.tag is not None and other.tag is not None and one.tag < other.tag


def once_each(orders: Sequence[Order]) -> tuple[list[Order], int, int]:
    """Each order once, the number of repeated rows, and the number of repeated ids."""
    by_id: dict[str, list[Order]] = {}
    for order in orders:
        by_id.setdefault(order.order_id, []).append(order)
    counted = []
    for rows in by_id.values():
        best = rows[0]
        for row in rows:
            if (row.amount, row.paid_at, row.creator_id) < (best.amount, best.paid_at, best.creator_id):
                best = row
        tags = sorted(row.tag for row in rows if row.tag is not None)
        counted.append(Order(best.order_id, best.creator_id, best.paid_at, best.amount, tags[0] if tags else None))
    return counted, len(orders) - len(by_id), sum(len(rows) > 1 for rows in by_id.values())


def slot_base(bindings: Sequence[Binding], instant: int) -> list[tuple[str, str]]:
    base = []
    for creator_id in sorted({binding.creator_id for binding in bindings}):
        held = holder(bindings, creator_id, instant)
        if held and held.power >= 6 and held.tag is None:
            base.append((creator_id, held.agency_id))
    return base


def binding_counters(bindings: Sequence[Binding], month: Month, known: Mapping[str, Row]) -> dict[str, int]:
    overlapping: set[Binding] = set()
    distinct = sorted(
        set(bindings), key=lambda b: (b.start, b.end is None, b.end or 0, b.agency_id, b.power, b.tag or "")
    )
    for position, binding in enumerate(distinct):
        for earlier in distinct[:position]:
            until = month.end if earlier.end is None else earlier.end
            if earlier.creator_id == binding.creator_id and binding.start < until:
                overlapping.add(binding)
    outside = [b for b in bindings if b.start >= month.end or (b.end is not None and b.end <= month.start)]
    return {
        "repeated": len(bindings) - len(set(bindings)),
        "out_of_month": len(outside),
        "overlapping": len(overlapping),
        "unknown_agency": sum(b.agency_id not in known for b in bindings),
    }


def by_tag(flagged: Iterable[tuple[str | None, int]]) -> tuple[Removed, ...]:
    counts: Counter[str] = Counter()
    amounts: Counter[str] = Counter()
    for tag, amount in flagged:
        assert tag is not None
        counts[tag] += 1
        amounts[tag] += amount
    return tuple(Removed(tag, counts[tag], amounts[tag]) for tag in sorted(counts))


class Reader:
    """Reads cells, and records the rows that it could not read, with reasons."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self.bad: list[tuple[str, int, str]] = []

    def bindings(self, dataset: str, rows: Sequence[Row]) -> list[Binding]:
        found = []
        for index, row in enumerate(rows):
            try:
                found.append(self.binding(row))
            except Unreadable as reason:
                self.bad.append((dataset, index, str(reason)))
        return found

    def binding(self, row: Row) -> Binding:
        creator_id, agency_id = required(row, "creator_id"), required(row, "agency_id")
        start = self.time_of(row, "bind_time")
        end = self.end_of(row)
        if end is not None and end < start:
            raise Unreadable("unbind_before_bind")
        power = whole(row, "power_level")
        if power < 0 or power > 7:
            raise Unreadable("power_level_out_of_range")
        return Binding(creator_id, agency_id, start, end, power, text(row.get("risk_tag")))

    def end_of(self, row: Row) -> int | None:
        cell = text(row.get("unbind_time"))
        if cell is None or OPEN_END.fullmatch(cell) or is_zero(cell):
            return None
        return self.time_of(row, "unbind_time")

    def orders(self, rows: Sequence[Row]) -> list[Order]:
        found = []
        for index, row in enumerate(rows):
            try:
                order_id, creator_id = required(row, "order_id"), required(row, "creator_id")
                paid_at = self.time_of(row, "pay_time")
                found.append(Order(order_id, creator_id, paid_at, amount_of(row), text(row.get("risk_tag"))))
            except Unreadable as reason:
                self.bad.append(("orders", index, str(reason)))
        return found

    def time_of(self, row: Row, column: str) -> int:
        cell = required(row, column)
        if is_zero(cell):
            raise Unreadable(f"missing_{column}")
        try:
            return self.time(cell)
        except (ValueError, OverflowError) as error:
            raise Unreadable(f"unreadable_{column}") from error

    def time(self, cell: str) -> int:
        """Epoch microseconds. Raises ValueError or OverflowError."""
        if number := WHOLE.fullmatch(cell):
            if int(number[1]) < YEAR_2000:
                raise ValueError(cell)
            return micros(EPOCH + timedelta(seconds=int(number[1])))
        match = TIME.fullmatch(cell)
        if match is None:
            raise ValueError(cell)
        year, month, day, hour, minute, second, fraction, utc, sign, hours, minutes, name = match.groups()
        zone: ZoneInfo | timezone = self.zone
        if name and name != self.zone.key:
            raise ValueError(cell)
        if utc:
            zone = UTC
        elif sign:
            if int(hours) > 23 or int(minutes or 0) > 59:
                raise ValueError(cell)
            ahead = timedelta(hours=int(hours), minutes=int(minutes or 0))
            zone = timezone(-ahead if sign == "-" else ahead)
        microsecond = int(((fraction or "") + "000000")[:6])
        local = datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), microsecond, zone
        )
        return micros(local)


def text(cell: str | None) -> str | None:
    stripped = "" if cell is None else cell.strip()
    return None if stripped in ("", "\\N") else stripped


def required(row: Row, column: str) -> str:
    cell = text(row.get(column))
    if cell is None:
        raise Unreadable(f"missing_{column}")
    return cell


def whole(row: Row, column: str) -> int:
    cell = required(row, column)
    number = WHOLE.fullmatch(cell)
    if not number or not -(2**63) <= int(number[1]) < 2**63:
        raise Unreadable(f"unreadable_{column}")
    return int(number[1])


def is_zero(cell: str) -> bool:
    number = WHOLE.fullmatch(cell)
    return number is not None and int(number[1]) == 0


def amount_of(row: Row) -> int:
    amount = whole(row, "pay_amount")
    if amount < 0:
        raise Unreadable("negative_pay_amount")
    return amount


def micros(instant: datetime) -> int:
    return (instant - EPOCH) // timedelta(microseconds=1)
