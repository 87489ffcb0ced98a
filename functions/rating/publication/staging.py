"""Stage a run where nobody sees it, then make it visible with one conditional write of the pointer."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from functions.rating.publication.item_sizes import fitting, pages
from functions.rating.publication.ledger import Entry, entry_item
from functions.rating.run.record import RunRecord, record_item
from functions.rating.run.standings import standings_of
from shared.content import content_id
from shared.errors import LevelsError, PublicationConflict, TableUnavailable
from shared.levels import Rating, Rulebook
from shared.table import (
    Listing,
    Pointer,
    Publication,
    Table,
    directory_item,
    pointer_item,
    rating_item,
    rulebook_item,
    rulebook_key,
    standings_item,
    table_errors,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import PutTypeDef

BATCH_WRITE_LIMIT = 25
WRITE_ATTEMPTS = 10
WRITERS = 8
STANDINGS_PAGE = 2000  # about 120 KB, well below the 400 KB that an item may have


def items_of(ratings: Sequence[Rating], record: RunRecord, expires_at: int) -> Iterator[dict[str, Any]]:
    """Every item of a run except its rulebook, in an order and with bytes that depend on its inputs alone."""
    for rating in ratings:
        yield rating_item(rating, record.run, expires_at)
    standings = iter(standings_of(ratings).items())
    page = 0
    while chunk := dict(islice(standings, STANDINGS_PAGE)):
        yield standings_item(record.run, page, chunk, expires_at)
        page += 1
    by_level: dict[int, list[Listing]] = defaultdict(list)
    for rating in ratings:
        if rating.level is not None:
            by_level[rating.level].append(Listing.of(rating))
    for level, listings in sorted(by_level.items()):
        for page, of_page in enumerate(pages(listings)):
            yield directory_item(record.run, level, page, of_page, expires_at)
    yield record_item(record, expires_at)


def stage(
    table: Table, items: Iterable[dict[str, Any]], progress: Callable[[int], None], writers: int = WRITERS
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


def move_pointer(table: Table, seen: Pointer, publication: Publication, entry: Entry) -> None:
    """Make a publication the valid one of its month, and write the ledger, both or neither.

    ``seen``: the pointer that the decision rests on. Raises PublicationConflict when another run got there first.
    """
    following = replace(
        seen, version=seen.version + 1, publications={**seen.publications, publication.month: publication}
    )
    put_pointer: PutTypeDef = {
        "TableName": table.name,
        "Item": pointer_item(following),
        "ConditionExpression": "attribute_not_exists(version)",
    }
    if seen.version:
        put_pointer["ConditionExpression"] = "version = :seen"
        put_pointer["ExpressionAttributeValues"] = {":seen": {"N": str(seen.version)}}
    put_entry: PutTypeDef = {
        "TableName": table.name,
        "Item": entry_item(entry),
        "ConditionExpression": "attribute_not_exists(pk)",
    }
    try:
        with table_errors(table.name):
            table.client.transact_write_items(TransactItems=[{"Put": put_pointer}, {"Put": put_entry}])
    except TableUnavailable as error:
        if isinstance(error.__cause__, table.client.exceptions.TransactionCanceledException):
            raise PublicationConflict(
                f"month {publication.month}: the pointer moved while run {publication.run} was being prepared; "
                "nothing was published by this run. The next run starts from what is valid now."
            ) from error
        raise


def append(table: Table, entry: Entry) -> None:
    """Write a ledger entry that goes with no move of the pointer."""
    with table_errors(table.name):
        table.client.put_item(TableName=table.name, Item=entry_item(entry))


def _write_batch(table: Table, batch: Sequence[Mapping[str, Any]]) -> int:
    pending: Any = {table.name: [{"PutRequest": {"Item": item}} for item in batch]}
    for attempt in range(WRITE_ATTEMPTS):
        with table_errors(table.name):
            pending = table.client.batch_write_item(RequestItems=pending).get("UnprocessedItems")
        if not pending:
            return len(batch)
        table.sleep(random.uniform(0, min(5.0, 0.05 * 2**attempt)))  # noqa: S311 - jitter, not a secret
    raise TableUnavailable(f"table {table.name} left items unwritten after {WRITE_ATTEMPTS} attempts: it is throttling")
