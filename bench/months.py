"""Invented months, the same in every run: creators by Zipf's law, movers, flags and repeated orders."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import duckdb

from shared.months import Month

MONTH = Month.parse("2026-10")
CHUNK = 1_000_000  # orders in one file
ORDERS_OF_A_CREATOR, CREATORS_OF_AN_AGENCY = 50, 50


class Form(StrEnum):
    """The form of the order files. UNIQUE: Parquet without repeated order ids."""

    PARQUET = "parquet"
    CSV = "csv.gz"
    UNIQUE = "unique"

    @property
    def suffix(self) -> str:
        return "csv.gz" if self is Form.CSV else "parquet"


_AGENCIES = """
    SELECT 'A' || n AS agency_id, '机构 ' || n AS name, '2024-01-01 00:00:00' AS joined_at FROM range({agencies}) t(n)
"""
# What each value is made of, from the number of the order or of the creator; ids of 19 digits, as the platform's are.
# RISING: as a database would write them that counts its orders, with a few digits that look like nothing. SCATTERED: no
# digit but the first has anything to do with the neighbours', which makes them hard to compress; ids differ, because
# their two halves are remainders by different primes.
_RISING = {
    "order_id": "7500000000000000000 + n * 1000003 + (n * 40503) % 1000003",
    "creator_id": "7000000000000000000 + (rank * 2654435761) % 100000000003",
    "second": "(n * 40503) % 2678400",
    "fen": "(n * 7919) % 50000",
}
_SCATTERED = {
    "order_id": "7000000000000000000 + (n * 2654435761) % 999999937 * 1000000000 + (n * 1597334677) % 999999929",
    "creator_id": (
        "6000000000000000000 + (rank * 2654435761) % 999999937 * 1000000000 + (rank * 1597334677) % 999999929"
    ),
    "second": "(n * 1597334677) % 999999893 % 2678400",
    "fen": "(n * 2654435761) % 999999883 % 50000",
}
# One creator in twenty moves to another agency on the 11th; one in 97 is flagged.
_CREATORS = """
    WITH numbered AS (
        SELECT CAST({creator_id} AS VARCHAR) AS creator_id,
               (n * 2654435761) % {agencies} AS one, (n * 40503 + 7) % {agencies} AS other,
               n % 20 = 0 AS moves, (n * 31) % 8 AS power_level, CASE WHEN n % 97 = 0 THEN '云剪辑' END AS risk_tag
        FROM (SELECT n, n AS rank FROM range({creators}) t(n))
    )
    SELECT creator_id, 'A' || one AS agency_id, TIMESTAMP '2026-01-01 00:00:00' AS bind_time,
           CASE WHEN moves THEN TIMESTAMP '2026-10-11 00:00:00' END AS unbind_time, power_level, risk_tag
    FROM numbered
    UNION ALL
    SELECT creator_id, 'A' || other, TIMESTAMP '2026-10-11 00:00:00', NULL, power_level, risk_tag
    FROM numbered WHERE moves
    ORDER BY creator_id, bind_time
"""
# A repeat is of an order that is a third of the month away, and two of three differ from it by some fen.
_ORDERS = """
    WITH numbered AS (
        SELECT i, CASE WHEN NOT {repeated} OR i % {one_in} < {one_in} - 1 THEN i
                       WHEN i + {away} < {orders} THEN i + {away} ELSE i - {away} END AS n
        FROM range({start}, {stop}) t(i)
    ),
    spread AS (
        SELECT i, n, ((n * 2654435761) % 4294967296) / 4294967296.0 AS share FROM numbered
    ),
    ranked AS (
        SELECT i, n, CAST(floor({nth}) AS BIGINT) - 1 AS rank FROM spread
    )
    SELECT CAST({order_id} AS VARCHAR) AS order_id,
           CAST({creator_id} AS VARCHAR) AS creator_id,
           TIMESTAMP '2026-10-01 00:00:00' + to_seconds({second}) AS pay_time,
           100 + {fen} + CASE WHEN n <> i THEN i // {one_in} % 3 ELSE 0 END AS pay_amount,
           CASE WHEN i % 101 = 0 THEN '刷单' END AS risk_tag
    FROM ranked
"""


@dataclass(frozen=True, slots=True)
class Months:
    """Where invented months are kept, and what they have in common.

    ``skew``: the s of Zipf's law, by which the n-th creator has 1 / n ** s as many orders as the first; 0 is all alike.
    ``one_in``: how many orders there are for each that repeats another one, at least 2. ``scattered``: all digits look
    like nothing, instead of a few, so that the files are nearly twice as large.
    """

    folder: Path
    skew: float = 1.0
    one_in: int = 200
    scattered: bool = False

    def month(self, orders: int, form: Form, chunk: int = CHUNK) -> Path:
        """A folder with the month's extracts in one form; made when it is not there yet."""
        digits = "scattered" if self.scattered else "rising"
        folder = self.folder / f"{orders}-{form.value}-{chunk}-{self.skew:g}-{self.one_in}-{digits}"
        if (folder / "complete").exists():
            return folder
        shutil.rmtree(folder, ignore_errors=True)
        creators = max(1_000, orders // ORDERS_OF_A_CREATOR)
        values = _SCATTERED if self.scattered else _RISING
        sizes = {"creators": creators, "agencies": max(20, creators // CREATORS_OF_AN_AGENCY)}
        of_orders = {
            "orders": orders,
            "nth": self._nth(creators),
            "repeated": form is not Form.UNIQUE,
            "one_in": self.one_in,
            "away": orders // 3 // self.one_in * self.one_in + 1,
        }
        with duckdb.connect() as connection:
            _write(connection, _AGENCIES.format(**sizes), folder / "agencies" / "all.parquet")
            _write(connection, _CREATORS.format(**sizes, **values), folder / "creators" / "all.parquet")
            for number, start in enumerate(range(0, orders, chunk)):
                query = _ORDERS.format(**of_orders, **values, start=start, stop=min(start + chunk, orders))
                _write(connection, query, folder / "orders" / f"part-{number:05d}.{form.suffix}")
        (folder / "complete").touch()
        return folder

    def _nth(self, creators: int) -> str:
        """SQL for which creator, counted from 1, an order is of: Zipf's law upside down, from a share in 0 to 1."""
        if self.skew == 1:
            return f"{creators} ** share"
        power = 1 - self.skew
        return f"({creators**power - 1} * share + 1) ** {1 / power}"


def _write(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    form = "FORMAT parquet, COMPRESSION zstd" if path.suffix == ".parquet" else "FORMAT csv, HEADER, COMPRESSION gzip"
    connection.execute(f"COPY ({query}) TO '{path}' ({form})")
