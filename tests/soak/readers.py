"""A reader that calls the API again and again while months are published. Its answers are checked afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from local.cloud.gateway import Request, ask
from shared.table import Table
from tests.crashing import lookup_of, repeating
from tests.soak.deliveries import AGENCIES

BATCH = Request(
    "POST",
    "/v1/agencies/batch",
    [("content-type", "application/json")],
    json.dumps({"agency_ids": [*AGENCIES]}).encode(),
)


@contextmanager
def reading(table: Table) -> Iterator[list[dict[str, Any]]]:
    """Within the block a thread reads. The list has its answers in order; equal ones in a row are one entry."""
    answers: list[dict[str, Any]] = []
    lookup = lookup_of(table)

    def read() -> None:
        answered = ask(lookup, BATCH)
        cards = answered.json().get("items", [])
        assert answered.status in (200, 503), answered.body
        seen = {
            "months": sorted({card["month"] for card in cards}),
            "levels": {card["agency_id"]: card["level"] for card in cards},
        }
        if answers[-1:] != [seen]:
            answers.append(seen)

    with repeating(read, pause=0.01):
        yield answers
