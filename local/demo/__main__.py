"""make demo: three months of an invented market rated by the real functions, and looked up through the real API."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console

from local.cloud.system import System
from local.demo import show
from local.demo.progress import rated_system
from local.demo.rehearsal import rehearse
from local.sample import LOCAL_STATE, MONTHS
from local.sample.oddities import AGENCY as ODD_AGENCY
from local.sample.oddities import EXPECTED

SHOWN_AGENCY = "A-0325"
OVERRIDDEN_AGENCY = "A-0007"  # from the second month on, by the shipped workbook
SHRUNK_AGENCY = "A-0092"
AWAITING_AGENCY = "A-0343"  # the first to join after the last month

Claims = Iterator[tuple[str, bool]]


def main() -> int:
    """Run the demo; 0 only when everything turned out as it has to."""
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    console.print("[bold]机构等级与权益 Agency levels and benefits[/] — 所有数据均为虚构 every number is invented\n")
    with rated_system(console) as (system, results):
        ladder = system.get("/v1/levels").json()
        show_months(console, results, ladder)
        console.print(show.card(system.get(f"/v1/agencies/{SHOWN_AGENCY}").json()))
        console.print(show.own_view(system.get(f"/v1/agencies/{SHOWN_AGENCY}/level", SHOWN_AGENCY).json(), ladder))
        keep_report(console, system, results[-1])
        claims = [*months_are_right(results), *api_is_right(system), *rehearse(console, system, ladder)]
    return verdict(console, claims)


def show_months(console: Console, results: Sequence[dict[str, Any]], ladder: dict[str, Any]) -> None:
    """The tables of what happened."""
    names = {str(rung["level"]): f"{rung['level']} {rung['name']}" for rung in ladder["levels"]}
    console.print(show.levels_per_month(results, names))
    console.print(show.moves_per_month(results))
    console.print(show.order_rows(results))
    console.print(show.left_out(results))
    console.print(show.stage_seconds(results))


def keep_report(console: Console, system: System, result: dict[str, Any]) -> None:
    """Copy the newest month's report to where a browser can open it; the embedded AWS forgets its own."""
    path = LOCAL_STATE / f"report-{result['month']}.html"
    path.write_bytes(system.report(result))
    console.print(f"\n运行报告 The report for operations: {path}")


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
    for month, status in zip(MONTHS, ("rated", "overridden", "overridden"), strict=True):
        view = system.get(f"/v1/agencies/{OVERRIDDEN_AGENCY}/level?month={month}").json()
        yield f"{month}: {OVERRIDDEN_AGENCY} is {status}", view["status"] == status
    card = system.get(f"/v1/agencies/{OVERRIDDEN_AGENCY}").json()
    yield "its card does not tell that its level was set by hand", card["status"] == "rated"
    slots = system.get(f"/v1/agencies/{SHRUNK_AGENCY}/binding-slots").json()
    yield f"{SHRUNK_AGENCY} kept too few creators of power 6 to 7 to bind more of them", slots["allowance"] == 0
    awaiting = system.get(f"/v1/agencies/{AWAITING_AGENCY}").json()
    yield "an agency that has just joined is shown as awaiting", awaiting["status"] == "awaiting_first_rating"


def verdict(console: Console, claims: Sequence[tuple[str, bool]]) -> int:
    """Say of each claim whether it holds."""
    console.print()
    for claim, holds in claims:
        console.print(f"{'[green]✓[/]' if holds else '[bold red]✗[/]'} {claim}")
    return 0 if all(holds for _, holds in claims) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
