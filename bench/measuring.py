"""A month measured by every contestant, in turns, each time in a new process; all must agree to the last fen."""

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

MEGABYTE = 1024**2
BYTES_PER_ORDER, BYTES_BESIDE = 8, 512 * MEGABYTE  # the goal for memory

RUNNERS = {
    Form.PARQUET: (floor, ours, ours_from_s3, duckdb_group_by, polars, pandas),
    Form.CSV: (floor, ours, duckdb_group_by),
    Form.UNIQUE: (floor, ours, duckdb_group_by),
}
MOST_ORDERS = {pandas: 10_000_000}  # it takes 400 bytes an order
GOALS = {Form.PARQUET: 4.0, Form.CSV: 3.5, Form.UNIQUE: 3.0}  # how often the floor's CPU time ours may take


class ResultsDiffer(Exception):
    """Two ways to measure the same month disagree: nothing that was timed means anything."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What one process took: seconds and bytes, and the digest of what it found."""

    wall: float
    cpu: float
    peak: int
    digest: str | None
    total: int


def take(contestant: str, argument: object) -> Taken:
    """One contestant, in a process of its own."""
    command = [sys.executable, "-m", "bench.contestants", contestant, str(argument)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    return Taken(**json.loads(done.stdout.splitlines()[-1]))  # before it stand the log lines of stages


def compare(months: Months, forms: Iterable[Form], orders: int, turns: int) -> None:
    """Each form by every contestant. Raises ResultsDiffer."""
    for form in forms:
        runners = [runner for runner in RUNNERS[form] if orders <= MOST_ORDERS.get(runner, orders)]
        month = months.month(orders, form)
        with embedded_aws() as aws:
            aws.enter()
            if ours_from_s3 in runners:
                _upload(month)
            taken = _in_turns([runner.__name__ for runner in runners], month, turns)
        refuse_differing(taken)
        show_rows(
            f"{orders:,} orders, {form.value}: times as multiples of the floor's ({turns} turns, medians)",
            ("", "CPU s", "CPU x", "wall x", "peak MB", "orders/s/core", "goal"),
            [_row(name, of, taken["floor"], orders, form) for name, of in taken.items()],
        )


def grow(months: Months, orders: int, turns: int) -> None:
    """Ours at 1, 4 and 16 times as many orders, files and agencies, with the exponents of time and memory."""
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
        taken = [take(contestant, argument) for _ in range(turns)]
        cpu, peak = median(t.cpu for t in taken), median(t.peak for t in taken)
        medians.append((cpu, peak))
        rows.append((f"{size:,}", f"{cpu:.2f}", f"{peak / MEGABYTE:.0f}"))
    exponents = [exponent(sizes, of) for of in zip(*medians, strict=True)]
    rows.append(("exponent", *(f"{exponent:.2f}" for exponent in exponents)))
    show_rows(f"Growth with {what} ({turns} turns, medians)", (what, "CPU s", "peak MB"), rows)


def exponent(sizes: Iterable[float], values: Iterable[float]) -> float:
    """The k of values ~ sizes ** k that fits best: 1 is linear."""
    return linear_regression([log(size) for size in sizes], [log(value) for value in values]).slope


def _in_turns(names: Sequence[str], month: Path, turns: int) -> dict[str, list[Taken]]:
    taken: dict[str, list[Taken]] = {name: [] for name in names}
    for turn in range(turns):
        for name in names:
            print(f"{month.name}, turn {turn + 1} of {turns}: {name}", file=sys.stderr)
            taken[name].append(take(name, month))
    return taken


def refuse_differing(taken: Mapping[str, Sequence[Taken]]) -> None:
    """Raises ResultsDiffer unless all but the floor found the same."""
    found = {name: {(t.digest, t.total) for t in of} for name, of in taken.items() if name != floor.__name__}
    if len(set.union(*found.values())) != 1:
        raise ResultsDiffer(f"the agencies' GMV differs: {found}")


def _row(name: str, taken: Sequence[Taken], least: Sequence[Taken], orders: int, form: Form) -> tuple[str, ...]:
    cpu = median(t.cpu for t in taken)
    cpu_ratio = median(t.cpu / f.cpu for t, f in zip(taken, least, strict=True))
    wall_ratio = median(t.wall / f.wall for t, f in zip(taken, least, strict=True))
    peak = max(t.peak for t in taken)
    goal = ""
    if name == ours.__name__:
        small = peak <= BYTES_PER_ORDER * orders + BYTES_BESIDE
        fast = cpu_ratio <= GOALS[form]
        goal = f"CPU <= {GOALS[form]} {_verdict(fast)}, memory {_verdict(small)}"
    numbers = (f"{cpu:.2f}", f"{cpu_ratio:.2f}", f"{wall_ratio:.2f}", f"{peak / MEGABYTE:.0f}", f"{orders / cpu:,.0f}")
    return name, *numbers, goal


def _verdict(met: bool) -> str:
    return "met" if met else "MISSED"


def _upload(month: Path) -> None:
    """The month where ours_from_s3 looks for it."""
    s3 = boto3.client("s3")
    for path in sorted(month.glob("*/*")):
        s3.upload_file(str(path), BUCKET, f"{month.name}/{path.parent.name}/month={MONTH}/{path.name}")
    for dataset in month.iterdir():
        if dataset.is_dir():
            s3.put_object(Bucket=BUCKET, Key=f"{month.name}/{dataset.name}/month={MONTH}/_SUCCESS")
