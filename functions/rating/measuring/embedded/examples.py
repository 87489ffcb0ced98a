"""Examples of values that count for nothing, where that happens to many rows: what to look for in the extract."""

from __future__ import annotations

from datetime import UTC, datetime
from heapq import nsmallest
from zoneinfo import ZoneInfo

from functions.rating.measuring.embedded.duckdb_engine import DuckDB
from functions.rating.measuring.embedded.sql import nested, select
from functions.rating.measuring.measured import Cause

FREQUENT = 0.1  # of the orders: fewer are in every month, and looking for them costs a pass over all orders
SHOWN = 3


class Examples:
    """Collects the smallest values, so that the same month has the same examples."""

    def __init__(self, engine: DuckDB, zone: ZoneInfo) -> None:
        self._engine = engine
        self._zone = zone
        self._order_ids: set[str] = set()

    def note_duplicates(self) -> None:
        """Before duplicates.sql drops them."""
        smallest = select(("order_id",), "repeated_orders", order=f"order_id LIMIT {SHOWN}")
        self._order_ids.update(order_id for (order_id,) in self._engine.rows(smallest))

    def collect(self, order_rows: int, month_bounds: tuple[int, int]) -> dict[Cause, tuple[str, ...]]:
        """Before totals.sql drops who holds the creators. ``month_bounds``: in epoch microseconds."""
        counted = {
            (known, inside): orders
            for known, inside, orders in self._engine.rows(
                select(("holder <> -1", "holder <> -2", "CAST(sum(orders) AS BIGINT)"), "order_counts GROUP BY ALL")
            )
        }
        outside = sum(orders for (_, inside), orders in counted.items() if not inside)
        unknown = sum(orders for (known, _), orders in counted.items() if not known)
        found = {Cause.DUPLICATE: tuple(nsmallest(SHOWN, self._order_ids))}
        if outside > FREQUENT * order_rows:
            start, end = month_bounds
            test = f"pay_time < {start} OR pay_time >= {end}"
            times = self._engine.rows(select(("pay_time",), "orders", test, f"pay_time LIMIT {SHOWN}"))
            found[Cause.OUT_OF_MONTH] = tuple(self._local(time) for (time,) in times)
        if unknown > FREQUENT * order_rows:
            test = f"creator_id NOT IN {nested(select(('creator_id',), 'numbered_attributions'))}"
            ids = self._engine.rows(select(("DISTINCT creator_id",), "orders", test, f"creator_id LIMIT {SHOWN}"))
            found[Cause.UNKNOWN_CREATOR] = tuple(creator for (creator,) in ids)
        return found

    def _local(self, microseconds: int) -> str:
        return datetime.fromtimestamp(microseconds // 1_000_000, UTC).astimezone(self._zone).isoformat()
