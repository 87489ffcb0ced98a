"""make serve: the API and the pages on this machine, with the sample or your own extracts, until Ctrl-C.

The rating function runs too: `make preview MONTH=2026-10 LOCAL=1` invokes it like a deployed one.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import quote

import waitress
from rich.console import Console

from local.cloud import pages
from local.cloud.embedded import HOST, TABLE
from local.cloud.front import BODY_LIMIT, LOCAL_AGENCY, front
from local.cloud.issuer import LocalIssuer
from local.cloud.lambda_api import with_lambda
from local.cloud.operations import operations_handler
from local.cloud.system import WORKBOOK, System
from local.cloud.template import OPERATIONS
from local.commandline import Parser, UserMistake, run
from local.demo.progress import rated_system
from local.own_files import check
from local.sample import LOCAL_STATE

PORT = 3000
REPORTS = LOCAL_STATE / "serve" / "reports"


def main(arguments: list[str] | None = None) -> int:
    """Rate every month of the extracts, then serve until Ctrl-C or a termination signal."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell ignores Ctrl-C for background jobs
    console, workbook = Console(highlight=False, soft_wrap=True), options.workbook.resolve()
    with listen(options.port) as listening:
        check(options.extracts, workbook)
        with rated_system(console, options.extracts, workbook) as (system, results):
            url = f"http://{HOST}:{listening.getsockname()[1]}"
            show(console, url, system, results)

            def rate(event: dict[str, Any]) -> Any:
                with one_run_at_a_time:
                    answer = system.rate(event, workbook=workbook)
                    system.save_reports(REPORTS)
                    return answer

            one_run_at_a_time, operations = Lock(), operations_handler(rate, system.workbook_setting(workbook))
            issuer = LocalIssuer(url, pages.examples(system))
            api = pages.with_pages(front(system.lookup, {OPERATIONS: operations}, issuer.claims), issuer)
            # One request at a time, as Lambda gives them to an instance, which stores the current event.
            variables = {"TABLE_NAME": TABLE, "AWS_ENDPOINT_URL": os.environ["AWS_ENDPOINT_URL"]}
            server = waitress.create_server(
                with_lambda(api, rate, variables), sockets=[listening], threads=1, max_request_body_size=BODY_LIMIT
            )
            server.run()
    return 0


def listen(port: int) -> socket.socket:
    """A socket on a port of this machine. Raises UserMistake if the port is used."""
    try:
        return socket.create_server((HOST, port))
    except (OSError, OverflowError) as error:
        raise UserMistake(
            f"{HOST}:{port} can't be used ({getattr(error, 'strerror', error)}). "
            "Name another port: make serve PORT=3001"
        ) from error


def show(console: Console, url: str, system: System, results: list[dict[str, Any]]) -> None:
    """Print the outcome of each month, the address of the reports, and example requests."""
    shutil.rmtree(REPORTS, ignore_errors=True)
    system.save_reports(REPORTS)
    for result in results:
        console.print(outcome(result), markup=False)
    console.print(f"运行报告 reports  {REPORTS}\n")
    console.print(f"页面 pages  {url}/  {url}/console\n")
    published = [result["month"] for result in results if result["outcome"] == "published"]
    for what, request in examples(url, system, published):
        console.print(f"# {what}\ncurl -s {request}", markup=False)
    console.print("# Ctrl-C 结束 ends it")


def outcome(result: Mapping[str, Any]) -> str:
    """The outcome of a month, and what to do next."""
    month, run_id = result["month"], result["run"]
    match result["outcome"]:
        case "published":
            return f"{month}  已发布 published  {run_id}"
        case "held":
            return (
                f"{month}  暂缓 held  {run_id}\n"
                "         超出保护上限，读报告后决定 a guardrail was exceeded; read the report, then decide: "
                f" make accept RUN={run_id} BY=<name> REASON=<why> LOCAL=1"
            )
        case "not_ready":
            return (
                f"{month}  未就绪 not ready: no _SUCCESS in {', '.join(result['missing'])} /month={month}/\n"
                "         文件写完后补上，再启动 Add it once the files are complete, then start again."
            )
        case other:
            return f"{month}  {other}"


def examples(url: str, system: System, months: list[str]) -> Iterator[tuple[str, str]]:
    """Example requests for the present data, with the arguments of curl."""
    yield "发布 publication" + ("" if months else ": 503, nothing is published yet"), f"{url}/v1/publication"
    if not months:
        return
    yield "等级 ladder", f"{url}/v1/levels"
    yield "更早的月份 an earlier month", f"'{url}/v1/levels?month={months[0]}'"
    yield "权益 benefits", f"{url}/v1/benefits"
    if shown := shown_agency(system):
        yield from examples_of(url, system, *shown)
    yield "未知机构 unknown agency: 404", f"{url}/v1/agencies/unknown"


def examples_of(url: str, system: System, agency_id: str, level: int | None) -> Iterator[tuple[str, str]]:
    """Example requests about an agency, with the audience of each."""
    card, claim = f"{url}/v1/agencies/{agency_id}", f"-H '{LOCAL_AGENCY}: {agency_id}'"
    batch = f"""-H 'Content-Type: application/json' -d '{{"agency_ids": ["{agency_id}", "unknown"]}}'"""
    yield "名片 public card", card
    yield "批量 batch", f"{batch} {url}/v1/agencies/batch"
    if level is not None:
        yield "名录 directory", f"'{url}/v1/agencies?level={level}&limit=3'"
    yield f"机构自己的视图 own view ({LOCAL_AGENCY} stands for a token of that agency)", f"{claim} {card}/level"
    yield "历史 history", f"{claim} {card}/history"
    for benefit in system.get("/v1/benefits").json()["benefits"][:1]:
        yield "是否享有 entitlement", f"{claim} {card}/benefits/{quote(benefit['benefit'])}"
    yield "绑定名额 binding slots", f"{claim} {card}/binding-slots"
    yield "客服 back office: any agency's view, scope levels.agency.any", f"-H '{LOCAL_AGENCY}: *' {card}/level"
    yield "达人与商家 creators and merchants have no own view: 403", f"{card}/level"
    yield "别人的视图 another agency's view: 403", f"-H '{LOCAL_AGENCY}: unknown' {card}/level"


def shown_agency(system: System) -> tuple[str, int | None] | None:
    """An agency of the lowest level, which has most to show about the next; unrated if all are unrated."""
    levels = {agency: standing.level for agency, standing in system.standings().items()}
    return min(levels.items(), key=lambda found: (found[1] is None, found[1] or 0, found[0]), default=None)


def _parser() -> Parser:
    parser = Parser(prog="python -m local.serve", description=__doc__)
    parser.add_argument("--port", type=int, default=PORT, help="port on 127.0.0.1; 0: any free one (default: 3000)")
    parser.add_argument("--extracts", type=Path, help="folder with <dataset>/month=YYYY-MM/… (default: the sample)")
    parser.add_argument(
        "--workbook", type=Path, default=WORKBOOK, help=".xlsx file or folder of CSV tabs (default: config/workbook)"
    )
    return parser


if __name__ == "__main__":
    run(main)
