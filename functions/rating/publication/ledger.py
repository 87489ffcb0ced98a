"""The ledger: what was published, held, accepted, rolled back, refreshed or repaired; when, by whom and why.

Lines are only ever added. They are ordered by the pointer's version, since the clocks of two invocations may differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import TypeAdapter

from functions.rating.run.record import RunRecord
from shared.content import added_later, content_id, not_content
from shared.items import MadeValid, Publication, key, reading, stored
from shared.table import Table, table_errors

Action = MadeValid | Literal["held", "refreshed", "repaired"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger. ``at``: ISO 8601 in UTC. ``replaced``: the run that was valid for this month before.

    ``version``: the pointer's version after a line that moves it (``moves_the_pointer``), or the version at that time.
    Lines of schema 1 have 0. ``workbook``: the objects in S3 that the rulebook was read from, each with its version.
    ``engine``: the engine that measured the month, if the line belongs to a run that was measured.
    """

    at: str
    action: Action
    month: str
    run: str
    rulebook: str
    code_version: str
    replaced: str | None = None
    by: str | None = None
    reason: str | None = None
    version: int = 0
    workbook: tuple[str, ...] = added_later(())
    engine: str | None = added_later(None)

    @property
    def moves_the_pointer(self) -> bool:
        return self.action not in ("held", "repaired")

    @classmethod
    def of(
        cls,
        action: Action,
        record: RunRecord,
        at: datetime,
        code_version: str,
        *,
        replaced: Publication | None = None,
        rulebook: str | None = None,
        by: str | None = None,
        reason: str | None = None,
        version: int = 0,
        workbook: tuple[str, ...] = (),
        engine: str | None = None,
    ) -> Entry:
        """The line about a run. ``at``: an aware instant. ``replaced``: the publication of the month until then."""
        return cls(
            at=at.isoformat(timespec="microseconds"),
            action=action,
            month=record.month,
            run=record.run,
            rulebook=rulebook or record.rulebook,
            code_version=code_version,
            replaced=replaced.run if replaced else None,
            by=by,
            reason=reason,
            version=version,
            workbook=workbook,
            engine=engine,
        )


_ENTRY = TypeAdapter(Entry)


def entry_item(entry: Entry) -> dict[str, Any]:
    """An entry as an item.

    Lines of schema 1 have an instant as sort key, which sorts before the others.
    """
    sort_key = f"V{entry.version:010d}#0" if entry.moves_the_pointer else f"V{entry.version:010d}#1#{entry.at}"
    body = _ENTRY.dump_json(entry, exclude=not_content(entry)).decode()
    return stored(key(f"LEDGER#{entry.month}", sort_key), entry={"S": body}, digest={"S": content_id(entry)})


def entry_from(item: Mapping[str, Any]) -> Entry:
    """The entry that an item holds. Raises ItemInvalid."""
    with reading(item):
        entry: Entry = _ENTRY.validate_json(item["entry"]["S"])
        return entry


def append(table: Table, entry: Entry) -> None:
    """Write a line that does not move the pointer."""
    with table_errors(table.name):
        table.client.put_item(TableName=table.name, Item=entry_item(entry))


def entries(table: Table, month: str) -> Iterator[Entry]:
    """Every entry of a month, oldest first."""
    return map(entry_from, table.query(f"LEDGER#{month}"))


def held_entry(table: Table, month: str, run: str) -> Entry | None:
    """The line that holds a run, if the run still waits for a decision; else None."""
    of_run = [entry for entry in entries(table, month) if entry.run == run]
    return of_run[-1] if of_run and of_run[-1].action == "held" else None
