"""Shows operations' work on a copy of the spreadsheet: break a cell, fix it, lower a threshold, preview."""

from __future__ import annotations

import csv
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console

from local.cloud.system import WORKBOOK, System, schedule_event
from local.demo import show
from local.sample import MONTHS
from shared.errors import WorkbookFaulty

NEWEST = MONTHS[-1]


def rehearse(console: Console, system: System, ladder: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """Run it, and check each expected result."""
    again = system.rate(schedule_event(NEWEST))
    console.print(f"\n再次触发 {NEWEST} fired again: [bold]{again['outcome']}[/]\n")
    yield "the same month again is unchanged", again["outcome"] == "unchanged" and not again["inputs_changed"]
    published = system.get("/v1/publication").json()
    with tempfile.TemporaryDirectory() as folder:
        workbook = Path(shutil.copytree(WORKBOOK, Path(folder) / "workbook"))
        before = set_threshold(workbook, "600,000")
        checked = system.rate({"mode": "check"}, workbook=workbook)
        console.print(show.faults(checked["faults"]))
        yield "the check names the broken cell", [fault["cell"] for fault in checked["faults"]] == ["F8"]
        yield "a month is not rated by a faulty sheet", _refused(system, workbook)
        set_threshold(workbook, before)
        yield "the fixed sheet is valid", system.rate({"mode": "check"}, workbook=workbook)["faults"] == []
        set_threshold(workbook, "400000")
        previewed = system.rate({"month": str(NEWEST), "mode": "preview"}, workbook=workbook)
        console.print(f"\n4 级通道 1 的 GMV 门槛由 {before} 降为 400000 lowered for level 4, channel 1:")
        console.print(show.preview(previewed["preview"], ladder))
    yield "the preview says who would move", bool(previewed["preview"]["movers"])
    yield "the preview publishes nothing", system.get("/v1/publication").json() == published


def set_threshold(workbook: Path, value: str) -> str:
    """Set the GMV threshold of level 4, channel 1. Returns the previous value."""
    path = workbook / "thresholds.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        columns, rows = list(reader.fieldnames or ()), list(reader)
    row = next(r for r in rows if (r["effective_month"], r["level"], r["channel"]) == ("", "4", "1"))
    before, row["paid_gmv"] = row["paid_gmv"], value
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    return before


def _refused(system: System, workbook: Path) -> bool:
    try:
        system.rate({"month": str(NEWEST)}, workbook=workbook)
    except WorkbookFaulty:
        return True
    return False
