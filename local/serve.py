"""make serve: the API on this machine, over the sample or your own extracts, for curl and for apps being built."""

from __future__ import annotations

import argparse
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import waitress
from rich.console import Console

from local.cloud import pages
from local.cloud.embedded import HOST
from local.cloud.front import BODY_LIMIT, LOCAL_AGENCY, front
from local.cloud.issuer import LocalIssuer
from local.cloud.system import WORKBOOK, System
from local.demo.progress import rated_system

PORT = 3000


def main(arguments: list[str] | None = None) -> int:
    """Rate every month of the extracts, then serve until Ctrl-C or a termination signal."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job starts with it ignored
    console = Console(highlight=False, soft_wrap=True)
    try:
        listening = socket.create_server((HOST, options.port))
    except OSError as error:
        mend = "name another one: python -m local.serve --port 3001"
        raise SystemExit(f"{HOST}:{options.port} can't be used ({error.strerror}); {mend}") from error
    with listening, rated_system(console, options.extracts, options.workbook.resolve()) as (system, results):
        url = f"http://{HOST}:{listening.getsockname()[1]}"
        console.print(f"[bold]{url}[/]  Ctrl-C 结束 ends it\n")
        for what, request in examples(url, system, results[0]["month"]):
            console.print(f"# {what}\ncurl -s {request}", markup=False)
        issuer = LocalIssuer(url, pages.examples(system))
        console.print(f"# 页面 pages\n{url}/\n{url}/console")
        api = front(system.lookup, claims_of=issuer.claims)
        # One request at a time, as an instance of the function gets them: its resolver keeps the event in one place.
        server = waitress.create_server(
            pages.with_pages(api, issuer), sockets=[listening], threads=1, max_request_body_size=BODY_LIMIT
        )
        server.run()
    return 0


def examples(url: str, system: System, month: str) -> Iterator[tuple[str, str]]:
    """What may be asked, and the arguments that make curl ask it."""
    agency_id, level = _listed(system)
    card, claim = f"{url}/v1/agencies/{agency_id}", f"-H '{LOCAL_AGENCY}: {agency_id}'"
    benefit = quote(system.get("/v1/benefits").json()["benefits"][0]["benefit"])
    batch = f"""-H 'Content-Type: application/json' -d '{{"agency_ids": ["{agency_id}", "unknown"]}}'"""
    yield "名片 public card", card
    yield "更早的月份 an earlier month", f"'{url}/v1/levels?month={month}'"
    yield "批量 batch", f"{batch} {url}/v1/agencies/batch"
    yield "名录 directory", f"'{url}/v1/agencies?level={level}&limit=3'"
    yield "等级 ladder", f"{url}/v1/levels"
    yield "权益 benefits", f"{url}/v1/benefits"
    yield "发布 publication", f"{url}/v1/publication"
    yield f"机构自己的视图 own view ({LOCAL_AGENCY} stands for a token with that claim)", f"{claim} {card}/level"
    yield "历史 history", f"{claim} {card}/history"
    yield "是否享有 entitlement", f"{claim} {card}/benefits/{benefit}"
    yield "绑定名额 binding slots", f"{claim} {card}/binding-slots"
    yield "别人的视图 another agency's view: 403", f"-H '{LOCAL_AGENCY}: unknown' {card}/level"
    yield "未知机构 unknown agency: 404", f"{url}/v1/agencies/unknown"


def _listed(system: System) -> tuple[str, int]:
    """An agency that has a level, and the level; the lowest there is, which has most to tell about the next."""
    for rung in system.get("/v1/levels").json()["levels"]:
        items = system.get(f"/v1/agencies?level={rung['level']}&limit=1").json()["items"]
        if items:
            return items[0]["agency_id"], rung["level"]
    raise SystemExit("no agency has a level, so there is nothing to show; look at thresholds and extracts")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.serve", description=__doc__)
    parser.add_argument("--port", type=int, default=PORT, help="port on 127.0.0.1; 0: any free one (default: 3000)")
    parser.add_argument("--extracts", type=Path, help="folder with <dataset>/month=YYYY-MM/… (default: the sample)")
    parser.add_argument("--workbook", type=Path, default=WORKBOOK, help="folder of CSV tabs (default: config/workbook)")
    return parser


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
