"""Measures a month with every contestant, alternately, each in a new process. All must agree to the fen."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log
from pathlib import Path
from statistics import linear_regression, median

import boto3

from bench.compared import show_rows
from bench.contestants import BUCKET, agencies_rated, duckdb_group_by, floor, ours, ours_from_s3, pandas, polars
from bench.months import MONTH, Form, Months
from local.cloud.embedded import embedded_aws
from local.cloud.template import ROOT
from local.commandline import UserMistake

MEGABYTE = 1024**2
PLAIN = (duckdb_group_by, polars)  # queries that a user would write; they check nothing
MANY_ORDERS = 60_000_000

RUNNERS = {
    Form.PARQUET: (floor, ours, ours_from_s3, duckdb_group_by, polars, pandas),
    Form.CSV: (floor, ours, duckdb_group_by),
    Form.UNIQUE: (floor, ours, duckdb_group_by),
}
MOST_ORDERS = {pandas: 10_000_000}  # pandas takes 400 bytes an order


class ResultsDiffer(UserMistake):
    """Two ways to measure the same month disagree, so the times mean nothing."""


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one process: seconds and bytes, and the digest of its result."""

    wall: float
    cpu: float
    peak: int
    digest: str | None
    total: int


def run(contestant: str, argument: object) -> Cost:
    """Run one contestant in its own process."""
    command = [sys.executable, "-m", "bench.contestants", contestant, str(argument)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    return Cost(**json.loads(done.stdout.splitlines()[-1]))  # the lines before it are logs


def compare(months: Months, forms: Iterable[Form], orders: int, turns: int) -> None:
    """Measure each form with every contestant. Raises ResultsDiffer."""
    for form in forms:
        runners = [runner for runner in RUNNERS[form] if orders <= MOST_ORDERS.get(runner, orders)]
        month = months.month(orders, form)
        with embedded_aws() as aws:
            aws.enter()
            if ours_from_s3 in runners:
                upload(month)
            costs = _in_turns([runner.__name__ for runner in runners], month, turns)
        refuse_differing(costs)
        show_rows(
            f"{orders:,} orders, {form.value}: times as multiples of the floor's ({turns} turns, medians)",
            ("", "CPU s", "CPU x", "wall x", "peak MB", "orders/s/core"),
            [_row(name, of, costs["floor"], orders) for name, of in costs.items()],
        )
        if form is Form.PARQUET:
            show_rows("The promise", ("", "ours", "best plain query", ""), promise(costs, orders))


def promise(costs: Mapping[str, Sequence[Cost]], orders: int) -> list[tuple[str, str, str, str]]:
    """Compare ours with the plain query that takes the least CPU time. Goals: less time, and a part of its memory.

    The part is a tenth from sixty million orders on, and a fifth below.
    """
    plain = {runner.__name__ for runner in PLAIN} & costs.keys()
    cpu = {name: median(t.cpu for t in of) for name, of in costs.items()}
    peak = {name: max(t.peak for t in of) for name, of in costs.items()}
    best = min(plain, key=lambda name: cpu[name])
    name, share = ours.__name__, 10 if orders >= MANY_ORDERS else 5
    return [
        ("CPU s", f"{cpu[name]:.2f}", f"{cpu[best]:.2f} ({best})", _verdict(cpu[name] < cpu[best])),
        (
            f"peak MB, at most 1/{share}",
            f"{peak[name] / MEGABYTE:.0f}",
            f"{peak[best] / MEGABYTE:.0f} ({best})",
            _verdict(share * peak[name] <= peak[best]),
        ),
    ]


def grow(months: Months, orders: int, turns: int) -> None:
    """Measure ours with 1, 4 and 16 times as many orders, files and agencies; print the exponents."""
    sizes = [orders // 16, orders // 4, orders]
    _show_growth("orders", sizes, [months.month(size, Form.PARQUET) for size in sizes], ours.__name__, turns)
    files = [1, 10, 100]
    _show_growth(
        "files of one month",
        files,
        [months.month(orders // 4, Form.PARQUET, -(-orders // 4 // count)) for count in files],
        ours.__name__,
        turns,
    )
    agencies = [1_000, 10_000, 100_000]
    _show_growth("agencies rated", agencies, agencies, agencies_rated.__name__, turns)


def _show_growth(what: str, sizes: Sequence[int], arguments: Sequence[object], contestant: str, turns: int) -> None:
    rows: list[tuple[str, ...]] = []
    medians = []
    for size, argument in zip(sizes, arguments, strict=True):
        costs = [run(contestant, argument) for _ in range(turns)]
        cpu, peak = median(t.cpu for t in costs), median(t.peak for t in costs)
        medians.append((cpu, peak))
        rows.append((f"{size:,}", f"{cpu:.2f}", f"{peak / MEGABYTE:.0f}"))
    exponents = [exponent(sizes, of) for of in zip(*medians, strict=True)]
    rows.append(("exponent", *(f"{exponent:.2f}" for exponent in exponents)))
    show_rows(f"Growth with {what} ({turns} turns, medians)", (what, "CPU s", "peak MB"), rows)


def exponent(sizes: Iterable[float], values: Iterable[float]) -> float:
    """The best k for values ~ sizes ** k: 1 is linear."""
    return linear_regression([log(size) for size in sizes], [log(value) for value in values]).slope


def _in_turns(names: Sequence[str], month: Path, turns: int) -> dict[str, list[Cost]]:
    costs: dict[str, list[Cost]] = {name: [] for name in names}
    for turn in range(turns):
        for name in names:
            print(f"{month.name}, turn {turn + 1} of {turns}: {name}", file=sys.stderr)
            costs[name].append(run(name, month))
    return costs


def refuse_differing(costs: Mapping[str, Sequence[Cost]]) -> None:
    """Raises ResultsDiffer unless all contestants except the floor agree."""
    found = {name: {(t.digest, t.total) for t in of} for name, of in costs.items() if name != floor.__name__}
    if len(set.union(*found.values())) != 1:
        raise ResultsDiffer(f"the agencies' GMV differs: {found}")


def _row(name: str, costs: Sequence[Cost], least: Sequence[Cost], orders: int) -> tuple[str, ...]:
    cpu = median(t.cpu for t in costs)
    cpu_ratio = median(t.cpu / f.cpu for t, f in zip(costs, least, strict=True))
    wall_ratio = median(t.wall / f.wall for t, f in zip(costs, least, strict=True))
    peak = max(t.peak for t in costs)
    numbers = (f"{cpu:.2f}", f"{cpu_ratio:.2f}", f"{wall_ratio:.2f}", f"{peak / MEGABYTE:.0f}", f"{orders / cpu:,.0f}")
    return name, *numbers


def _verdict(met: bool) -> str:
    return "met" if met else "MISSED"


def upload(month: Path) -> None:
    """Upload the month for ours_from_s3."""
    s3 = boto3.client("s3")
    for path in sorted(month.glob("*/*")):
        s3.upload_file(str(path), BUCKET, f"{month.name}/{path.parent.name}/month={MONTH}/{path.name}")
    for dataset in month.iterdir():
        if dataset.is_dir():
            s3.put_object(Bucket=BUCKET, Key=f"{month.name}/{dataset.name}/month={MONTH}/_SUCCESS")
