"""Everything that is measured, in one go: ``python -m bench --orders 5000000``.

Ends with 1 when two ways to the same result disagree; a goal that is missed is only shown.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench import lookup, measuring, publishing
from bench.compared import CONSOLE, show
from bench.contestants import ours
from bench.months import Form, month_of

MEASURED_WITH = ("duckdb", "numpy", "boto3", "pydantic")
AGENCIES = 100_000
MEASURED_ORDERS = 5_000_000  # what the rules for all agencies are compared with


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description="Speed and memory as ratios to a floor.")
    parser.add_argument("--orders", type=int, default=MEASURED_ORDERS)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--forms", nargs="+", type=Form, choices=list(Form), default=list(Form))
    parser.add_argument("--data", type=Path, help="keep the invented months here; a temporary folder otherwise")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        try:
            _measure(arguments.data or Path(temporary), arguments.forms, arguments.orders, arguments.turns)
        except measuring.ResultsDiffer as error:
            print(f"bench: {error}", file=sys.stderr)
            return 1
    return 0


def _measure(data: Path, forms: list[Form], orders: int, turns: int) -> None:
    CONSOLE.print(
        f"{datetime.now(UTC):%Y-%m-%d}, {_machine()}, {platform.python_implementation()} {platform.python_version()}"
    )
    CONSOLE.print(", ".join(f"{name} {version(name)}" for name in MEASURED_WITH))
    measuring.compare(data, forms, orders, turns)
    measuring.grow(data, orders, turns)
    reference = measuring.take(ours.__name__, month_of(data, MEASURED_ORDERS, Form.PARQUET))
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
    sys.exit(main())
