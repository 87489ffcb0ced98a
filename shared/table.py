"""Reads the DynamoDB table; functions/rating/publication writes it. Its items: shared/items.py."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from shared.backoff import pauses
from shared.errors import RunUnknown, TableUnavailable
from shared.items import (
    POINTER_KEY,
    Listing,
    Pointer,
    Publication,
    directory_key,
    key,
    key_of,
    listings_from,
    pointer_from,
    rating_from,
    rating_key,
    reading,
    rulebook_from,
    rulebook_key,
    run_key,
    standings_from,
    standings_key,
)
from shared.levels import Rating, Rulebook, Standing

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BATCH_GET_LIMIT = 100
READ_ATTEMPTS = 6  # requests in a row without a new item
THROTTLING = {"ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"}
"""Error codes of a table that takes no more for a moment."""


class Table:
    """Reads the table, through a low-level client: that takes half the time of boto3's resource."""

    def __init__(
        self,
        client: DynamoDBClient,
        name: str,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.client = client
        self.name = name
        self.sleep = sleep
        self.clock = clock

    def pointer(self) -> Pointer:
        """The valid publications; version 0 and empty before the first."""
        item = self._get(POINTER_KEY)
        return Pointer(0, {}) if item is None else pointer_from(item)

    def rating(self, agency_id: str, publication: Publication) -> Rating | None:
        """One agency's rating in a publication; None if the agency is not in it."""
        item = self._get(rating_key(agency_id, publication.month, publication.run))
        return None if item is None else rating_from(item)

    def ratings(self, wanted: Iterable[tuple[str, Publication]]) -> list[Rating]:
        """The existing ratings of these agencies and publications, in the given order; one request per 100."""
        keys = [rating_key(agency_id, publication.month, publication.run) for agency_id, publication in wanted]
        found = {key_of(item): item for item in self.get_many(keys)}
        return [rating_from(item) for k in keys if (item := found.get(key_of(k))) is not None]

    def rulebook(self, rulebook_id: str) -> Rulebook:
        """A rulebook by its content id. Raises RunUnknown if it is not stored."""
        item = self._get(rulebook_key(rulebook_id))
        if item is None:
            raise RunUnknown(
                f"rulebook {rulebook_id} is not in table {self.name}: it has expired, or was deleted. Repairing the "
                "month that uses it writes it again."
            )
        return rulebook_from(item)

    def rulebooks(self, rulebook_ids: Iterable[str]) -> dict[str, Rulebook]:
        """The existing rulebooks among these, by content id; one request per 100."""
        items = self.get_many([rulebook_key(rulebook_id) for rulebook_id in rulebook_ids])
        return {key_of(item)[0].removeprefix("RULEBOOK#"): rulebook_from(item) for item in items}

    def level_counts(self, runs: Iterable[str]) -> dict[str, dict[str, int]]:
        """Agencies by level, for each of these runs that has a record; one request per 100."""
        items = self.get_many([run_key(run) for run in runs])
        records = [(key_of(item)[0], json.loads(zlib.decompress(item["record"]["B"]))) for item in items]
        return {pk.removeprefix("RUN#"): record["levels"] for pk, record in records}

    def listings(self, run: str, level: int, page: int) -> list[Listing]:
        """One page (0, 1, …) of the directory of a level, by agency_id; empty past the last."""
        item = self._get(directory_key(run, level, page))
        if item is None:  # past the last page, or of schema 1
            item = self._get(key(f"RUN#{run}", f"LEVEL#{level}#{page:04d}"))
        return [] if item is None else listings_from(item)

    def standings(self, run: str) -> dict[str, Standing]:
        """Every agency's standing in a run, by agency_id. Raises RunUnknown if some page is missing or expired."""
        first = self._get(standings_key(run, 0))
        items = self._standings_of_schema_1(run) if first is None else [first, *self._further_standings(run, first)]
        standings: dict[str, Standing] = {}
        for item in items:
            standings |= standings_from(item)
        return standings

    def _further_standings(self, run: str, first: Mapping[str, Any]) -> list[dict[str, Any]]:
        with reading(first):
            pages = int(first["pages"]["N"])
        found = {key_of(item): item for item in self.get_many([standings_key(run, page) for page in range(1, pages)])}
        if len(found) < pages - 1:
            raise self._without_standings(run)
        return [found[names] for names in sorted(found)]

    def _standings_of_schema_1(self, run: str) -> list[dict[str, Any]]:
        items = list(self.query(f"RUN#{run}", "STANDINGS#"))
        if not items and self._get(run_key(run)) is None:
            raise self._without_standings(run)
        return items

    def _without_standings(self, run: str) -> RunUnknown:
        return RunUnknown(
            f"run {run}: its standings are not, or not all, in table {self.name}: they have expired, or were deleted. "
            "Within its retention a valid run is written again by repairing its month."
        )

    def query(self, pk: str, sk_begins: str = "") -> Iterator[dict[str, Any]]:
        """Every item of a partition whose sort key begins with ``sk_begins``, ascending."""
        condition, values = "pk = :pk", {":pk": {"S": pk}}
        if sk_begins:  # DynamoDB refuses an empty text here
            condition, values = f"{condition} AND begins_with(sk, :sk)", values | {":sk": {"S": sk_begins}}
        pages = self.client.get_paginator("query").paginate(
            TableName=self.name,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
            ConsistentRead=True,
        )
        with table_errors(self.name):
            for page in pages:
                yield from page["Items"]

    def scan(self, condition: str, values: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """Every item of the whole table that meets a condition. Slow: only for commands that nobody waits for."""
        pages = self.client.get_paginator("scan").paginate(
            TableName=self.name,
            FilterExpression=condition,
            ExpressionAttributeValues={name: {"S": value} for name, value in values.items()},
            ConsistentRead=True,
        )
        with table_errors(self.name):
            for page in pages:
                yield from page["Items"]

    def get(self, item_key: dict[str, Any]) -> dict[str, Any] | None:
        """One item in DynamoDB's form, or None."""
        return self._get(item_key)

    def _get(self, item_key: dict[str, Any]) -> dict[str, Any] | None:
        with table_errors(self.name):
            return self.client.get_item(TableName=self.name, Key=item_key, ConsistentRead=True).get("Item")

    def get_many(self, keys: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """The existing items of these keys, in any order; one request per 100."""
        unique = list({key_of(k): k for k in keys}.values())
        for start in range(0, len(unique), BATCH_GET_LIMIT):
            wanted = unique[start : start + BATCH_GET_LIMIT]
            pending: Any = {self.name: {"Keys": wanted, "ConsistentRead": True}}
            attempts, waits = 0, pauses(0.05, 2.0)
            while pending:
                with table_errors(self.name):
                    answer = self.client.batch_get_item(RequestItems=pending)
                items = answer["Responses"].get(self.name, [])
                yield from items
                pending = answer.get("UnprocessedKeys")
                attempts = 0 if items else attempts + 1
                if attempts == READ_ATTEMPTS:
                    raise TableUnavailable(
                        f"table {self.name} returned no item in {READ_ATTEMPTS} attempts: it is throttled. Try again."
                    )
                if pending:
                    self.sleep(next(waits))


@contextmanager
def table_errors(name: str) -> Iterator[None]:
    """Raise TableUnavailable for botocore's errors, with the cause."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise TableUnavailable(f"table {name}: {error}") from error
