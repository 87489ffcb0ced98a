"""Tickets: requests of the console to the rating function, stored with their answers.

    TICKET#<ticket>  TICKET  who asked what and when; then the answer or the error; deleted after 30 days
    CHECK            CHECK   the result of the last check of the workbook: its faults and its changes

A ticket's id is computed from its request, so asking the same twice is one request. Answers are compressed JSON.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from shared.content import canonical_json
from shared.items import key
from shared.table import Table, table_errors

KEPT = timedelta(days=30)
GIVEN_UP_AFTER = timedelta(minutes=20)  # the rating function ends within 15 minutes, and AWS tries it once more
SHOWN_FAULTS = 500

State = Literal["asked", "done", "failed"]

CHECK_KEY = key("CHECK", "CHECK")


def ticket_key(ticket: str) -> dict[str, Any]:
    return key(f"TICKET#{ticket}", "TICKET")


@dataclass(frozen=True, slots=True)
class Ticket:
    """One request. ``asked``: the event without the ticket. ``answer``: the rating function's answer or error."""

    ticket: str
    state: State
    by: str
    at: str
    asked: Mapping[str, Any]
    answer: Mapping[str, Any] | None = None


def open_ticket(table: Table, ticket: str, by: str, now: datetime, asked: Mapping[str, Any]) -> bool:
    """Store a new ticket. False if it is open or done already; a failed or expired one may be opened again."""
    item = ticket_key(ticket) | {
        "state": {"S": "asked"},
        "by": {"S": by},
        "at": {"S": now.isoformat(timespec="microseconds")},
        "asked": {"S": canonical_json(asked)},
        "expires_at": {"N": str(int((now + KEPT).timestamp()))},
    }
    with table_errors(table.name), suppress(table.client.exceptions.ConditionalCheckFailedException):
        table.client.put_item(
            TableName=table.name,
            Item=item,
            ConditionExpression="attribute_not_exists(pk) OR #state = :failed OR (#state = :asked AND #at < :old)",
            ExpressionAttributeNames={"#state": "state", "#at": "at"},
            ExpressionAttributeValues={
                ":failed": {"S": "failed"},
                ":asked": {"S": "asked"},
                ":old": {"S": (now - GIVEN_UP_AFTER).isoformat(timespec="microseconds")},
            },
        )
        return True
    return False


def close_ticket(table: Table, ticket: str, state: State, answer: Mapping[str, Any]) -> None:
    """Store the answer of a request. Does nothing if the ticket was never opened."""
    with table_errors(table.name), suppress(table.client.exceptions.ConditionalCheckFailedException):
        table.client.update_item(
            TableName=table.name,
            Key=ticket_key(ticket),
            UpdateExpression="SET #state = :state, answer = :answer",
            ConditionExpression="attribute_exists(pk)",
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues={":state": {"S": state}, ":answer": {"B": _packed(answer)}},
        )


def read_ticket(table: Table, ticket: str, now: datetime) -> Ticket | None:
    """A ticket, or None. A ticket without an answer for too long counts as failed."""
    item = table.get(ticket_key(ticket))
    if item is None:
        return None
    state: State = item["state"]["S"]
    answer = _unpacked(item["answer"]["B"]) if "answer" in item else None
    at = item["at"]["S"]
    if state == "asked" and datetime.fromisoformat(at) < now - GIVEN_UP_AFTER:
        state = "failed"
    return Ticket(ticket, state, item["by"]["S"], at, json.loads(item["asked"]["S"]), answer)


def keep_check(table: Table, found: Mapping[str, Any]) -> None:
    """Store the result of a check of the workbook, replacing the previous one."""
    with table_errors(table.name):
        table.client.put_item(TableName=table.name, Item=CHECK_KEY | {"found": {"B": _packed(found)}})


def last_check(table: Table) -> dict[str, Any] | None:
    """The result of the last check of the workbook; None before the first."""
    item = table.get(CHECK_KEY)
    return None if item is None else _unpacked(item["found"]["B"])


def by_fall(mover: Mapping[str, Any]) -> tuple[int, str]:
    """The sort key of the console's movers: agencies that fall come first, those that fall most at the top."""
    return (mover["new_level"] or 0) - (mover["old_level"] or 0), mover["agency_id"]


def _packed(value: Mapping[str, Any]) -> bytes:
    return zlib.compress(canonical_json(value).encode())


def _unpacked(content: bytes) -> dict[str, Any]:
    return dict(json.loads(zlib.decompress(content)))
