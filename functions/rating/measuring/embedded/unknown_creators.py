"""Corrects orders of unknown creators whose ids have whitespace around them.

Parquet's creator ids are counted as written, because looking for whitespace in every id costs a tenth of a month. An id
with whitespace matches no creator, so orders.sql looks for whitespace only among unknown creators. If it finds any,
this module corrects the relations, and the orders are counted again.
"""

from __future__ import annotations

from array import array
from decimal import Decimal

from functions.rating.extracts.datasets import Dataset
from functions.rating.measuring.embedded.duckdb_engine import DuckDB
from functions.rating.measuring.embedded.reading.missing_creators import TRIMMED_CREATOR, missing_creators, without
from functions.rating.measuring.embedded.reading.rows_read import DatasetRead, refuse_too_many_bad
from functions.rating.measuring.embedded.reading.scan import BAD_TOGETHER
from functions.rating.measuring.embedded.relations import show_orders
from functions.rating.measuring.embedded.sql import select
from functions.rating.measuring.quarantine import Quarantine


def need_trimming(engine: DuckDB) -> bool:
    """Whether an unknown creator of the counted orders has whitespace around its id, or an empty id."""
    return bool(engine.rows(select(("1",), "order_counts", "trim_needed > 0")))


def correct_creators(engine: DuckDB, orders: DatasetRead, quarantine: Quarantine, max_bad_row_share: Decimal) -> None:
    """Put orders without a creator into quarantine, and trim the ids of all others while reading.

    Raises TooManyBadRows as soon as there are too many.
    """
    corrected = []
    for source in orders.sources:
        numbers = array("q")
        for number, key, bad in missing_creators(engine, source):
            quarantine.add(key, [bad])
            orders.note_bad(key, bad)
            numbers.append(number)
            if len(numbers) % BAD_TOGETHER == 0:
                refuse_too_many_bad({Dataset.ORDERS: orders}, max_bad_row_share)
        corrected.append(without(source, numbers))
    refuse_too_many_bad({Dataset.ORDERS: orders}, max_bad_row_share)
    orders.sources = corrected
    engine.run("DROP TABLE order_counts; DROP TABLE tags; DROP TABLE repeat_counts; DROP VIEW orders")
    show_orders(engine, orders.sources, creator=TRIMMED_CREATOR)
