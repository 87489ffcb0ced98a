"""Runs every measurement: ``python -m bench --orders 5000000``.

Ends with 1 if two ways to the same result disagree. A missed goal is only shown.
"""

from __future__ import annotations

import os
import platform
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench import lookup, measuring, publishing
from bench.compared import CONSOLE, show
from bench.contestants import ours
from bench.months import Form, Months
from local.commandline import Parser, run

MEASURED_WITH = ("duckdb", "numpy", "boto3", "pydantic")
AGENCIES = 100_000
MOST_SKEWED = 3.0  # above it, nearly every order belongs to one creator
MEASURED_ORDERS = 5_000_000  # the month that rating all agencies is compared with


def main() -> int:
    parser = Parser(prog="make bench", description="Speed and memory as ratios to a floor.")
    parser.add_argument("--orders", type=int, default=MEASURED_ORDERS)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--forms", nargs="+", type=Form, choices=list(Form), default=list(Form))
    parser.add_argument("--data", type=Path, help="keep the invented months here; a temporary folder otherwise")
    parser.add_argument("--skew", type=float, default=1.0, help="the s of Zipf's law; 0: all creators alike")
    parser.add_argument("--one-in", type=int, default=200, help="orders for each that repeats another one")
    parser.add_argument("--scattered", action="store_true", help="ids, times and amounts that are hard to compress")
    arguments = parser.parse_args()
    if not 0 <= arguments.skew <= MOST_SKEWED or arguments.one_in < 2:
        parser.error(f"expected a skew from 0 to {MOST_SKEWED}, and one repeat in 2 orders or more")
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        folder = arguments.data or Path(temporary)
        months = Months(folder, arguments.skew, arguments.one_in, scattered=arguments.scattered)
        _measure(months, arguments.forms, arguments.orders, arguments.turns)
    return 0


def _measure(months: Months, forms: list[Form], orders: int, turns: int) -> None:
    CONSOLE.print(
        f"{datetime.now(UTC):%Y-%m-%d}, {_machine()}, {platform.python_implementation()} {platform.python_version()}"
    )
    CONSOLE.print(", ".join(f"{name} {version(name)}" for name in MEASURED_WITH))
    measuring.compare(months, forms, orders, turns)
    measuring.grow(months, orders, turns)
    reference = measuring.run(ours.__name__, months.month(MEASURED_ORDERS, Form.PARQUET))
    publishing.compare_rules(AGENCIES, reference.cpu)
    publishing.compare_staging(turns)
    show("The lookup function", [lookup.cold_start(), *lookup.warm()])


def _machine() -> str:
    models = [line.partition(": ")[2].strip() for line in _cpuinfo() if line.startswith("model name")]
    return f"{models[0] if models else platform.processor()}, {os.cpu_count()} cores, {platform.system()}"


def _cpuinfo() -> list[str]:
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


if __name__ == "__main__":
    run(main)
