"""Compares the lookup function with the least possible handler: its start, and its warm answers.

Start: importing it, and importing a bare boto3 handler, both from compiled bytecode, each in new processes. Warm: the
whole handler, and ``client.get_item`` with ``json.dumps``; a fake socket gives both the same bytes. Both run
alternately, so other programs disturb both equally. Medians are compared.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3

from bench.compared import Compared, medians, show, timed
from bench.wire import ENDPOINT, wired
from functions.lookup.api import Handler
from local.cloud.front import local_claims
from local.cloud.gateway import Request, event_for
from shared.items import key, key_of
from tools.docs.example import RISING, TABLE_NAME, example_items

ROOT = Path(__file__).parents[1]
STARTS, CALLS = 15, 400
BATCH = 100
BARE_HANDLER = """
import json
import boto3
client = boto3.client("dynamodb")
def handler(event, context):
    return {"statusCode": 200, "body": json.dumps(bare.get_item(TableName="levels", Key={"pk": {"S": "x"}}))}
"""
TIMED_IMPORT = "import time; begun = time.process_time(); import {}; print(time.process_time() - begun)"


def cold_start() -> Compared:
    """The CPU seconds of importing the function, and of importing a bare boto3 handler."""
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch, "bare_handler.py").write_text(BARE_HANDLER, encoding="utf-8")
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | {
            "PYTHONPATH": os.pathsep.join([str(ROOT), scratch]),
            "PYTHONPYCACHEPREFIX": str(Path(scratch, "bytecode")),
            "AWS_DEFAULT_REGION": "cn-north-1",
            "TABLE_NAME": TABLE_NAME,
        }

        def start(module: str) -> float:
            command = [sys.executable, "-c", TIMED_IMPORT.format(module)]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
            return float(done.stdout)

        ours, floor = medians(lambda: start("functions.lookup.app"), lambda: start("bare_handler"), STARTS)
    return Compared("start (import, CPU time)", ours, floor, 1.7)


def warm() -> Iterator[Compared]:
    """Card, own view and a batch of 100 by the whole handler, and the bare reads of the same items."""
    items = [*example_items(), *_copies()]
    os.environ |= {
        "AWS_ENDPOINT_URL": ENDPOINT,
        "AWS_DEFAULT_REGION": "cn-north-1",
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "TABLE_NAME": TABLE_NAME,
    }
    from functions.lookup.app import handler  # noqa: PLC0415 - wires itself by the environment

    bare = boto3.client("dynamodb")
    rating = next(key(*key_of(item)) for item in items if key_of(item)[0] == f"AGENCY#{RISING.agency_id}")
    hundred: Any = {TABLE_NAME: {"Keys": [key(*key_of(item)) for item in _copies()], "ConsistentRead": True}}

    def read() -> None:
        json.dumps(bare.get_item(TableName=TABLE_NAME, Key=rating, ConsistentRead=True))

    def read_hundred() -> None:
        json.dumps(bare.batch_get_item(RequestItems=hundred))

    agency = f"/v1/agencies/{RISING.agency_id}"
    body = json.dumps({"agency_ids": [key_of(item)[0].removeprefix("AGENCY#") for item in _copies()]}).encode()
    batch = Request("POST", "/v1/agencies/batch", [("content-type", "application/json")], body)
    with wired(items):
        yield _compared("warm card", handler, Request("GET", agency), read, 1.35)
        yield _compared("warm own view", handler, Request("GET", f"{agency}/level"), read, 1.35)
        yield _compared("warm batch of 100", handler, batch, read_hundred, 2.0)
    gc.unfreeze()  # libraries report frozen objects as leaks when the process ends


def _compared(what: str, handler: Handler, request: Request, floor: Callable[[], None], goal: float) -> Compared:
    event = event_for(replace(request, claims=local_claims("*")))
    answer = handler(event, None)
    if answer["statusCode"] != 200 or json.loads(answer["body"]).get("missing"):
        raise AssertionError(f"{what}: {answer}")
    ours, least = medians(timed(lambda: handler(event, None)), timed(floor), CALLS)
    return Compared(what, ours, least, goal)


def _copies() -> list[dict[str, Any]]:
    """One rating, copied for a hundred agencies."""
    items = [item for item in example_items() if key_of(item)[0] == f"AGENCY#{RISING.agency_id}"]
    one = max(items, key=lambda item: key_of(item)[1])
    ids = [f"{RISING.agency_id}-{number}" for number in range(BATCH)]
    return [
        {
            **one,
            **key(f"AGENCY#{agency_id}", key_of(one)[1]),
            "rating": {"S": one["rating"]["S"].replace(f'"{RISING.agency_id}"', f'"{agency_id}"')},
        }
        for agency_id in ids
    ]


if __name__ == "__main__":
    show("The lookup function", [cold_start(), *warm()])
