"""What the console asks of the rating function, kept until it is answered: the one asks, the other answers.

    TICKET#<ticket>  TICKET  who asked what, when; then the answer, or why there is none; forgotten after 30 days
    CHECK            CHECK   what the last reading of the workbook found: its faults and its changes

A ticket follows from what it asks, so asking the same twice is one request. Answers are compressed JSON.
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
from shared.table import Table, key, table_errors

KEPT = timedelta(days=30)
GIVEN_UP_AFTER = timedelta(minutes=20)  # the rating function ends within 15, and is tried once more by AWS
SHOWN_FAULTS = 500

State = Literal["asked", "done", "failed"]

CHECK_KEY = key("CHECK", "CHECK")


def ticket_key(ticket: str) -> dict[str, Any]:
    return key(f"TICKET#{ticket}", "TICKET")


@dataclass(frozen=True, slots=True)
class Ticket:
    """One request. ``asked``: the event without the ticket. ``answer``: the rating function's, or its error."""

    ticket: str
    state: State
    by: str
    at: str
    asked: Mapping[str, Any]
    answer: Mapping[str, Any] | None = None


def open_ticket(table: Table, ticket: str, by: str, now: datetime, asked: Mapping[str, Any]) -> bool:
    """Write a new ticket; False when it is open or done already. One that failed or was given up may be asked again."""
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
    """Write what became of a request; of one that nobody opened nothing is kept."""
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
    """A ticket; None when there is none. One without an answer for too long counts as failed."""
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
    """Keep what a reading of the workbook found, in place of the one before."""
    with table_errors(table.name):
        table.client.put_item(TableName=table.name, Item=CHECK_KEY | {"found": {"B": _packed(found)}})


def last_check(table: Table) -> dict[str, Any] | None:
    """What the last reading of the workbook found; None before the first."""
    item = table.get(CHECK_KEY)
    return None if item is None else _unpacked(item["found"]["B"])


def _packed(value: Mapping[str, Any]) -> bytes:
    return zlib.compress(canonical_json(value).encode())


def _unpacked(content: bytes) -> dict[str, Any]:
    return dict(json.loads(zlib.decompress(content)))
