"""Writes a run's items before it is published: no reader sees them until the pointer names the run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from shared.backoff import pauses
from shared.content import content_id
from shared.errors import ItemTooLarge, TableUnavailable
from shared.items import SCHEMA, key_of, rulebook_item, rulebook_key
from shared.levels import Rulebook
from shared.table import THROTTLING, Table, table_errors

BATCH_WRITE_LIMIT = 25
BATCH_BYTES = 512 * 1024
WRITERS = 8
PATIENCE = 60.0  # seconds without a written item, before TableUnavailable
HEARTBEAT = 5.0  # seconds between two calls of progress while nothing is written
ITEM_BYTES = 400 * 1024

_FIXES = {
    "AGENCY": "Shorten the texts of this agency in the agencies extract, and have it written again.",
    "RULEBOOK": "Shorten the texts in the spreadsheet.",
    "RUN": "Have the extracts written as fewer, larger objects.",
}


def stage(
    table: Table, items: Iterable[Mapping[str, Any]], progress: Callable[[int], None], writers: int = WRITERS
) -> int:
    """Write items with concurrent batch writers. Returns the number written. Writing them again changes nothing.

    Continues on a throttling table as long as it takes some items. Calls ``progress`` with the count so far; progress
    may raise to stop. Raises ItemTooLarge and TableUnavailable.
    """
    written, writer = 0, _Writer(table)
    with ThreadPoolExecutor(writers) as pool:
        pending: set[Future[int]] = set()

        def collect(most: int) -> None:
            nonlocal written, pending
            while len(pending) > most:
                done, pending = wait(pending, timeout=HEARTBEAT, return_when=FIRST_COMPLETED)
                written += sum(future.result() for future in done)
                progress(written)

        try:
            for batch in _batches(items):
                collect(2 * writers - 1)
                pending.add(pool.submit(writer.write, batch))
            collect(0)
        finally:
            writer.stop.set()
            for future in pending:
                future.cancel()
    progress(written)
    return written


def keep_rulebook(table: Table, rulebook: Rulebook, expires_at: int) -> str:
    """Store a rulebook once per content, and extend its expiry if needed. Returns its id. Raises ItemTooLarge."""
    rulebook_id = content_id(rulebook)
    item = fitting(rulebook_item(rulebook, rulebook_id, expires_at))
    already_kept_as_long = table.client.exceptions.ConditionalCheckFailedException
    with table_errors(table.name), suppress(already_kept_as_long):
        table.client.update_item(
            TableName=table.name,
            Key=rulebook_key(rulebook_id),
            UpdateExpression=(
                "SET content = if_not_exists(content, :content), expires_at = :expires_at, "
                "#schema = if_not_exists(#schema, :schema)"
            ),
            ConditionExpression="attribute_not_exists(expires_at) OR expires_at < :expires_at",
            ExpressionAttributeNames={"#schema": "schema"},
            ExpressionAttributeValues={
                ":content": item["content"],
                ":expires_at": item["expires_at"],
                ":schema": {"N": str(SCHEMA)},
            },
        )
    return rulebook_id


def fitting(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """The item unchanged. Raises ItemTooLarge if the table would refuse it, naming what to shorten."""
    _fitting_size(item)
    return item


def _fitting_size(item: Mapping[str, Any]) -> int:
    """The item's size in bytes. Raises ItemTooLarge."""
    size = size_of(item)
    if size > ITEM_BYTES:
        kind, _, whose = key_of(item)[0].partition("#")
        raise ItemTooLarge(
            f"{kind.lower()} {whose}: it would take {size:,} bytes in the table, an item may have {ITEM_BYTES:,}. "
            f"Nothing was published. {_FIXES.get(kind, '')}".rstrip()
        )
    return size


def size_of(item: Mapping[str, Any]) -> int:
    """An upper bound of the item's size in bytes, as DynamoDB counts it (with the names of attributes)."""
    return sum(len(name) + _bytes(value) for name, value in item.items())


def _bytes(value: Mapping[str, Any]) -> int:
    [content] = value.values()
    return len(content.encode()) if isinstance(content, str) else len(content) if isinstance(content, bytes) else 1


def _batches(items: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """Batches within DynamoDB's limit of items and within BATCH_BYTES. Raises ItemTooLarge."""
    batch: list[Mapping[str, Any]] = []
    size = 0
    for item in items:
        more = _fitting_size(item)
        if batch and (len(batch) == BATCH_WRITE_LIMIT or size + more > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += more
    if batch:
        yield batch


class _Writer:
    """Writes batches from several threads. Gives up when no thread could write anything for PATIENCE seconds."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.stop = threading.Event()
        self._last_written_at = table.clock()

    def write(self, batch: Sequence[Mapping[str, Any]]) -> int:
        unwritten: Any = [{"PutRequest": {"Item": item}} for item in batch]
        waits = pauses(0.05, 5.0)
        while not self.stop.is_set():
            unprocessed = self._try(unwritten)
            if len(unprocessed) < len(unwritten):
                self._last_written_at, waits = self.table.clock(), pauses(0.05, 5.0)
            if not unprocessed:
                return len(batch)
            if self.table.clock() - self._last_written_at > PATIENCE:
                raise TableUnavailable(
                    f"table {self.table.name} has accepted nothing for {PATIENCE:.0f} s: it is throttled. Nothing was "
                    "published; the next firing tries again. With a higher WarmWrites the table accepts more at once."
                )
            unwritten = unprocessed
            self.table.sleep(next(waits))
        return 0

    def _try(self, requests: Any) -> Any:
        """Write once. Returns the requests that were not processed."""
        name = self.table.name
        try:
            with table_errors(name):
                answer = self.table.client.batch_write_item(RequestItems={name: requests})
        except TableUnavailable as error:
            if _is_throttling(error.__cause__):
                return requests
            raise
        return answer.get("UnprocessedItems", {}).get(name, [])


def _is_throttling(error: BaseException | None) -> bool:
    return isinstance(error, ClientError) and error.response["Error"]["Code"] in THROTTLING
