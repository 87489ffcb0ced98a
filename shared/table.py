"""The DynamoDB table: its keys, its items, and how they are read. functions/rating/publication writes them.

    pk                    sk                        holds
    POINTER               POINTER                   which run of each month is valid: one item, one conditional write
    LEDGER#<month>        <instant>#<run>           append-only: published, held, accepted, rolled back, refreshed
    RULEBOOK#<id>         RULEBOOK                  a rulebook, once per content
    RUN#<run>             RUN                       the run's record: inputs, counts, moves
    RUN#<run>             STANDINGS#<page>          every agency's level, so that the next month can say up or down
    RUN#<run>             LEVEL#<level>#<page>      the directory
    OUTBOX#<run>          <replaced>#<page>         announcements, written before the run becomes visible
    AGENCY#<agency_id>    RATING#<month>#<run>      one rating; its reasons follow from it and the rulebook

A rating is invisible until the pointer names its run; readers take run and rulebook from one reading of the pointer.
"""

from __future__ import annotations

import json
import random
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import TypeAdapter

from shared.content import canonical_json
from shared.errors import NothingPublished, RunUnknown, TableUnavailable
from shared.levels import Rating, Rulebook, Standing, Status

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BATCH_GET_LIMIT = 100
READ_ATTEMPTS = 6

MadeValid = Literal["published", "restated", "accepted", "rolled_back"]


@dataclass(frozen=True, slots=True)
class Publication:
    """One month's valid run, what made it valid, and the rulebook whose names, benefits and tips go with it."""

    month: str
    run: str
    rulebook: str
    published_at: str
    action: MadeValid


@dataclass(frozen=True, slots=True)
class Pointer:
    """Which publication of each month is valid. ``version`` guards the one conditional write that moves it."""

    version: int
    publications: Mapping[str, Publication]

    def current(self) -> Publication:
        """The newest published month. Raises NothingPublished."""
        if not self.publications:
            raise NothingPublished("no month has been published yet; the first levels appear on the 3rd of the month")
        return self.publications[max(self.publications)]

    def before(self, month: str) -> Publication | None:
        """The newest published month earlier than this one: what its ratings are compared with."""
        earlier = [published for published in self.publications if published < month]
        return self.publications[max(earlier)] if earlier else None


@dataclass(frozen=True, slots=True)
class Listing:
    """An agency in the directory: what its card shows besides the names that the rulebook gives."""

    agency_id: str
    name: str
    city: str | None
    introduction: str | None
    logo_url: str | None
    level: int | None
    status: Status

    @classmethod
    def of(cls, rating: Rating) -> Listing:
        agency = rating.measured
        basic = (agency.agency_id, agency.name, agency.city, agency.introduction, agency.logo_url)
        return cls(*basic, rating.level, rating.status)


_RATING = TypeAdapter(Rating)
_RULEBOOK = TypeAdapter(Rulebook)
_POINTER = TypeAdapter(dict[str, Publication])
_LISTINGS = TypeAdapter(list[Listing])
_STANDINGS = TypeAdapter(dict[str, Standing])


# --- keys and items ---------------------------------------------------------------------------------------------------


def key(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def key_of(item: Mapping[str, Any]) -> tuple[str, str]:
    """An item's key, or a key itself, as text."""
    return item["pk"]["S"], item["sk"]["S"]


POINTER_KEY = key("POINTER", "POINTER")


def rating_key(agency_id: str, month: str, run: str) -> dict[str, Any]:
    return key(f"AGENCY#{agency_id}", f"RATING#{month}#{run}")


def rulebook_key(rulebook: str) -> dict[str, Any]:
    return key(f"RULEBOOK#{rulebook}", "RULEBOOK")


def run_key(run: str) -> dict[str, Any]:
    return key(f"RUN#{run}", "RUN")


def standings_key(run: str, page: int) -> dict[str, Any]:
    return key(f"RUN#{run}", f"STANDINGS#{page:04d}")


def directory_key(run: str, level: int, page: int) -> dict[str, Any]:
    return key(f"RUN#{run}", f"LEVEL#{level}#{page:04d}")


def rating_item(rating: Rating, run: str, expires_at: int) -> dict[str, Any]:
    """A rating as an item: one JSON text, so that equal ratings are equal bytes and reading needs no conversion."""
    body = _RATING.dump_json(rating).decode()
    return rating_key(rating.agency_id, rating.month, run) | {"rating": {"S": body}, **_expiry(expires_at)}


def rulebook_item(rulebook: Rulebook, rulebook_id: str) -> dict[str, Any]:
    """A rulebook snapshot, compressed: 5,000 overrides would not fit an item as text. Its expiry is set at each use."""
    return rulebook_key(rulebook_id) | {"content": {"B": zlib.compress(canonical_json(rulebook).encode())}}


def standings_item(run: str, page: int, standings: Mapping[str, Standing], expires_at: int) -> dict[str, Any]:
    body = _STANDINGS.dump_json(dict(standings)).decode()
    return standings_key(run, page) | {"standings": {"S": body}, **_expiry(expires_at)}


def directory_item(run: str, level: int, page: int, listings: Sequence[Listing], expires_at: int) -> dict[str, Any]:
    body = _LISTINGS.dump_json(list(listings)).decode()
    return directory_key(run, level, page) | {"listings": {"S": body}, **_expiry(expires_at)}


def pointer_item(pointer: Pointer) -> dict[str, Any]:
    body = _POINTER.dump_json(dict(sorted(pointer.publications.items()))).decode()
    return POINTER_KEY | {"version": {"N": str(pointer.version)}, "publications": {"S": body}}


def _expiry(expires_at: int) -> dict[str, Any]:
    return {"expires_at": {"N": str(expires_at)}}


def _rulebook_from(item: Mapping[str, Any]) -> Rulebook:
    return _RULEBOOK.validate_json(zlib.decompress(item["content"]["B"]))


# --- reading ----------------------------------------------------------------------------------------------------------


class Table:
    """Reads the table through a low-level client (half the cost of the resource on the hot path)."""

    def __init__(self, client: DynamoDBClient, name: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self.client = client
        self.name = name
        self.sleep = sleep

    def pointer(self) -> Pointer:
        """The valid publications; version 0 and empty before the first."""
        item = self._get(POINTER_KEY)
        if item is None:
            return Pointer(0, {})
        return Pointer(int(item["version"]["N"]), _POINTER.validate_json(item["publications"]["S"]))

    def rating(self, agency_id: str, publication: Publication) -> Rating | None:
        """One agency's rating in a publication; None when the agency is not in it."""
        item = self._get(rating_key(agency_id, publication.month, publication.run))
        return None if item is None else _RATING.validate_json(item["rating"]["S"])

    def ratings(self, wanted: Iterable[tuple[str, Publication]]) -> list[Rating]:
        """The ratings that exist among these agencies and publications, in the order asked for; one request per 100."""
        keys = [rating_key(agency_id, publication.month, publication.run) for agency_id, publication in wanted]
        found = {key_of(item): item["rating"]["S"] for item in self.get_many(keys)}
        bodies = (found.get(key_of(k)) for k in keys)
        return [_RATING.validate_json(body) for body in bodies if body is not None]

    def rulebook(self, rulebook_id: str) -> Rulebook:
        """A rulebook by its content id. Raises RunUnknown when there is no such snapshot."""
        item = self._get(rulebook_key(rulebook_id))
        if item is None:
            raise RunUnknown(f"rulebook {rulebook_id} is not in table {self.name}")
        return _rulebook_from(item)

    def rulebooks(self, rulebook_ids: Iterable[str]) -> dict[str, Rulebook]:
        """Those of these rulebooks that exist, by content id; one request per 100."""
        items = self.get_many([rulebook_key(rulebook_id) for rulebook_id in rulebook_ids])
        return {key_of(item)[0].removeprefix("RULEBOOK#"): _rulebook_from(item) for item in items}

    def level_counts(self, runs: Iterable[str]) -> dict[str, dict[str, int]]:
        """Agencies by level, of those of these runs whose record exists; one request per 100."""
        items = self.get_many([run_key(run) for run in runs])
        records = [(key_of(item)[0], json.loads(zlib.decompress(item["record"]["B"]))) for item in items]
        return {pk.removeprefix("RUN#"): record["levels"] for pk, record in records}

    def listings(self, run: str, level: int, page: int) -> list[Listing]:
        """One page (0, 1, …) of the directory of a level, by agency_id; empty past the last."""
        item = self._get(directory_key(run, level, page))
        return [] if item is None else _LISTINGS.validate_json(item["listings"]["S"])

    def standings(self, run: str) -> dict[str, Standing]:
        """Every agency's standing in a run, by agency_id."""
        standings: dict[str, Standing] = {}
        for item in self.query(f"RUN#{run}", "STANDINGS#"):
            standings |= _STANDINGS.validate_json(item["standings"]["S"])
        return standings

    def query(self, pk: str, sk_begins: str = "") -> Iterator[dict[str, Any]]:
        """Every item of a partition whose sort key begins so, ascending."""
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

    def get(self, item_key: dict[str, Any]) -> dict[str, Any] | None:
        """One item as DynamoDB keeps it, or None."""
        return self._get(item_key)

    def _get(self, item_key: dict[str, Any]) -> dict[str, Any] | None:
        with table_errors(self.name):
            return self.client.get_item(TableName=self.name, Key=item_key, ConsistentRead=True).get("Item")

    def get_many(self, keys: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """The items that exist among these keys, in no order; one request per 100."""
        unique = list({key_of(k): k for k in keys}.values())
        for start in range(0, len(unique), BATCH_GET_LIMIT):
            wanted = unique[start : start + BATCH_GET_LIMIT]
            pending: Any = {self.name: {"Keys": wanted, "ConsistentRead": True}}
            for attempt in range(READ_ATTEMPTS):
                with table_errors(self.name):
                    answer = self.client.batch_get_item(RequestItems=pending)
                yield from answer["Responses"].get(self.name, [])
                pending = answer.get("UnprocessedKeys")
                if not pending:
                    break
                self.sleep(random.uniform(0, 0.05 * 2**attempt))  # noqa: S311 - jitter, not a secret
            else:
                raise TableUnavailable(f"table {self.name} left keys unread after {READ_ATTEMPTS} attempts")


@contextmanager
def table_errors(name: str) -> Iterator[None]:
    """Translates what botocore raises, in one place, keeping the cause."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise TableUnavailable(f"table {name}: {error}") from error
