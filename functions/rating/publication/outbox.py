"""A transactional outbox: LevelsPublished and one AgencyLevelChanged for each agency whose level differs.

Events are written before the pointer moves and sent after it, so a crash in between loses none: the next firing sends
what is not marked as sent. A repeat of an event has the same id.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from functions.rating.publication.staging import stage
from functions.rating.run.standings import LevelChange
from shared.content import canonical_json, content_id
from shared.errors import EventsUnsent
from shared.table import Table, key, table_errors

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

SOURCE = "mcn.levels"
PUT_EVENTS_LIMIT = 10
PAGE = 1000  # events per outbox item, about 150 KB


class Outbox:
    """Keeps events in the table until the event bus has taken them."""

    def __init__(self, table: Table, client: EventBridgeClient, bus: str) -> None:
        self.table = table
        self.client = client
        self.bus = bus

    def write_outbox(
        self,
        month: str,
        run: str,
        replaced: str | None,
        changes: Sequence[LevelChange],
        *,
        expires_at: int,
        progress: Callable[[int], None],
        occasion: str = "",
    ) -> None:
        """Write the events of ``run`` becoming valid in the place of ``replaced`` (None: the month's first).

        ``occasion`` tells apart the times that one run replaces the same other one, as rollbacks to and fro do.
        """
        stage(self.table, _items(month, run, replaced, changes, expires_at=expires_at, occasion=occasion), progress)

    def send_pending(self, run: str, replaced: str | None) -> int:
        """Send what is not yet marked as sent; how many were sent. Raises EventsUnsent."""
        sent = 0
        for item in self.table.query(f"OUTBOX#{run}", f"{replaced or 'first'}#"):
            if "sent" in item:
                continue
            events = json.loads(item["announcements"]["S"])
            for start in range(0, len(events), PUT_EVENTS_LIMIT):
                self._put(events[start : start + PUT_EVENTS_LIMIT])
            self._mark_sent(item)
            sent += len(events)
        return sent

    def _put(self, events: Sequence[dict[str, Any]]) -> None:
        entries = [
            {
                "Source": SOURCE,
                "DetailType": event["type"],
                "Detail": canonical_json(event["detail"]),
                "EventBusName": self.bus,
            }
            for event in events
        ]
        try:
            answer = self.client.put_events(Entries=entries)  # type: ignore[arg-type]
        except (BotoCoreError, ClientError) as error:
            raise EventsUnsent(f"event bus {self.bus}: {error}. The levels are published; {_RETRY}") from error
        if answer["FailedEntryCount"]:
            codes = sorted({entry["ErrorCode"] for entry in answer["Entries"] if "ErrorCode" in entry})
            raise EventsUnsent(f"event bus {self.bus} refused events: {codes}. The levels are published; {_RETRY}")

    def _mark_sent(self, item: dict[str, Any]) -> None:
        with table_errors(self.table.name):
            self.table.client.update_item(
                TableName=self.table.name,
                Key=key(item["pk"]["S"], item["sk"]["S"]),
                UpdateExpression="SET sent = :yes",
                ExpressionAttributeValues={":yes": {"BOOL": True}},
            )


_RETRY = "the next firing sends what is missing."


def _items(
    month: str, run: str, replaced: str | None, changes: Sequence[LevelChange], *, expires_at: int, occasion: str
) -> Iterator[dict[str, Any]]:
    events = _events(month, run, replaced, changes, occasion)
    page = 0
    while chunk := list(islice(events, PAGE)):
        yield key(f"OUTBOX#{run}", f"{replaced or 'first'}#{page:04d}") | {
            "announcements": {"S": canonical_json(chunk)},
            "expires_at": {"N": str(expires_at)},
        }
        page += 1


def _events(
    month: str, run: str, replaced: str | None, changes: Sequence[LevelChange], occasion: str
) -> Iterator[dict[str, Any]]:
    yield _event(
        "LevelsPublished", {"month": month, "run": run, "replaced_run": replaced, "changed": len(changes)}, occasion
    )
    for change in changes:
        detail = {
            "month": month,
            "run": run,
            "agency_id": change.agency_id,
            "old_level": change.old_level,
            "new_level": change.new_level,
        }
        yield _event("AgencyLevelChanged", detail | {"replaced_run": replaced}, occasion)


def _event(kind: str, detail: dict[str, Any], occasion: str) -> dict[str, Any]:
    return {"type": kind, "detail": detail | {"event_id": content_id([kind, detail, occasion])}}
