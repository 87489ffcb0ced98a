"""Writes a month of the market as extracts: a mix of Parquet, CSV and csv.gz, with every allowed notation."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from local.sample.agencies import ZONE
from local.sample.oddities import odd_files
from local.sample.world import MarketMonth

_MARKET = Path(__file__).with_name("market.sql")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Each file and its columns. They differ in order, case and type; some files have unknown columns.
_FILES = {
    "agencies": {
        "part-0.parquet": """
            SELECT agency_id, name, CAST(joined_at AS TIMESTAMPTZ) AS joined_at, city, introduction, logo_url
            FROM agencies WHERE part % 3 = 0""",
        "part-1.csv": """
            SELECT logo_url AS LOGO_URL, city AS City, '  ' || name || ' ' AS Name, agency_id AS Agency_ID,
                written(joined_at, style % 6) AS Joined_At, introduction AS Introduction, 'MCN' AS kind
            FROM agencies WHERE part % 3 = 1""",
        "part-2.csv.gz": """
            SELECT agency_id, name, written(joined_at, style % 6) AS joined_at, city, '\\N' AS introduction
            FROM agencies WHERE part % 3 = 2""",
        "part-3-again.csv": """
            SELECT agency_id, name, written(joined_at, 0) AS joined_at, city, introduction, logo_url
            FROM agencies WHERE part % 60 = 0""",
    },
    "creators": {
        "part-0.parquet": """
            SELECT creator_id, agency_id, CAST(bind_time AS TIMESTAMPTZ) AS bind_time,
                CAST(unbind_time AS TIMESTAMPTZ) AS unbind_time, power_level, risk_tag
            FROM creators WHERE part = 0""",
        "part-1.parquet": """
            SELECT risk_tag AS RISK_TAG, CAST(power_level AS BIGINT) AS Power_Level, style AS fans_rank,
                bind_time + INTERVAL 8 HOUR AS bind_time,
                coalesce(epoch_us(unbind_time) // 1000000, 0) AS unbind_time, agency_id, creator_id
            FROM creators WHERE part = 1""",
        "part-2.csv": """
            SELECT agency_id AS Agency_Id, creator_id AS CREATOR_ID, written(bind_time, style) AS Bind_Time,
                power_level AS POWER_LEVEL,
                coalesce(written(unbind_time, style), ['', '0', '\\N'][1 + style % 3]) AS Unbind_Time,
                coalesce(risk_tag, '\\N') AS risk_tag
            FROM creators WHERE part = 2""",
        "part-3.csv.gz": """
            SELECT creator_id, agency_id, written(bind_time, style) AS bind_time,
                written(unbind_time, style) AS unbind_time, power_level, risk_tag, 'live' AS channel
            FROM creators WHERE part = 3""",
    },
    "orders": {
        "part-0.parquet": """
            SELECT order_id, creator_id, CAST(pay_time AS TIMESTAMPTZ) AS pay_time, pay_amount, risk_tag
            FROM orders WHERE part = 0""",
        "part-1.parquet": """
            SELECT risk_tag AS Risk_Tag, CAST(pay_amount AS INTEGER) AS PAY_AMOUNT, style AS coupon_kind,
                pay_time + INTERVAL 8 HOUR AS Pay_Time, creator_id AS Creator_Id, order_id AS ORDER_ID
            FROM orders WHERE part = 1""",
        "part-2.parquet": """
            SELECT order_id, creator_id, epoch_us(pay_time) // 1000000 AS pay_time, pay_amount, risk_tag
            FROM orders WHERE part = 2""",
        "part-3.csv": """
            SELECT written(pay_time, style) AS PAY_TIME, pay_amount AS Pay_Amount, order_id AS Order_ID,
                creator_id AS Creator_ID, coalesce(risk_tag, '\\N') AS Risk_Tag, 0 AS refund_amount
            FROM orders WHERE part = 3""",
        "part-4.csv.gz": """
            SELECT order_id, creator_id, written(pay_time, style) AS pay_time, pay_amount, risk_tag
            FROM orders WHERE part = 4""",
        "part-5-again.csv": """
            SELECT order_id, creator_id, written(pay_time + CASE n % 2000 WHEN 800 THEN INTERVAL 5 MINUTE
                    ELSE INTERVAL 0 MINUTE END, 0) AS pay_time,
                pay_amount + CASE n % 2000 WHEN 400 THEN 500 ELSE 0 END AS pay_amount,
                CASE n % 2000 WHEN 1200 THEN '刷单' ELSE risk_tag END AS risk_tag
            FROM orders WHERE n % 400 = 0""",
    },
}


def write_month(market: MarketMonth, folder: Path) -> None:
    """Write a month's three datasets below ``folder``, each with its ``_SUCCESS``."""
    odd = odd_files(market.month)
    with tempfile.TemporaryDirectory() as scratch, duckdb.connect() as engine:
        _load(engine, market, Path(scratch))
        for dataset, files in _FILES.items():
            of_month = folder / dataset / f"month={market.month}"
            of_month.mkdir(parents=True)
            for name, query in files.items():
                _write(engine.sql(query), of_month / name)
            (of_month / "part-9-odd.csv").write_bytes(odd[dataset])
            (of_month / "_SUCCESS").touch()


def _write(rows: duckdb.DuckDBPyRelation, path: Path) -> None:
    if path.suffix == ".parquet":
        rows.write_parquet(str(path))
    else:
        rows.write_csv(str(path), header=True, compression="gzip" if path.suffix == ".gz" else "none")


def _load(engine: duckdb.DuckDBPyConnection, market: MarketMonth, scratch: Path) -> None:
    _stage(
        engine,
        scratch / "staged_agencies.csv",
        ("agency_id", "name", "city", "introduction", "logo_url", "joined_at"),
        ((a.agency_id, a.name, a.city, a.introduction, a.logo_url, _micros(a.joined_at)) for a in market.agencies),
    )
    _stage(
        engine,
        scratch / "staged_creators.csv",
        ("creator_id", "agency_id", "bind_time", "unbind_time", "power_level", "risk_tag"),
        (
            (b.creator_id, b.agency_id, _micros(b.bind_time), _micros(b.unbind_time), b.power_level, b.risk_tag)
            for b in market.bindings
        ),
    )
    first_order, sellers = 0, []
    for seller in market.sellers:
        sellers.append((seller.creator_id, seller.number, seller.orders, seller.mean, first_order))
        first_order += seller.orders
    _stage(engine, scratch / "staged_sellers.csv", ("creator_id", "number", "orders", "mean", "first_order"), sellers)
    start, end = market.month.start(ZONE), market.month.end(ZONE)
    month = {
        "digits": str(market.month).replace("-", ""),
        "start": _micros(start),
        "seconds": (end - start) // timedelta(seconds=1),
    }
    engine.execute("SET TimeZone = 'UTC'")
    for statement in engine.extract_statements(_MARKET.read_text("utf-8")):
        engine.execute(statement, month if statement.named_parameters else None)


def _stage(
    engine: duckdb.DuckDBPyConnection, path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Load rows as a table of texts with the name of the file, numbered in ``row_number``."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("row_number", *columns))
        writer.writerows((number, *row) for number, row in enumerate(rows))
    staged = engine.read_csv(str(path), header=True, delimiter=",", quotechar='"', escapechar='"', all_varchar=True)
    staged.create(path.stem)


def _micros(instant: datetime | None) -> int | None:
    return None if instant is None else (instant - _EPOCH) // timedelta(microseconds=1)
