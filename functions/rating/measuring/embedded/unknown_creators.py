"""Orders of creators that nobody knows, perhaps only because there is whitespace around their ids.

Parquet's creator ids are counted as they are written: looking for whitespace in each of them costs a tenth of a month.
An id with whitespace around it belongs to no creator, so orders.sql looks for it among unknown creators only. Where it
finds any, this corrects what the orders are counted from, and they are counted again.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from functions.rating.measuring.embedded.duckdb_engine import DuckDB
from functions.rating.measuring.embedded.reading.rows_read import DatasetRead
from functions.rating.measuring.embedded.reading.sources import POSITION, Source, of_files
from functions.rating.measuring.embedded.relations import TRIMMED_CREATOR, show_orders
from functions.rating.measuring.embedded.sql import nested, select
from functions.rating.measuring.quarantine import BadRow, Quarantine

REASON = "missing_creator_id"


def need_trimming(engine: DuckDB) -> bool:
    """Whether some unknown creator of the orders just counted has whitespace around its id, or is empty."""
    return bool(engine.rows(select(("1",), "order_counts", "trim_needed > 0")))


def correct_creators(engine: DuckDB, orders: DatasetRead, quarantine: Quarantine) -> None:
    """Put orders without a creator into quarantine, and have the ids of all others trimmed where they are read."""
    orders.sources = [_without_missing(engine, source, orders, quarantine) for source in orders.sources]
    engine.run("DROP TABLE order_counts; DROP TABLE tags; DROP TABLE repeat_counts; DROP VIEW orders")
    show_orders(engine, orders.sources, creator=TRIMMED_CREATOR)


def _without_missing(engine: DuckDB, source: Source, orders: DatasetRead, quarantine: Quarantine) -> Source:
    values = "order_id := order_id, creator_id := creator_id, pay_time := make_timestamp(pay_time)"
    shown = f"to_json(struct_pack({values}, pay_amount := pay_amount, risk_tag := risk_tag))"
    found = select(
        (POSITION[1], f"CAST({shown} AS VARCHAR)"),
        nested(of_files([source.path], source.query)),
        f"{TRIMMED_CREATOR} IS NULL",
        POSITION[1],
    )
    missing = {number: text for number, text in engine.rows(found) if number not in set(source.bad)}
    for number, text in missing.items():
        key, row = source.origin(number)
        quarantine.add(key, [BadRow(row, REASON, text)])
        orders.note_bad(key, BadRow(row, REASON, text))
    return replace(source, bad=np.union1d(source.bad, np.array(list(missing), np.int64)))
