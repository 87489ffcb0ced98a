"""The ledger: what was published, held, accepted, rolled back or refreshed, when, by whom and why. Append-only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import TypeAdapter

from shared.table import MadeValid, Table, key

Action = MadeValid | Literal["held", "refreshed"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger. ``at``: ISO 8601 in UTC. ``replaced``: the run that was valid for this month before."""

    at: str
    action: Action
    month: str
    run: str
    rulebook: str
    code_version: str
    replaced: str | None = None
    by: str | None = None
    reason: str | None = None


_ENTRY = TypeAdapter(Entry)


def entry_item(entry: Entry) -> dict[str, Any]:
    body = _ENTRY.dump_json(entry).decode()
    return key(f"LEDGER#{entry.month}", f"{entry.at}#{entry.action}#{entry.run}") | {"entry": {"S": body}}


def entries(table: Table, month: str) -> Iterator[Entry]:
    """Every entry of a month, oldest first."""
    for item in table.query(f"LEDGER#{month}"):
        yield _ENTRY.validate_json(item["entry"]["S"])


def is_held(table: Table, month: str, run: str) -> bool:
    """Whether this run was held and is still waiting for somebody's decision."""
    last = [entry for entry in entries(table, month) if entry.run == run]
    return bool(last) and last[-1].action == "held"
