"""Finds orders in Parquet objects whose creator_id is only whitespace: bad rows that normal reading does not find.

Checking every id for whitespace costs a tenth of a month, so only unknown ids are checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from functions.rating.measuring.embedded.duckdb_engine import DuckDB
from functions.rating.measuring.embedded.reading.scan import BAD_TOGETHER
from functions.rating.measuring.embedded.reading.sources import POSITION, Source, of_files
from functions.rating.measuring.embedded.reading.sql_cells import trimmed_if_needed
from functions.rating.measuring.embedded.sql import nested, select
from functions.rating.measuring.quarantine import BadRow

TRIMMED_CREATOR = trimmed_if_needed("creator_id")
TRIMMED_TAG = trimmed_if_needed("risk_tag")
_REASON = "missing_creator_id"


def missing_creators(engine: DuckDB, source: Source) -> Iterator[tuple[int, str, BadRow]]:
    """New bad rows: orders without a creator. Yields the row's number in the file, the object and the bad row.

    They are fetched in parts, so that any number of them fits into memory.
    """
    relation = nested(of_files([source.path], source.query))
    numbers = engine.arrays(select((POSITION[1],), relation, f"{TRIMMED_CREATOR} IS NULL"))[POSITION[1]]
    missing = np.setdiff1d(numbers.astype(np.int64), source.bad)
    values = "order_id := order_id, creator_id := creator_id, pay_time := make_timestamp(pay_time)"
    shown = f"to_json(struct_pack({values}, pay_amount := pay_amount, risk_tag := risk_tag))"
    among = f"{POSITION[1]} IN ({select(('number',), 'without_creator')})"
    found = select((POSITION[1], f"CAST({shown} AS VARCHAR)"), relation, among, POSITION[1])
    for start in range(0, missing.size, BAD_TOGETHER):
        engine.table("without_creator", {"number": missing[start : start + BAD_TOGETHER]})
        for number, text in engine.rows(found):
            key, row = source.origin(number)
            yield number, key, BadRow(row, _REASON, text)


def without(source: Source, numbers: Sequence[int]) -> Source:
    """The source with more bad rows."""
    return replace(source, bad=np.union1d(source.bad, np.array(numbers, np.int64)))
