"""A reader that asks the API without pause while months are published: what it was told is judged afterwards."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from local.cloud.gateway import Request, ask
from shared.table import Table
from tests.crashing import lookup_of
from tests.soak.deliveries import AGENCIES

BATCH = Request(
    "POST",
    "/v1/agencies/batch",
    [("content-type", "application/json")],
    json.dumps({"agency_ids": [*AGENCIES]}).encode(),
)


@contextmanager
def reading(table: Table) -> Iterator[list[dict[str, Any]]]:
    """Within the block somebody reads; the list has each new thing that they were told, in its order."""
    told: list[dict[str, Any]] = []
    failed: list[BaseException] = []
    enough = threading.Event()
    lookup = lookup_of(table)

    def read() -> None:
        try:
            while not enough.wait(0.01):
                answered = ask(lookup, BATCH)
                cards = answered.json().get("items", [])
                assert answered.status in (200, 503), answered.body
                seen = {
                    "months": sorted({card["month"] for card in cards}),
                    "levels": {card["agency_id"]: card["level"] for card in cards},
                }
                if told[-1:] != [seen]:
                    told.append(seen)
        except BaseException as error:  # noqa: BLE001 - raised again below, where somebody hears it
            failed.append(error)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        enough.set()
        thread.join()
    if failed:
        raise failed[0]
