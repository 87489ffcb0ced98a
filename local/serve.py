"""make serve: the API on this machine, over the sample's months, for curl and for apps that are being built."""

from __future__ import annotations

import argparse
import signal
import socket
import sys
from collections.abc import Iterator

import waitress
from rich.console import Console

from local.embedded import HOST
from local.front import BODY_LIMIT, LOCAL_AGENCY, front
from local.watching import sample_system

PORT = 3000


def main(arguments: list[str] | None = None) -> int:
    """Rate the sample's months, then serve until Ctrl-C or a termination signal."""
    parser = argparse.ArgumentParser(prog="python -m local.serve", description=__doc__)
    parser.add_argument("--port", type=int, default=PORT, help="port on 127.0.0.1; 0: any free one (default: 3000)")
    port: int = parser.parse_args(arguments).port
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    console = Console(highlight=False, soft_wrap=True)
    try:
        listening = socket.create_server((HOST, port))
    except OSError as error:
        print(f"{HOST}:{port} can't be used: {error.strerror}. Name another one: python -m local.serve --port 3001")
        return 1
    with listening, sample_system(console) as (system, _):
        url = f"http://{HOST}:{listening.getsockname()[1]}"
        console.print(f"[bold]{url}[/]  Ctrl-C 结束 ends it\n")
        for what, request in examples(url):
            console.print(f"# {what}\ncurl -s {request}", markup=False)
        # One request at a time, as an instance of the function gets them: its resolver keeps the event in one place.
        server = waitress.create_server(
            front(system.lookup), sockets=[listening], threads=1, max_request_body_size=BODY_LIMIT
        )
        server.run()
    return 0


def examples(url: str) -> Iterator[tuple[str, str]]:
    """What may be asked, and the arguments that make curl ask it."""
    own = f"-H '{LOCAL_AGENCY}: A-0325' {url}/v1/agencies/A-0325"
    batch = """-H 'Content-Type: application/json' -d '{"agency_ids": ["A-0001", "A-9999"]}'"""
    yield "名片 public card", f"{url}/v1/agencies/A-0325"
    yield "更早的月份 an earlier month", f"'{url}/v1/agencies/A-0325?month=2026-08'"
    yield "批量 batch", f"{batch} {url}/v1/agencies/batch"
    yield "名录 directory", f"'{url}/v1/agencies?level=4&limit=3'"
    yield "等级 ladder", f"{url}/v1/levels"
    yield "权益 benefits", f"{url}/v1/benefits"
    yield "发布 publication", f"{url}/v1/publication"
    yield f"机构自己的视图 own view ({LOCAL_AGENCY} stands for a token with that claim)", f"{own}/level"
    yield "历史 history", f"{own}/history"
    yield "是否享有 entitlement", f"{own}/benefits/promotion"
    yield "绑定名额 binding slots", f"{own}/binding-slots"
    yield "别人的视图 another agency's view: 403", f"-H '{LOCAL_AGENCY}: A-0001' {url}/v1/agencies/A-0325/level"
    yield "未知机构 unknown agency: 404", f"{url}/v1/agencies/A-9999"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
