"""Collects examples of values when many rows count for nothing: they show what to look for in the extract."""

from __future__ import annotations

from heapq import nsmallest
from zoneinfo import ZoneInfo

from functions.rating.measuring.embedded.duckdb_engine import DuckDB
from functions.rating.measuring.embedded.sql import nested, select
from functions.rating.measuring.measured import Cause
from functions.rating.measuring.totals import EXAMPLES_SHOWN, is_frequent, shown_time


class Examples:
    """Collects the smallest values, so that the same month always has the same examples."""

    def __init__(self, engine: DuckDB, zone: ZoneInfo) -> None:
        self._engine = engine
        self._zone = zone
        self._order_ids: set[str] = set()

    def note_duplicates(self) -> None:
        """Collect repeated order ids. Call it before duplicates.sql drops them."""
        repeated = "repeated_orders GROUP BY order_id HAVING count(*) > 1"
        smallest = select(("order_id",), repeated, order=f"order_id LIMIT {EXAMPLES_SHOWN}")
        self._order_ids.update(order_id for (order_id,) in self._engine.rows(smallest))

    def collect(self, order_rows: int, month_bounds: tuple[int, int]) -> dict[Cause, tuple[str, ...]]:
        """Collect the others. Call it before totals.sql drops the attribution. ``month_bounds``: epoch microseconds."""
        counted = {
            (known, inside): orders
            for known, inside, orders in self._engine.rows(
                select(
                    ("agency_number <> -1", "agency_number <> -2", "CAST(sum(orders) AS BIGINT)"),
                    "order_counts GROUP BY ALL",
                )
            )
        }
        outside = sum(orders for (_, inside), orders in counted.items() if not inside)
        unknown = sum(orders for (known, _), orders in counted.items() if not known)
        [(duplicates,)] = self._engine.rows(select(("coalesce(sum(duplicates), 0)",), "repeat_counts"))
        found = {}
        if is_frequent(duplicates, order_rows):
            found[Cause.DUPLICATE] = tuple(nsmallest(EXAMPLES_SHOWN, self._order_ids))
        if is_frequent(outside, order_rows):
            start, end = month_bounds
            test = f"pay_time < {start} OR pay_time >= {end}"
            times = self._engine.rows(select(("pay_time",), "orders", test, f"pay_time LIMIT {EXAMPLES_SHOWN}"))
            found[Cause.OUT_OF_MONTH] = tuple(shown_time(time, self._zone) for (time,) in times)
        if is_frequent(unknown, order_rows):
            test = f"creator_id NOT IN {nested(select(('creator_id',), 'numbered_attributions'))}"
            ids = self._engine.rows(
                select(("DISTINCT creator_id",), "orders", test, f"creator_id LIMIT {EXAMPLES_SHOWN}")
            )
            found[Cause.UNKNOWN_CREATOR] = tuple(creator for (creator,) in ids)
        return found
