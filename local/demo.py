"""make demo: three months of an invented market rated by the real functions, and looked up through the real API."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from local import show
from local.rehearsal import Row, change_cell, copy_workbook
from local.sample import MONTHS, sample_folder
from local.sample.oddities import EXPECTED
from local.system import WORKBOOK, System, running, schedule_event
from local.watching import watching
from shared.errors import WorkbookFaulty

SHOWN_AGENCY = "A-0325"
ODD_AGENCY = "A-0900"
AWAITING_AGENCY = "A-0343"

Claims = Iterator[tuple[str, bool]]


def main() -> int:
    """Run the demo; 0 only when everything turned out as it has to."""
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False, soft_wrap=False)
    console.print("[bold]机构等级与权益 Agency levels and benefits[/] — 所有数据均为虚构 every number is invented\n")
    with watching(console, "样例数据 sample extracts"):
        extracts = sample_folder()
    with running(extracts) as system:
        results = rate_months(console, system)
        ladder = system.get("/v1/levels").json()
        show_months(console, results, ladder)
        console.print(show.own_view(system.get(f"/v1/agencies/{SHOWN_AGENCY}/level").json(), ladder))
        claims = [*months_are_right(results), *api_is_right(system), *rehearse(console, system, ladder)]
    return verdict(console, claims)


def rate_months(console: Console, system: System) -> list[dict[str, Any]]:
    """Each month rated by the event that its schedule sends, in order."""
    results = []
    for month in MONTHS:
        with watching(console, f"考核 rate {month}") as progress:
            results.append(system.rate(schedule_event(month), progress=progress))
    console.print()
    return results


def show_months(console: Console, results: Sequence[dict[str, Any]], ladder: dict[str, Any]) -> None:
    """The tables of what happened."""
    names = {str(rung["level"]): f"{rung['level']} {rung['name']}" for rung in ladder["levels"]}
    console.print(show.levels_per_month(results, names))
    console.print(show.moves_per_month(results))
    console.print(show.order_rows(results))
    console.print(show.left_out(results))
    console.print(show.stage_seconds(results))


def months_are_right(results: Sequence[dict[str, Any]]) -> Claims:
    """Every month is published, complete, and adds up."""
    for result in results:
        month, levels, orders = result["month"], result["levels"], dict(result["quality"]["order_rows"])
        read = orders.pop("read")
        yield f"{month}: published", result["outcome"] == "published"
        yield f"{month}: every level occurs", all(levels.values())
        yield f"{month}: the levels add up to the agencies", sum(levels.values()) == result["agencies"]
        yield f"{month}: {read:,} order rows, each accounted for once", sum(orders.values()) == read


def api_is_right(system: System) -> Claims:
    """The API answers each audience with what it may see, and the agency known in advance has the known metrics."""
    for month in MONTHS:
        view = system.get(f"/v1/agencies/{ODD_AGENCY}/level?month={month}", ODD_AGENCY).json()
        yield f"{month}: {ODD_AGENCY} has the metrics known in advance", view["metrics"] == EXPECTED
    card = system.get(f"/v1/agencies/{SHOWN_AGENCY}")
    yield "the public card answers 200 and shows no metrics", card.status == 200 and "metrics" not in card.json()
    own = system.get(f"/v1/agencies/{SHOWN_AGENCY}/level", SHOWN_AGENCY)
    yield "the agency's own view answers 200", own.status == 200
    yield "another agency's view answers 403", system.get(f"/v1/agencies/{SHOWN_AGENCY}/level", "A-0001").status == 403
    yield "an unknown agency answers 404", system.get("/v1/agencies/A-9999").status == 404
    awaiting = system.get(f"/v1/agencies/{AWAITING_AGENCY}").json()
    yield "an agency that has just joined is shown as awaiting", awaiting["status"] == "awaiting_first_rating"


def rehearse(console: Console, system: System, ladder: dict[str, Any]) -> Claims:
    """The same month again, and what operations do with the spreadsheet."""
    newest = MONTHS[-1]
    again = system.rate(schedule_event(newest))
    console.print(f"\n再次触发 {newest} fired again: [bold]{again['outcome']}[/]\n")
    yield "the same month again is unchanged", again["outcome"] == "unchanged" and not again["inputs_changed"]
    published = system.get("/v1/publication").json()
    with tempfile.TemporaryDirectory() as folder:
        workbook = copy_workbook(WORKBOOK, Path(folder))
        before = change_cell(workbook, "thresholds", _level_4, "paid_gmv", "600,000")
        checked = system.rate({"mode": "check"}, workbook=workbook)
        console.print(show.faults(checked["faults"]))
        yield "the check names the broken cell", [fault["cell"] for fault in checked["faults"]] == ["F8"]
        yield "a month is not rated by a broken sheet", _refused(system, workbook)
        change_cell(workbook, "thresholds", _level_4, "paid_gmv", before)
        yield "the mended sheet is sound", system.rate({"mode": "check"}, workbook=workbook)["faults"] == []
        change_cell(workbook, "thresholds", _level_4, "paid_gmv", "400000")
        previewed = system.rate({"month": str(newest), "mode": "preview"}, workbook=workbook)
        console.print(f"\n4 级通道 1 的 GMV 门槛由 {before} 降为 400000 lowered for level 4, channel 1:")
        console.print(show.preview(previewed["preview"], ladder))
    yield "the preview says who would move", bool(previewed["preview"]["movers"])
    yield "the preview publishes nothing", system.get("/v1/publication").json() == published


def verdict(console: Console, claims: Sequence[tuple[str, bool]]) -> int:
    """Say of each claim whether it holds."""
    console.print()
    for claim, holds in claims:
        console.print(f"{'[green]✓[/]' if holds else '[bold red]✗[/]'} {claim}")
    return 0 if all(holds for _, holds in claims) else 1


def _level_4(row: Row) -> bool:
    return (row["effective_month"], row["level"], row["channel"]) == ("", "4", "1")


def _refused(system: System, workbook: Path) -> bool:
    try:
        system.rate({"month": str(MONTHS[-1])}, workbook=workbook)
    except WorkbookFaulty:
        return True
    return False


if __name__ == "__main__":
    sys.exit(main())
