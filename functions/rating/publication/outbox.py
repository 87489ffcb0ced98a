"""A transactional outbox: one write moves the pointer and records which events have to be sent.

So a crash loses no event: the next invocation sends everything that is not marked as sent, oldest publication first.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import TypeAdapter

from functions.rating.progress import Progress
from functions.rating.publication.event_details import SOURCE, AgencyLevelChanged, LevelsPublished
from functions.rating.publication.outbox_of_schema_1 import mark_sent, unsent_of_schema_1
from functions.rating.run.standings import LevelChange
from shared.backoff import pauses
from shared.content import canonical_json, content_id
from shared.errors import EventsUnsent, ItemInvalid, OutOfTime
from shared.items import MadeValid, key, key_of, key_text, reading, stored
from shared.observability import logger
from shared.table import Table, table_errors

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

PUT_EVENTS_LIMIT = 10
SENDERS = 4
WINDOW = 100  # progress is written after so many events
PATIENCE = 15.0  # seconds of pauses; then EventsUnsent if the bus has taken nothing
PAGE = 3000  # level changes in one item, at most 300 KB

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """A publication with events to send: one LevelsPublished, and one AgencyLevelChanged for each ``changed`` agency.

    ``sequence``: the pointer's version. ``current``: whether the month was the newest published one.
    """

    sequence: int
    month: str
    run: str
    replaced: str | None
    action: MadeValid
    published_at: str
    current: bool
    changed: int
    pages: int

    @property
    def events(self) -> int:
        return 1 + self.changed


_ENTRY = TypeAdapter(OutboxEntry)
_CHANGES = TypeAdapter(list[tuple[str, int | None, int | None]])


@dataclass(frozen=True, slots=True)
class Sent:
    """How many events are sent, counted from the first; ``ahead``: numbers of later events that are sent too."""

    events: int = 0
    ahead: tuple[int, ...] = ()

    def attributes(self, sequence: int) -> dict[str, Any]:
        """The stored attributes, with a digest: no other item could show that they were altered."""
        ahead = {"ahead": {"S": json.dumps(self.ahead)}} if self.ahead else {}
        digest = content_id([sequence, self.events, self.ahead])
        return {"sent": {"N": str(self.events)}, **ahead, "sent_digest": {"S": digest}}


def outbox_item(entry: OutboxEntry, expires_at: int, sent: Sent | None = None) -> dict[str, Any]:
    """The item that is written together with the pointer."""
    body = _ENTRY.dump_json(entry).decode()
    attributes = (sent or Sent()).attributes(entry.sequence)
    return stored(key("OUTBOX", f"{entry.sequence:010d}"), expires_at, entry={"S": body}, **attributes)


def sent_from(item: Mapping[str, Any], entry: OutboxEntry) -> Sent | None:
    """The progress stored in an entry's item; None if it is not plausible. Older items have no digest."""
    try:
        ahead = tuple(json.loads(item["ahead"]["S"])) if "ahead" in item else ()
        sent = Sent(int(item["sent"]["N"]), ahead)
        agrees = item.get("sent_digest") in (None, sent.attributes(entry.sequence)["sent_digest"])
    except (KeyError, TypeError, ValueError):
        return None
    return sent if agrees and 0 <= sent.events <= entry.events else None


def outbox_entry_from(item: Mapping[str, Any]) -> OutboxEntry:
    """The entry that an item holds. Raises ItemInvalid."""
    with reading(item):
        entry: OutboxEntry = _ENTRY.validate_json(item["entry"]["S"])
        return entry


def changes_items(
    run: str, replaced: str | None, changes: Sequence[LevelChange], expires_at: int
) -> Iterator[dict[str, Any]]:
    """Items with the agencies whose level differs when ``run`` replaces another run (None: the month's first)."""
    for page, start in enumerate(range(0, len(changes), PAGE)):
        chunk = [(c.agency_id, c.old_level, c.new_level) for c in changes[start : start + PAGE]]
        yield stored(changes_key(run, replaced, page), expires_at, changes={"S": canonical_json(chunk)})


def changes_key(run: str, replaced: str | None, page: int) -> dict[str, Any]:
    return key(f"CHANGES#{run}#{page:04d}", replaced or "first")


class Outbox:
    """Sends the events that the table marks as unsent."""

    def __init__(
        self, table: Table, client: EventBridgeClient, bus: str, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.table = table
        self.client = client
        self.bus = bus
        self.sleep = sleep

    def send_pending(self, progress: Progress) -> int:
        """Send every event that is not marked as sent, oldest publication first. Returns how many were sent.

        Raises EventsUnsent when the bus takes no more or the time is up. Progress is written before.
        """
        total = 0
        with ThreadPoolExecutor(SENDERS) as pool:
            for item, of_schema_1 in unsent_of_schema_1(self.table):
                self._put(pool, list(enumerate(of_schema_1)), progress, lambda _: None)
                mark_sent(self.table, item)
                total += len(of_schema_1)
            for item in self.table.query("OUTBOX"):
                entry = outbox_entry_from(item)
                sent = sent_from(item, entry)
                if sent is None:
                    logger.warning(
                        "the progress of sending can't be read: all events of this publication are sent again",
                        sequence=entry.sequence,
                    )
                    sent = Sent()
                    self._write_progress(entry, sent, overwrite=True)
                if sent.events < entry.events:
                    total += self._send(pool, entry, sent, progress)
        return total

    def _send(self, pool: ThreadPoolExecutor, entry: OutboxEntry, sent: Sent, progress: Progress) -> int:
        """Send the unsent events of one publication. Returns how many."""
        numbered = enumerate(islice(self._events_of(entry), sent.events, None), start=sent.events)
        count, ahead = 0, set(sent.ahead)
        while window := list(islice(numbered, WINDOW)):
            to_send = [(number, event) for number, event in window if number not in ahead]
            self._put(pool, to_send, progress, partial(self._note, entry, window))
            self._write_progress(entry, Sent(window[-1][0] + 1))
            count += len(to_send)
        return count

    def _put(
        self,
        pool: ThreadPoolExecutor,
        numbered: Sequence[tuple[int, Event]],
        progress: Progress,
        note: Callable[[set[int]], None],
    ) -> None:
        """Send events until the bus has taken all. Refused events are sent again after a pause.

        Calls ``note`` with the numbers of the unsent events before EventsUnsent is raised.
        """
        unsent, waits, waited = list(numbered), pauses(0.05, 5.0), 0.0
        try:
            while unsent:
                progress.advance("events", 0, None)
                batches = [unsent[i : i + PUT_EVENTS_LIMIT] for i in range(0, len(unsent), PUT_EVENTS_LIMIT)]
                refused: list[tuple[int, Event]] = []
                codes: set[str] = set()
                error: Exception | None = None
                for of_batch, of_codes, of_error in pool.map(self._put_batch, batches):
                    refused += of_batch
                    codes |= of_codes
                    error = error or of_error
                if len(refused) < len(unsent):
                    waits, waited = pauses(0.05, 5.0), 0.0
                unsent = refused
                if unsent and (error or waited > PATIENCE):
                    raise self._unsent(str(error or ", ".join(sorted(codes)))) from error
                if unsent:
                    pause = next(waits)
                    waited += pause
                    self.sleep(pause)
        except OutOfTime as error:
            raise self._unsent("the function's time is up") from error
        finally:
            if unsent:
                note({number for number, _ in unsent})

    def _unsent(self, cause: str) -> EventsUnsent:
        return EventsUnsent(
            f"event bus {self.bus} has not taken all events: {cause}. What is published stays published; the next "
            "firing sends what is missing."
        )

    def _put_batch(
        self, batch: Sequence[tuple[int, Event]]
    ) -> tuple[list[tuple[int, Event]], set[str], Exception | None]:
        """Send one batch. Returns the refused events, their error codes, and the error after botocore gave up."""
        entries: list[PutEventsRequestEntryTypeDef] = [
            {
                "Source": SOURCE,
                "DetailType": event["type"],
                "Detail": canonical_json(event["detail"]),
                "EventBusName": self.bus,
            }
            for _, event in batch
        ]
        try:
            answers = self.client.put_events(Entries=entries)["Entries"]
        except (BotoCoreError, ClientError) as error:
            return list(batch), set(), error
        refused = [
            (numbered, answer["ErrorCode"])
            for numbered, answer in zip(batch, answers, strict=True)
            if answer.get("ErrorCode")
        ]
        return [numbered for numbered, _ in refused], {code for _, code in refused}, None

    def _events_of(self, entry: OutboxEntry) -> Iterator[Event]:
        changes = chain.from_iterable(self._changes(entry, page) for page in range(entry.pages))
        return events(entry, changes)

    def _changes(self, entry: OutboxEntry, page: int) -> list[tuple[str, int | None, int | None]]:
        item_key = changes_key(entry.run, entry.replaced, page)
        item = self.table.get(item_key)
        if item is None:
            raise ItemInvalid(
                f"{key_text(item_key)}: it is not in table {self.table.name}, so events of {entry.month} can't "
                f"be sent. Write it again by repairing the month.",
                key_of(item_key),
            )
        with reading(item):
            return _CHANGES.validate_json(item["changes"]["S"])

    def _note(self, entry: OutboxEntry, window: Sequence[tuple[int, Event]], unsent: set[int]) -> None:
        first = min(unsent)
        ahead = tuple(number for number, _ in window if number > first and number not in unsent)
        self._write_progress(entry, Sent(first, ahead))

    def _write_progress(self, entry: OutboxEntry, sent: Sent, *, overwrite: bool = False) -> None:
        """Store the progress. Another invocation may be sending too, so a finished entry is never changed.

        ``overwrite``: change it nevertheless, because the stored progress is not plausible.
        """
        finished_by_another = self.table.client.exceptions.ConditionalCheckFailedException
        assignments = sent.attributes(entry.sequence)
        update = "SET " + ", ".join(f"{name} = :{name}" for name in assignments)
        values = {f":{name}": value for name, value in assignments.items()}
        with table_errors(self.table.name), suppress(finished_by_another):
            self.table.client.update_item(
                TableName=self.table.name,
                Key=key("OUTBOX", f"{entry.sequence:010d}"),
                UpdateExpression=update if sent.ahead else f"{update} REMOVE ahead",
                ConditionExpression="attribute_exists(pk)" if overwrite else "sent < :all",
                ExpressionAttributeValues=values if overwrite else values | {":all": {"N": str(entry.events)}},
            )


def events(entry: OutboxEntry, changes: Iterator[tuple[str, int | None, int | None]]) -> Iterator[Event]:
    """The events of a publication: always the same events and ids in the same order."""
    yield _event(LevelsPublished, entry, action=entry.action, published_at=entry.published_at, changed=entry.changed)
    for agency_id, old_level, new_level in changes:
        yield _event(AgencyLevelChanged, entry, agency_id=agency_id, old_level=old_level, new_level=new_level)


def _event(kind: type, entry: OutboxEntry, **more: Any) -> Event:
    detail = {
        "sequence": entry.sequence,
        "current": entry.current,
        "month": entry.month,
        "run": entry.run,
        "replaced_run": entry.replaced,
        **more,
    }
    event_id = content_id([kind.__name__, detail, entry.published_at])
    return {"type": kind.__name__, "detail": {"event_id": event_id, **detail}}
