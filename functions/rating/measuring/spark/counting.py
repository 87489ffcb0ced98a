"""Counts what needs all rows, in plain SQL over the relations: attribution, repeats, totals.

Spark runs it. DuckDB runs it in tests, which need no Java then.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from functions.rating.measuring.embedded.sql import nested, select
from functions.rating.measuring.measured import Cause
from functions.rating.measuring.statements import BINDINGS, bounds, meant_by, statements, template
from functions.rating.measuring.totals import (
    EXAMPLES_SHOWN,
    BindingCounts,
    CreatorTotal,
    Duplicates,
    OrderTotal,
    SlotTotal,
    is_frequent,
    shown_time,
)
from shared.months import Month

SQL = {"bindings": BINDINGS, "orders": template(__package__, "orders")}
BROADCAST = "/*+ BROADCAST(attributions) */"
MOST_TO_BROADCAST = 5_000_000  # bindings; about 500 MB in the memory of each worker


class Sql(Protocol):
    """An engine with the relations agencies, bindings, previous_bindings and orders."""

    def run(self, sql: str) -> None:
        """Execute one statement."""

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A month's totals that depend on more than one row, as MonthTotals has them."""

    orders: list[OrderTotal]
    creators: list[CreatorTotal]
    slots: list[SlotTotal]
    bindings: BindingCounts
    duplicates: Duplicates
    examples: Mapping[Cause, tuple[str, ...]]


def count(engine: Sql, month: Month, zone: ZoneInfo, *, order_rows: int, binding_rows: int) -> Counted:
    """Count a month.

    ``order_rows``: rows in the files, with the bad ones. ``binding_rows``: rows of the creators, at least.
    """
    meant = {**meant_by(month, zone), "broadcast": BROADCAST if binding_rows <= MOST_TO_BROADCAST else ""}
    for sql in SQL.values():
        for statement in statements(sql.substitute(meant)):
            engine.run(statement)
    found = engine.rows(select((*OrderTotal._fields, "copies", "repeated_ids"), "order_totals"))
    orders = [OrderTotal(row[0], row[1], row[2], row[3], int(row[4]), int(row[5])) for row in found]
    rows, repeated_ids = (sum(int(row[index]) for row in found) for index in (6, 7))
    duplicates = Duplicates(rows - sum(total.orders for total in orders), repeated_ids)
    causes = {
        Cause.DUPLICATE: duplicates.duplicates,
        Cause.OUT_OF_MONTH: sum(total.orders for total in orders if not total.in_month),
        Cause.UNKNOWN_CREATOR: sum(total.orders for total in orders if not total.known_creator),
    }
    return Counted(
        orders,
        [CreatorTotal(*row) for row in engine.rows(select(CreatorTotal._fields, "creator_totals"))],
        [SlotTotal(*row) for row in engine.rows(select(SlotTotal._fields, "slot_totals"))],
        BindingCounts(*map(int, engine.rows(select(BindingCounts._fields, "binding_counts"))[0])),
        duplicates,
        _examples(
            engine, month, zone, {cause: rows for cause, rows in causes.items() if is_frequent(rows, order_rows)}
        ),
    )


def _examples(engine: Sql, month: Month, zone: ZoneInfo, frequent: Collection[Cause]) -> dict[Cause, tuple[str, ...]]:
    """The smallest values of frequent causes only: finding them costs another pass over the orders."""
    start, end = bounds(month, zone)
    found = {}
    if Cause.DUPLICATE in frequent:
        found[Cause.DUPLICATE] = _first(engine, "order_id", "counted_orders", "copies > 1")
    if Cause.OUT_OF_MONTH in frequent:
        outside = f"pay_time < {start} OR pay_time >= {end}"
        times = engine.rows(select(("pay_time",), "orders", outside, f"pay_time LIMIT {EXAMPLES_SHOWN}"))
        found[Cause.OUT_OF_MONTH] = tuple(shown_time(time, zone) for (time,) in times)
    if Cause.UNKNOWN_CREATOR in frequent:
        known = nested(select(("creator_id",), "attributions"))
        found[Cause.UNKNOWN_CREATOR] = _first(engine, "creator_id", "orders", f"creator_id NOT IN {known}")
    return found


def _first(engine: Sql, column: str, table: str, where: str) -> tuple[str, ...]:
    query = select((f"DISTINCT {column}",), table, where, f"{column} LIMIT {EXAMPLES_SHOWN}")
    return tuple(value for (value,) in engine.rows(query))
