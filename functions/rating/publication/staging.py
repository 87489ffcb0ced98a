"""Write a run's items where no reader looks: a reader finds them only once the pointer names the run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from itertools import islice
from typing import Any

from shared.backoff import pauses
from shared.content import content_id
from shared.errors import ItemTooLarge, LevelsError, TableUnavailable
from shared.levels import Rulebook
from shared.table import Table, key_of, rulebook_item, rulebook_key, table_errors

BATCH_WRITE_LIMIT = 25
WRITE_ATTEMPTS = 10
WRITERS = 8
ITEM_BYTES = 400 * 1024

_FIXES = {
    "AGENCY": "Shorten the texts of this agency in the agencies extract, and have it written again.",
    "RULEBOOK": "Shorten the texts in the spreadsheet.",
    "RUN": "Have the extracts written as fewer, larger objects.",
}


def stage(
    table: Table, items: Iterable[Mapping[str, Any]], progress: Callable[[int], None], writers: int = WRITERS
) -> int:
    """Write items with a few concurrent batch writers; the number written. Writing them again changes nothing.

    ``progress`` hears the count so far and may raise to stop. Raises ItemTooLarge and TableUnavailable.
    """
    source, written = map(fitting, items), 0
    with ThreadPoolExecutor(writers) as pool:
        pending: set[Future[int]] = set()
        try:
            while batch := list(islice(source, BATCH_WRITE_LIMIT)):
                if len(pending) >= 2 * writers:
                    done, pending = wait(pending, return_when=FIRST_COMPLETED)
                    written += sum(future.result() for future in done)
                    progress(written)
                pending.add(pool.submit(_write_batch, table, batch))
            written += sum(future.result() for future in pending)
        except LevelsError:
            for future in pending:
                future.cancel()
            raise
    progress(written)
    return written


def keep_rulebook(table: Table, rulebook: Rulebook, expires_at: int) -> str:
    """Store a rulebook once per content and see that it outlives whatever uses it; its id. Raises ItemTooLarge."""
    rulebook_id = content_id(rulebook)
    item = fitting(rulebook_item(rulebook, rulebook_id))
    already_kept_as_long = table.client.exceptions.ConditionalCheckFailedException
    with table_errors(table.name), suppress(already_kept_as_long):
        table.client.update_item(
            TableName=table.name,
            Key=rulebook_key(rulebook_id),
            UpdateExpression="SET content = if_not_exists(content, :content), expires_at = :expires_at",
            ConditionExpression="attribute_not_exists(expires_at) OR expires_at < :expires_at",
            ExpressionAttributeValues={
                ":content": item["content"],
                ":expires_at": {"N": str(expires_at)},
            },
        )
    return rulebook_id


def fitting(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """The item. Raises ItemTooLarge, naming whose it is, when the table would not take it."""
    size = size_of(item)
    if size > ITEM_BYTES:
        kind, _, whose = key_of(item)[0].partition("#")
        raise ItemTooLarge(
            f"{kind.lower()} {whose}: it would take {size:,} bytes in the table, an item may have {ITEM_BYTES:,}. "
            f"Nothing was published. {_FIXES.get(kind, '')}".rstrip()
        )
    return item


def size_of(item: Mapping[str, Any]) -> int:
    """An upper bound of the bytes that DynamoDB counts: names of attributes are counted too."""
    return sum(len(name) + _bytes(value) for name, value in item.items())


def _bytes(value: Mapping[str, Any]) -> int:
    [content] = value.values()
    return len(content.encode()) if isinstance(content, str) else len(content) if isinstance(content, bytes) else 1


def _write_batch(table: Table, batch: Sequence[Mapping[str, Any]]) -> int:
    unwritten: Any = {table.name: [{"PutRequest": {"Item": item}} for item in batch]}
    for pause in islice(pauses(0.05, 5.0), WRITE_ATTEMPTS):
        with table_errors(table.name):
            unwritten = table.client.batch_write_item(RequestItems=unwritten).get("UnprocessedItems")
        if not unwritten:
            return len(batch)
        table.sleep(pause)
    raise TableUnavailable(f"table {table.name} left items unwritten after {WRITE_ATTEMPTS} attempts: it is throttling")
