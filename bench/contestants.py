"""Ways to measure a month, each in its own process: ``python -m bench.contestants NAME FOLDER`` prints JSON.

All except the floor return every agency's GMV, which must agree to the fen.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from string import Template
from typing import Any
from zoneinfo import ZoneInfo

import boto3
import duckdb

from bench.agencies import agencies, record_of
from bench.months import MONTH
from bench.peers import peer
from functions.rating.commands.compute import rate_all
from functions.rating.extracts.datasets import Dataset, LocalFile
from functions.rating.extracts.inventory import Extracts, NotReady
from functions.rating.measuring.assemble import assemble
from functions.rating.measuring.embedded.measure import EmbeddedEngine, measure
from functions.rating.measuring.embedded.sql import nested, select
from functions.rating.progress import Progress
from functions.rating.publication.items import items_of
from functions.rating.run.rules import Rules
from local.cloud.embedded import EXTRACTS
from shared.settings import DEFAULT_ZONE, S3Prefix
from tools.docs.example import shipped_rulebook

THREADS = 2
ZONE = ZoneInfo(DEFAULT_ZONE)
BUCKET = S3Prefix.parse(EXTRACTS).bucket
MAX_BAD = Decimal("0.001")
_TEXTS = dict.fromkeys(("order_id", "creator_id", "pay_time", "pay_amount", "risk_tag"), "VARCHAR")
GROUP_BY = Template("""
    WITH once AS (
        SELECT order_id, min(pay_amount) AS pay_amount, min(pay_time) AS pay_time, min(creator_id) AS creator_id
        FROM $orders GROUP BY order_id HAVING count(risk_tag) = 0
    )
    SELECT agency_id, CAST(sum(pay_amount) AS BIGINT) FROM once JOIN $creators USING (creator_id)
    WHERE pay_time >= bind_time AND (unbind_time IS NULL OR pay_time < unbind_time) GROUP BY agency_id
""")

Gmv = Mapping[str, int]


def floor(folder: Path) -> Gmv:
    """The least possible work: decode the needed columns."""
    with _engine() as connection:
        orders = _orders(folder, typed=False)
        columns = (
            "sum(strlen(order_id))",
            "sum(strlen(creator_id))",
            "max(pay_time)",
            "max(pay_amount)",
            "max(risk_tag)",
        )
        connection.execute(select(columns, orders)).fetchall()
    return {}


def ours(folder: Path) -> Gmv:
    """The rating function's measurement, with every check."""
    files = [
        LocalFile(dataset, path.name, path)
        for dataset in (Dataset.AGENCIES, Dataset.CREATORS, Dataset.ORDERS)
        for path in sorted((folder / dataset).iterdir())
    ]
    with tempfile.TemporaryDirectory() as scratch:
        measured = assemble(measure(files, MONTH, ZONE, MAX_BAD, Path(scratch)))
    return {agency.agency_id: agency.paid_gmv for agency in measured.agencies}


def ours_from_s3(folder: Path) -> Gmv:
    """The same from S3, with the scratch space that the template gives."""
    with tempfile.TemporaryDirectory() as scratch:
        location, s3 = S3Prefix(BUCKET, folder.name), boto3.client("s3")
        inventory = Extracts(s3, location).find(MONTH)
        if isinstance(inventory, NotReady):
            raise SystemExit(f"{location} lacks {inventory.missing}")
        engine = EmbeddedEngine(s3, BUCKET, ZONE, Path(scratch))
        measured = assemble(engine.measure(inventory, MAX_BAD, Progress()))
    return {agency.agency_id: agency.paid_gmv for agency in measured.agencies}


def duckdb_group_by(folder: Path) -> Gmv:
    """The query that a user would write."""
    with _engine() as connection:
        query = GROUP_BY.substitute(orders=_orders(folder, typed=True), creators=f"'{folder}/creators/*.parquet'")
        return dict(connection.execute(query).fetchall())


def polars(folder: Path) -> Gmv:
    pl = peer("polars")
    once = (
        pl.scan_parquet(folder / "orders" / "*.parquet")
        .group_by("order_id")
        .agg(
            pl.col("pay_amount", "pay_time", "creator_id").min(),
            pl.col("risk_tag").is_not_null().any().alias("flagged"),
        )
        .filter(~pl.col("flagged"))
    )
    held = once.join(pl.scan_parquet(folder / "creators" / "*.parquet"), on="creator_id").filter(
        (pl.col("pay_time") >= pl.col("bind_time"))
        & (pl.col("unbind_time").is_null() | (pl.col("pay_time") < pl.col("unbind_time")))
    )
    return dict(held.group_by("agency_id").agg(pl.col("pay_amount").sum()).collect(engine="streaming").iter_rows())


def pandas(folder: Path) -> Gmv:
    pd = peer("pandas")
    # pandas needs pyarrow for Parquet, which is larger than all other packages together: DuckDB reads it for pandas.
    with _engine() as connection:
        orders = pd.DataFrame(connection.execute(select(("*",), _orders(folder, typed=True))).fetchnumpy())
        creators = pd.DataFrame(connection.execute(select(("*",), f"'{folder}/creators/*.parquet'")).fetchnumpy())
    repeated = orders.order_id.duplicated(keep=False)
    once = (
        orders[repeated]
        .groupby("order_id", as_index=False, sort=False)
        .agg({"pay_amount": "min", "pay_time": "min", "creator_id": "min", "risk_tag": "max"})
    )
    orders = pd.concat([orders[~repeated], once])
    held = orders[orders.risk_tag.isna()].merge(creators, on="creator_id")
    held = held[(held.pay_time >= held.bind_time) & (held.unbind_time.isna() | (held.pay_time < held.unbind_time))]
    return {str(agency): int(fen) for agency, fen in held.groupby("agency_id").pay_amount.sum().items()}


def agencies_rated(count: Path) -> Gmv:
    """``count`` agencies, rated, with every item of the run."""
    rules = Rules(shipped_rulebook(MONTH), MONTH, ZONE)
    ratings = rate_all(rules, agencies(int(count.name)), {})
    for _ in items_of(ratings, record_of(len(ratings)), expires_at=0):
        pass
    gc.unfreeze()
    return {}


CONTESTANTS: dict[str, Callable[[Path], Gmv]] = {
    contestant.__name__: contestant
    for contestant in (floor, ours, ours_from_s3, duckdb_group_by, polars, pandas, agencies_rated)
}


def _engine() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": THREADS})


def _orders(folder: Path, *, typed: bool) -> str:
    if list((folder / "orders").glob("*.parquet")):
        return f"read_parquet('{folder}/orders/*.parquet')"
    csv = f"read_csv('{folder}/orders/*.csv.gz', header=true, delim=',', quote='\"', columns={_TEXTS})"
    typing = "* REPLACE (CAST(pay_amount AS BIGINT) AS pay_amount, CAST(pay_time AS TIMESTAMP) AS pay_time)"
    return nested(select((typing,), csv)) if typed else csv


def _measured(contestant: Callable[[Path], Gmv], folder: Path) -> dict[str, Any]:
    os.environ["POLARS_MAX_THREADS"] = str(THREADS)
    wall, cpu = time.perf_counter(), time.process_time()
    gmv = contestant(folder)
    seconds = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    return seconds | {"peak": _peak(), "digest": digest_of(gmv), "total": sum(gmv.values())}


def digest_of(gmv: Gmv) -> str | None:
    """Of what agencies that have any GMV have, None without any."""
    paid = {agency: fen for agency, fen in gmv.items() if fen}
    return sha256(json.dumps(paid, sort_keys=True).encode()).hexdigest() if paid else None


def _peak() -> int:
    """The peak memory of this process in bytes. Linux includes the parent's peak in ru_maxrss, so that is not used."""
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
        return int(status.partition("VmHWM:")[2].split(maxsplit=1)[0]) * 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    print(json.dumps(_measured(CONTESTANTS[sys.argv[1]], Path(sys.argv[2]))))
