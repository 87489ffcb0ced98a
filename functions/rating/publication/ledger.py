"""The ledger: what was published, held, accepted, rolled back or refreshed, when, by whom and why. Append-only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import TypeAdapter

from functions.rating.run.record import RunRecord
from shared.table import MadeValid, Publication, Table, key, table_errors

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

    @classmethod
    def of(
        cls,
        action: Action,
        record: RunRecord,
        at: datetime,
        code_version: str,
        *,
        replaced: Publication | None = None,
        by: str | None = None,
        reason: str | None = None,
    ) -> Entry:
        """The line about a run. ``at``: an aware instant; ``replaced``: what was valid for the month before."""
        written_at = at.isoformat(timespec="microseconds")
        replaced_run = replaced.run if replaced else None
        return cls(
            written_at, action, record.month, record.run, record.rulebook, code_version, replaced_run, by, reason
        )


_ENTRY = TypeAdapter(Entry)


def entry_item(entry: Entry) -> dict[str, Any]:
    body = _ENTRY.dump_json(entry).decode()
    return key(f"LEDGER#{entry.month}", f"{entry.at}#{entry.action}#{entry.run}") | {"entry": {"S": body}}


def append(table: Table, entry: Entry) -> None:
    """Write an entry that goes with no move of the pointer."""
    with table_errors(table.name):
        table.client.put_item(TableName=table.name, Item=entry_item(entry))


def entries(table: Table, month: str) -> Iterator[Entry]:
    """Every entry of a month, oldest first."""
    for item in table.query(f"LEDGER#{month}"):
        yield _ENTRY.validate_json(item["entry"]["S"])


def is_held(table: Table, month: str, run: str) -> bool:
    """Whether this run was held and is still waiting for somebody's decision."""
    last = [entry for entry in entries(table, month) if entry.run == run]
    return bool(last) and last[-1].action == "held"
