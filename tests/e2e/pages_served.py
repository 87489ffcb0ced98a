"""make serve as a process, with the sample and the workbook of a test, for tests of the pages."""

from __future__ import annotations

import csv
import json
import os
import shutil
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from functions.rating.workbook.description import load_description
from functions.rating.workbook.folder import read_folder
from tests.e2e.browser import Visitor
from tests.e2e.conftest import ROOT
from tests.e2e.processes import free_port, running
from tools.workbook.builder import build_workbook

Rows = dict[tuple[str, ...], dict[str, str]]
EXAMPLE = ROOT / "config" / "workbook"


@dataclass(frozen=True)
class Served:
    """A running make serve."""

    url: str
    workbook: Path

    def get(self, path: str, **headers: str) -> Any:
        request = urllib.request.Request(self.url + path, headers={k.replace("_", "-"): v for k, v in headers.items()})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def rate(self, event: dict[str, Any]) -> Any:
        """The rating function's answer to an event, invoked as the AWS SDK does it."""
        address = f"{self.url}/2015-03-31/functions/rating/invocations"
        request = urllib.request.Request(address, json.dumps(event).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=300) as answer:
            return json.load(answer)

    def endpoint(self) -> str:
        """The endpoint of its embedded AWS."""
        configuration = self.get("/2015-03-31/functions/rating/configuration")
        return str(configuration["Environment"]["Variables"]["AWS_ENDPOINT_URL"])


@contextmanager
def serving(folder: Path, workbook: Path, extracts: Path | None = None) -> Iterator[Served]:
    """make serve with a workbook (a folder of CSV files, or an Excel file) and extracts, by default the sample."""
    port = free_port()
    served = Served(f"http://127.0.0.1:{port}", workbook)
    command = [sys.executable, "-m", "local.serve", "--port", str(port), "--workbook", str(workbook)]
    command += ["--extracts", str(extracts)] if extracts else []

    def answers() -> bool:
        try:
            return bool(served.get("/healthz"))
        except OSError:
            return False

    with running(command, dict(os.environ), ROOT, folder / "log", answers, within=240):
        yield served


def edited(folder: Path, changes: Mapping[str, Rows]) -> Path:
    """The example's workbook as a folder with changed cells: tab -> first cells of a row -> column -> value."""
    shutil.copytree(EXAMPLE, folder)
    for tab, rows in changes.items():
        path = folder / f"{tab}.csv"
        header, *found = csv.reader(path.read_text("utf-8").splitlines())
        for begins, values in rows.items():
            (row,) = [row for row in found if tuple(row[: len(begins)]) == begins]
            for column, value in values.items():
                row[header.index(column)] = value
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header, *found])
    return folder


def as_excel(folder: Path) -> bytes:
    """A workbook's folder as the Excel file that operations would edit, its tabs in English."""
    return build_workbook(load_description(ROOT / "config" / "workbook.json"), read_folder(folder), "en")


def table(visitor: Visitor, heading: str) -> list[list[str]]:
    """The texts of a table's cells, by the id of its heading."""
    rows = visitor.page.locator(f"[aria-labelledby={heading}] tbody tr")
    cells: list[list[str]] = rows.evaluate_all("rows => rows.map(row => [...row.cells].map(c => c.innerText.trim()))")
    return cells


def seen_within_seconds(holds: Callable[[], bool]) -> None:
    """Wait up to 15 seconds until something is true: the API caches the pointer for five seconds, and pages poll."""
    until = time.monotonic() + 15
    while not holds():
        assert time.monotonic() < until, "it did not become true within 15 seconds"
        time.sleep(0.5)
