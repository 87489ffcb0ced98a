"""Tell other systems: LevelsPublished and one AgencyLevelChanged per agency that moved, at least once each.

The announcements are written before the pointer moves and sent after, so a crash in between loses none: the next firing
sends what is not marked as sent. Event ids follow from the content, so a consumer can tell a repeat.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from functions.rating.run.standings import Move
from shared.content import canonical_json, content_id
from shared.errors import AnnouncementsUnsent
from shared.table import Table, key, table_errors

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

SOURCE = "mcn.levels"
PUT_EVENTS_LIMIT = 10
PAGE = 1000  # announcements per outbox item, about 150 KB


class Announcer:
    """Keeps the outbox in the table and empties it onto an event bus."""

    def __init__(self, table: Table, client: EventBridgeClient, bus: str) -> None:
        self.table = table
        self.client = client
        self.bus = bus

    def outbox_items(
        self, month: str, run: str, replaced: str | None, moves: Sequence[Move], expires_at: int, *, occasion: str = ""
    ) -> Iterator[dict[str, Any]]:
        """The announcements of ``run`` becoming valid in the place of ``replaced`` (None: the month's first).

        ``occasion`` tells apart the times that one run replaces the same other one, as rollbacks to and fro do.
        """
        events = _events(month, run, replaced, moves, occasion)
        page = 0
        while chunk := list(islice(events, PAGE)):
            yield key(f"OUTBOX#{run}", f"{replaced or 'first'}#{page:04d}") | {
                "announcements": {"S": canonical_json(chunk)},
                "expires_at": {"N": str(expires_at)},
            }
            page += 1

    def send(self, run: str, replaced: str | None) -> int:
        """Send what is not yet marked as sent; how many were sent. Raises AnnouncementsUnsent."""
        sent = 0
        for item in self.table.query(f"OUTBOX#{run}", f"{replaced or 'first'}#"):
            if "sent" in item:
                continue
            announcements = json.loads(item["announcements"]["S"])
            for start in range(0, len(announcements), PUT_EVENTS_LIMIT):
                self._put(announcements[start : start + PUT_EVENTS_LIMIT])
            self._mark_sent(item)
            sent += len(announcements)
        return sent

    def _put(self, announcements: Sequence[dict[str, Any]]) -> None:
        entries = [
            {
                "Source": SOURCE,
                "DetailType": announcement["type"],
                "Detail": canonical_json(announcement["detail"]),
                "EventBusName": self.bus,
            }
            for announcement in announcements
        ]
        try:
            answer = self.client.put_events(Entries=entries)  # type: ignore[arg-type]
        except (BotoCoreError, ClientError) as error:
            raise AnnouncementsUnsent(f"event bus {self.bus}: {error}. The levels are published; {_RETRY}") from error
        if answer["FailedEntryCount"]:
            codes = sorted({entry["ErrorCode"] for entry in answer["Entries"] if "ErrorCode" in entry})
            raise AnnouncementsUnsent(
                f"event bus {self.bus} refused events: {codes}. The levels are published; {_RETRY}"
            )

    def _mark_sent(self, item: dict[str, Any]) -> None:
        with table_errors(self.table.name):
            self.table.client.update_item(
                TableName=self.table.name,
                Key=key(item["pk"]["S"], item["sk"]["S"]),
                UpdateExpression="SET sent = :yes",
                ExpressionAttributeValues={":yes": {"BOOL": True}},
            )


_RETRY = "the next firing sends what is missing."


def _events(
    month: str, run: str, replaced: str | None, moves: Sequence[Move], occasion: str
) -> Iterator[dict[str, Any]]:
    yield _event(
        "LevelsPublished", {"month": month, "run": run, "replaced_run": replaced, "changed": len(moves)}, occasion
    )
    for move in moves:
        detail = {
            "month": month,
            "run": run,
            "agency_id": move.agency_id,
            "old_level": move.old_level,
            "new_level": move.new_level,
        }
        yield _event("AgencyLevelChanged", detail | {"replaced_run": replaced}, occasion)


def _event(kind: str, detail: dict[str, Any], occasion: str) -> dict[str, Any]:
    return {"type": kind, "detail": detail | {"event_id": content_id([kind, detail, occasion])}}
