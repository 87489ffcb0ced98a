"""make demo: the real functions rate three months of an invented market, and the real API shows the results.

With WORKBOOK=… they are rated by your own rules: an Excel file, or a folder of CSV files.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from functions.rating.workbook.description import load_description
from functions.rating.workbook.on_disk import read_on_disk
from functions.rating.workbook.rulebook import parse
from local.cloud.system import WORKBOOK, System
from local.cloud.template import ROOT
from local.commandline import Parser, UserMistake, run
from local.demo import show
from local.demo.progress import rated_system
from local.demo.rehearsal import rehearse
from local.own_files import check
from local.sample import LOCAL_STATE, MONTHS
from local.sample.oddities import AGENCY as ODD_AGENCY
from local.sample.oddities import EXPECTED
from shared.content import content_id

SHOWN_AGENCY = "A-0325"
OVERRIDDEN_AGENCY = "A-0007"  # from the second month on, by the shipped workbook
SHRUNK_AGENCY = "A-0092"
AWAITING_AGENCY = "A-0343"  # the first to join after the last month

REPORTS = LOCAL_STATE / "demo" / "reports"

Claims = Iterator[tuple[str, bool]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo. Returns 0 only if every check passed."""
    options = _parser().parse_args(arguments)
    workbook, on_spark = options.workbook.resolve(), options.engine == "spark"
    check(None, workbook)
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    console.print("[bold]机构等级与权益 Agency levels and benefits[/] — 所有数据均为虚构 every number is invented\n")
    with rated_system(console, workbook=workbook, on_spark=on_spark) as (system, results):
        if unpublished := [f"{r['month']} {r['outcome']}" for r in results if r["outcome"] != "published"]:
            raise UserMistake(f"months {', '.join(unpublished)}: expected them published; `make serve` shows more")
        ladder = system.get("/v1/levels").json()
        show_months(console, results, ladder)
        console.print(show.card(system.get(f"/v1/agencies/{SHOWN_AGENCY}").json()))
        console.print(show.own_view(system.get(f"/v1/agencies/{SHOWN_AGENCY}/level", SHOWN_AGENCY).json(), ladder))
        report = keep_report(system, results[-1])
        claims = [*months_are_right(results)]
        if on_spark:
            from local.demo.engines import alike  # noqa: PLC0415 - its logger reads the environment, as handlers do

            claims += [(f"{month}: Spark measured what DuckDB measures, to the byte", alike(month)) for month in MONTHS]
        if results[-1]["rulebook"] == shipped_rulebook():
            claims += [*example_is_right(results), *api_is_right(system), *rehearse(console, system, ladder)]
    code = verdict(console, claims)
    what_next(console, report)
    return code


def show_months(console: Console, results: Sequence[dict[str, Any]], ladder: dict[str, Any]) -> None:
    """Print the tables of the results."""
    names = {str(level["level"]): f"{level['level']} {level['name']}" for level in ladder["levels"]}
    console.print(show.levels_per_month(results, names))
    console.print(show.moves_per_month(results))
    console.print(show.order_rows(results))
    console.print(show.left_out(results))
    console.print(show.stage_seconds(results))


def keep_report(system: System, result: dict[str, Any]) -> Path:
    """Copy the reports to a folder for the browser, since the embedded AWS is deleted. Returns the page of a run."""
    system.save_reports(REPORTS)
    report: str = result["report"]
    return REPORTS / report.partition("/runs/")[2]


def what_next(console: Console, report: Path) -> None:
    """Print what you can look at now."""
    console.print("\n[bold]接下来 What next[/]")
    for what, where in (
        ("运行报告 the report for operations", report.as_uri()),
        ("页面与接口 pages and API", "make serve, then http://127.0.0.1:3000/ and http://127.0.0.1:3000/console"),
        ("改一个门槛并预览 change a threshold and preview", "docs/operations.zh.md · docs/operations.en.md"),
        ("接口说明 the API, with real answers", "docs/api.md"),
        ("自己的规则 your own rules", "make workbook INTO=levels.xlsx, then make demo WORKBOOK=levels.xlsx"),
        ("自己的数据 your own files", "make serve EXTRACTS=… WORKBOOK=…"),
    ):
        console.print(f"  {what}\n    {where}", markup=False)


def months_are_right(results: Sequence[dict[str, Any]]) -> Claims:
    """Checks: every month is published and complete, and its counts agree."""
    for result in results:
        month, levels, orders = result["month"], result["levels"], dict(result["quality"]["order_rows"])
        read = orders.pop("read")
        yield f"{month}: published", result["outcome"] == "published"
        yield f"{month}: the levels add up to the agencies", sum(levels.values()) == result["agencies"]
        yield f"{month}: {read:,} order rows, each accounted for once", sum(orders.values()) == read


def example_is_right(results: Sequence[dict[str, Any]]) -> Claims:
    """Checks of the shipped rules: with the sample, every level and status occurs."""
    for result in results:
        yield f"{result['month']}: every level occurs", all(result["levels"].values())


def shipped_rulebook() -> str:
    """The id of the shipped rules, whose results are known."""
    description = load_description(ROOT / "config" / "workbook.json")
    return content_id(parse(read_on_disk(WORKBOOK, description.reads), description, MONTHS[-1]).rulebook)


def api_is_right(system: System) -> Claims:
    """Checks: the API shows each audience only what it may see, and the known agency has the known metrics."""
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
        view = system.get(f"/v1/agencies/{OVERRIDDEN_AGENCY}/level?month={month}", OVERRIDDEN_AGENCY).json()
        yield f"{month}: {OVERRIDDEN_AGENCY} is {status}", view["status"] == status
    card = system.get(f"/v1/agencies/{OVERRIDDEN_AGENCY}").json()
    yield "its card does not tell that its level was set by hand", card["status"] == "rated"
    slots = system.get(f"/v1/agencies/{SHRUNK_AGENCY}/binding-slots", SHRUNK_AGENCY).json()
    yield f"{SHRUNK_AGENCY} kept too few creators of power 6 to 7 to bind more of them", slots["allowance"] == 0
    awaiting = system.get(f"/v1/agencies/{AWAITING_AGENCY}").json()
    yield "an agency that has just joined is shown as awaiting", awaiting["status"] == "awaiting_first_rating"


def verdict(console: Console, claims: Sequence[tuple[str, bool]]) -> int:
    """Print for each claim whether it is true."""
    console.print()
    for claim, holds in claims:
        console.print(f"{'[green]✓[/]' if holds else '[bold red]✗[/]'} {claim}")
    return 0 if all(holds for _, holds in claims) else 1


def _parser() -> Parser:
    parser = Parser(prog="python -m local.demo", description=__doc__)
    own = ".xlsx file or folder of CSV tabs (default: config/workbook)"
    parser.add_argument("--workbook", type=Path, default=WORKBOOK, help=own)
    engines = "what measures a month: duckdb, or spark in .venv/spark (default: duckdb)"
    parser.add_argument("--engine", choices=("duckdb", "spark"), default="duckdb", help=engines)
    return parser


if __name__ == "__main__":
    run(main)
