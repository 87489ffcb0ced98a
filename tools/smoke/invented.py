"""A market of three agencies, as small as a month can be: every level of what is tried is decided by these rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from local.cloud.gateway import Request, event_for
from shared.months import Month

JOINED = "2020-01-01 00:00:00"
COLUMNS = {
    "agencies": ("agency_id", "name", "joined_at"),
    "creators": ("creator_id", "agency_id", "bind_time", "power_level"),
    "orders": ("order_id", "creator_id", "pay_time", "pay_amount"),
}
AGENCIES = ("smoke-1", "smoke-2", "smoke-3")


def objects(month: Month, fen: Mapping[str, int]) -> Iterator[tuple[str, bytes]]:
    """The keys and bytes of a complete month. ``fen``: what each agency's one order paid."""
    rows: dict[str, list[Sequence[object]]] = {
        "agencies": [(agency, f"试运行 {agency}", JOINED) for agency in AGENCIES],
        "creators": [(f"{agency}-c{n}", agency, JOINED, 6) for agency in AGENCIES for n in range(3)],
        "orders": [(f"{month}-{agency}", f"{agency}-c0", f"{month}-15 12:00:00", fen[agency]) for agency in AGENCIES],
    }
    for dataset, found in rows.items():
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([COLUMNS[dataset], *found])
        yield f"{dataset}/month={month}/part-0.csv", text.getvalue().encode()
        yield f"{dataset}/month={month}/_SUCCESS", b""


def asked(path: str, request_id: str) -> dict[str, Any]:
    """What the gateway hands to the lookup function for a token that may see any agency."""
    event = event_for(Request("GET", path, claims={"sub": "smoke", "scope": "levels.public levels.agency.any"}))
    event["requestContext"]["requestId"] = request_id
    return event
