"""Both engines on the same months, from the embedded S3: ``python -m bench.spark --orders 5000000 20000000 60000000``.

Each is a process tree of its own, Java and Python workers with it; both have to find the same GMV. From the slope
follows what much larger months would cost on AWS Glue, which is extrapolated.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import linear_regression
from typing import Any

import boto3

from bench import trees
from bench.compared import CONSOLE, show_rows
from bench.contestants import BUCKET, ZONE, digest_of, ours_from_s3
from bench.measuring import MEGABYTE, ResultsDiffer, upload
from bench.months import MONTH, Form, Months
from functions.rating.extracts.inventory import Extracts, NotReady
from functions.rating.measuring.assemble import assemble
from functions.rating.measuring.measurements import Measurements
from functions.rating.measuring.plan import Plan
from local.cloud import spark
from local.cloud.embedded import embedded_aws
from local.commandline import Parser, UserMistake
from local.commandline import run as run_this
from shared.settings import S3Prefix

REPORTS = S3Prefix("reports", "bench")
WORKERS, PROCESSORS = 10, 4  # of a G.1X worker; one of them is the driver's
DPU_HOUR, START = 0.44, 120  # USD in most regions; seconds that a job takes to start, about
LARGE = (1_000, 10_000)  # million orders


def main() -> int:
    parser = Parser(prog="make bench ENGINE=spark", description="Processor time and memory of both engines.")
    parser.add_argument("--orders", type=int, nargs="+", default=[5_000_000, 20_000_000])
    parser.add_argument("--data", type=Path, help="keep the invented months here; a temporary folder otherwise")
    arguments = parser.parse_args()
    if len(set(arguments.orders)) < 2:
        parser.error("expected at least two sizes: a line has a slope")
    spark.find_java()
    load = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    CONSOLE.print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, load {load} on {os.cpu_count()} processors")
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        months = Months(arguments.data or Path(temporary))
        found = []
        for orders in arguments.orders:
            embedded, job = _both(months.month(orders, Form.PARQUET))
            CONSOLE.print(f"{orders:,}: DuckDB {', '.join(_cells(embedded))}, Spark {', '.join(_cells(job))}")
            found.append((orders, embedded, job))
    show_rows(
        "Both engines, from the embedded S3",
        ("orders", "DuckDB CPU s", "MB", "Spark CPU s", "MB"),
        [(f"{orders:,}", *_cells(embedded), *_cells(job)) for orders, embedded, job in found],
    )
    lines = [line(arguments.orders, [run[which].cpu for run in found]) for which in (1, 2)]
    show_rows(
        "Fixed, and for each million orders",
        ("", "fixed CPU s", "CPU s a million"),
        [
            (name, f"{fixed:.1f}", f"{slope:.2f}")
            for name, (fixed, slope) in zip(("DuckDB", "Spark"), lines, strict=True)
        ],
    )
    show_rows(
        f"Extrapolated: {WORKERS} G.1X workers of Glue, {DPU_HOUR} USD a DPU-hour",
        ("million orders", "CPU h", "minutes", "USD"),
        [extrapolated(*lines[1], millions) for millions in LARGE],
    )
    return 0


def line(orders: Sequence[int], seconds: Sequence[float]) -> tuple[float, float]:
    """What any month takes, and what each million orders takes, in processor seconds."""
    fitted = linear_regression([count / 1e6 for count in orders], seconds)
    return fitted.intercept, fitted.slope


def extrapolated(fixed: float, slope: float, millions: int) -> tuple[str, str, str, str]:
    """What a month would take on Glue: processor hours, minutes by the clock, USD."""
    cpu = fixed + slope * millions
    seconds = cpu / ((WORKERS - 1) * PROCESSORS) + START
    return f"{millions:,}", f"{cpu / 3600:.1f}", f"{seconds / 60:.0f}", f"{WORKERS * seconds / 3600 * DPU_HOUR:.2f}"


def _both(month: Path) -> tuple[trees.Tree, trees.Tree]:
    """What DuckDB takes, and Spark. Raises ResultsDiffer."""
    with embedded_aws() as aws:
        aws.enter()
        upload(month)
        embedded = trees.run([sys.executable, "-m", "bench.contestants", ours_from_s3.__name__, str(month)], {})
        extracts = S3Prefix(BUCKET, month.name)
        inventory = Extracts(boto3.client("s3"), extracts).find(MONTH)
        if isinstance(inventory, NotReady):
            raise UserMistake(f"{extracts} lacks {inventory.missing}")
        with tempfile.TemporaryDirectory() as scratch:
            measurements = Measurements(boto3.client("s3"), REPORTS, Path(scratch))
            plan = Plan.of(inventory, ZONE, int96_is_utc=True)
            measurements.keep_plan(plan)
            asked = ["--plan", f"s3://{REPORTS.bucket}/{measurements.plan_key(plan.id)}", "--extracts", extracts.url()]
            job = trees.run(spark.command(asked), spark.environment(memory="2g", months=spark.LARGE))
            totals = measurements.find(plan.id)
    theirs: dict[str, Any] = json.loads(embedded.said.splitlines()[-1])
    if totals is None or digest_of({a.agency_id: a.paid_gmv for a in assemble(totals).agencies}) != theirs["digest"]:
        raise ResultsDiffer(f"{month.name}: Spark and DuckDB find other GMV")
    return embedded, job


def _cells(tree: trees.Tree) -> tuple[str, str]:
    return f"{tree.cpu:.1f}", f"{tree.peak / MEGABYTE:.0f}"


if __name__ == "__main__":
    run_this(main)
