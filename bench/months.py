"""Months of invented data, the same at every run: creators by Zipf's law, movers, flags, and 0.5 % repeated orders."""

from __future__ import annotations

import shutil
from enum import StrEnum
from pathlib import Path

import duckdb

from shared.months import Month

MONTH = Month.parse("2026-10")
CHUNK = 1_000_000  # orders in one file
ORDERS_OF_A_CREATOR, CREATORS_OF_AN_AGENCY = 50, 50


class Form(StrEnum):
    """How the orders are written. UNIQUE: as Parquet, and no order id is repeated."""

    PARQUET = "parquet"
    CSV = "csv.gz"
    UNIQUE = "unique"

    @property
    def suffix(self) -> str:
        return "csv.gz" if self is Form.CSV else "parquet"


_AGENCIES = """
    SELECT 'A' || n AS agency_id, '机构 ' || n AS name, '2024-01-01 00:00:00' AS joined_at FROM range({agencies}) t(n)
"""
# Ids of 19 digits, as the platform's are. One creator in twenty moves to another agency on the 11th; one in 97 is
# flagged. Numbers are strewn by multiplication with a prime, so that neighbours have nothing in common.
_CREATORS = """
    WITH numbered AS (
        SELECT CAST(7000000000000000000 + (n * 2654435761) % 100000000003 AS VARCHAR) AS creator_id,
               (n * 2654435761) % {agencies} AS one, (n * 40503 + 7) % {agencies} AS other,
               n % 20 = 0 AS moves, (n * 31) % 8 AS power_level, CASE WHEN n % 97 = 0 THEN '云剪辑' END AS risk_tag
        FROM range({creators}) t(n)
    )
    SELECT creator_id, 'A' || one AS agency_id, TIMESTAMP '2026-01-01 00:00:00' AS bind_time,
           CASE WHEN moves THEN TIMESTAMP '2026-10-11 00:00:00' END AS unbind_time, power_level, risk_tag
    FROM numbered
    UNION ALL
    SELECT creator_id, 'A' || other, TIMESTAMP '2026-10-11 00:00:00', NULL, power_level, risk_tag
    FROM numbered WHERE moves
    ORDER BY creator_id, bind_time
"""
# Creators by Zipf's law: the n-th has about 1/n as many orders as the first.
_ORDERS = """
    WITH numbered AS (
        SELECT i, CASE WHEN {repeated} AND i % 200 = 199 THEN i - 151 ELSE i END AS n FROM range({start}, {stop}) t(i)
    ),
    spread AS (
        SELECT i, n, CAST(floor({creators} ** (((n * 2654435761) % 4294967296) / 4294967296.0)) AS BIGINT) - 1 AS rank
        FROM numbered
    )
    SELECT CAST(7500000000000000000 + n * 1000003 + (n * 40503) % 1000003 AS VARCHAR) AS order_id,
           CAST(7000000000000000000 + (rank * 2654435761) % 100000000003 AS VARCHAR) AS creator_id,
           TIMESTAMP '2026-10-01 00:00:00' + to_seconds((n * 40503) % 2678400) AS pay_time,
           100 + (n * 7919) % 50000 + (i - n) % 3 AS pay_amount,
           CASE WHEN i % 101 = 0 THEN '刷单' END AS risk_tag
    FROM spread
"""


def month_of(folder: Path, orders: int, form: Form, chunk: int = CHUNK) -> Path:
    """A folder with the month's extracts in one form; made when it is not there yet."""
    place = folder / f"{orders}-{form.value}-{chunk}"
    if (place / "complete").exists():
        return place
    shutil.rmtree(place, ignore_errors=True)
    creators = max(1_000, orders // ORDERS_OF_A_CREATOR)
    sizes = {"creators": creators, "agencies": max(20, creators // CREATORS_OF_AN_AGENCY)}
    with duckdb.connect() as connection:
        _write(connection, _AGENCIES.format(**sizes), place / "agencies" / "all.parquet")
        _write(connection, _CREATORS.format(**sizes), place / "creators" / "all.parquet")
        for number, start in enumerate(range(0, orders, chunk)):
            bounds = {"start": start, "stop": min(start + chunk, orders), "repeated": form is not Form.UNIQUE}
            path = place / "orders" / f"part-{number:05d}.{form.suffix}"
            _write(connection, _ORDERS.format(**sizes, **bounds), path)
    (place / "complete").touch()
    return place


def _write(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    form = "FORMAT parquet, COMPRESSION zstd" if path.suffix == ".parquet" else "FORMAT csv, HEADER, COMPRESSION gzip"
    connection.execute(f"COPY ({query}) TO '{path}' ({form})")
