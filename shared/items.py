"""The items of the DynamoDB table: their keys, what they hold, and how each is stored and read again.

    pk                        sk                      holds
    POINTER                   POINTER                 the valid run of each month: one item, one conditional write
    LEDGER#<month>            V<version>#…            append-only: published, held, accepted, rolled back, refreshed …
    OUTBOX                    <sequence>              a publication's unsent events, and how many are sent
    CHANGES#<run>#<page>      <replaced run>          the agencies whose level differs, written before the pointer moves
    RULEBOOK#<id>             RULEBOOK                a rulebook, once per content
    RUN#<run>                 RUN                     the run's record: inputs, counts, level changes
    STANDINGS#<run>#<page>    STANDINGS               every agency's level, so that the next month can say up or down
    LEVEL#<run>#<level>#<page> LEVEL                  the directory
    AGENCY#<agency_id>        RATING#<month>#<run>    one rating; its reasons follow from it and the rulebook

Each page is a partition of its own, since DynamoDB writes 1,000 units a second to one. The first page of standings
has the number of pages. Every item has the ``schema`` that it was written with. Fields are only ever added, with a
default; a reader ignores unknown fields, and a writer keeps them. A change that an older reader would read wrongly
raises SCHEMA; older readers then refuse. Items without ``schema`` are of schema 1, which stored a run's pages in the
partition of its record; they are still read.

A rating is invisible until the pointer names its run; readers take run and rulebook from one reading of the pointer.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

from pydantic import TypeAdapter

from shared.content import canonical_json
from shared.errors import ItemInvalid, NothingPublished
from shared.levels import Rating, Rulebook, Standing, Status

SCHEMA = 2


MadeValid = Literal["published", "restated", "accepted", "rolled_back"]


@dataclass(frozen=True, slots=True)
class Publication:
    """One month's valid run, how it became valid, and the rulebook of its names, benefits and tips."""

    month: str
    run: str
    rulebook: str
    published_at: str
    action: MadeValid


@dataclass(frozen=True, slots=True)
class Pointer:
    """The valid publication of each month. ``version``: guards the one conditional write that changes it.

    ``unknown``: by month, fields of a newer version of this software; they are kept.
    """

    version: int
    publications: Mapping[str, Publication]
    unknown: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    schema: int = SCHEMA

    def following(self, publication: Publication) -> Pointer:
        """The next pointer: this publication becomes the valid one of its month."""
        valid = self.publications.get(publication.month)
        same_run = valid is not None and valid.run == publication.run
        kept = {month: more for month, more in self.unknown.items() if month != publication.month or same_run}
        publications = {**self.publications, publication.month: publication}
        return replace(self, version=self.version + 1, publications=publications, unknown=kept, schema=SCHEMA)

    def current(self) -> Publication:
        """The newest published month. Raises NothingPublished."""
        if not self.publications:
            raise NothingPublished("no month has been published yet; the first levels appear on the 3rd of the month")
        return self.publications[max(self.publications)]

    def before(self, month: str) -> Publication | None:
        """The newest published month before this one: its ratings are compared with."""
        earlier = [published for published in self.publications if published < month]
        return self.publications[max(earlier)] if earlier else None


@dataclass(frozen=True, slots=True)
class Listing:
    """An agency in the directory, with the fields of its card that don't come from the rulebook."""

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
    """The partition key and sort key of an item or a key, as text."""
    return item["pk"]["S"], item["sk"]["S"]


def key_text(item: Mapping[str, Any]) -> str:
    """The key of an item, or a key, as messages name it: partition key and sort key."""
    return " ".join(key_of(item))


POINTER_KEY = key("POINTER", "POINTER")


def rating_key(agency_id: str, month: str, run: str) -> dict[str, Any]:
    return key(f"AGENCY#{agency_id}", f"RATING#{month}#{run}")


def rulebook_key(rulebook: str) -> dict[str, Any]:
    return key(f"RULEBOOK#{rulebook}", "RULEBOOK")


def run_key(run: str) -> dict[str, Any]:
    return key(f"RUN#{run}", "RUN")


def standings_key(run: str, page: int) -> dict[str, Any]:
    return key(f"STANDINGS#{run}#{page:04d}", "STANDINGS")


def directory_key(run: str, level: int, page: int) -> dict[str, Any]:
    return key(f"LEVEL#{run}#{level}#{page:04d}", "LEVEL")


def stored(item_key: Mapping[str, Any], expires_at: int | None = None, **attributes: Any) -> dict[str, Any]:
    """An item of the present schema: its key, its attributes in DynamoDB's form, and its expiry if it has one."""
    expiry = {} if expires_at is None else {"expires_at": {"N": str(expires_at)}}
    return {**item_key, **attributes, **expiry, "schema": {"N": str(SCHEMA)}}


def rating_item(rating: Rating, run: str, expires_at: int) -> dict[str, Any]:
    """A rating as an item with one JSON text: equal ratings have equal bytes, and reading needs no conversion."""
    body = _RATING.dump_json(rating).decode()
    return stored(rating_key(rating.agency_id, rating.month, run), expires_at, rating={"S": body})


def rulebook_item(rulebook: Rulebook, rulebook_id: str, expires_at: int) -> dict[str, Any]:
    """A rulebook as an item, compressed: as plain text, 5,000 overrides would not fit into an item."""
    body = zlib.compress(canonical_json(rulebook).encode())
    return stored(rulebook_key(rulebook_id), expires_at, content={"B": body})


def standings_item(
    run: str, page: int, standings: Mapping[str, Standing], *, pages: int, expires_at: int
) -> dict[str, Any]:
    """One of ``pages`` pages of standings."""
    body = _STANDINGS.dump_json(dict(standings)).decode()
    return stored(standings_key(run, page), expires_at, standings={"S": body}, pages={"N": str(pages)})


def directory_item(run: str, level: int, page: int, listings: Sequence[Listing], expires_at: int) -> dict[str, Any]:
    body = _LISTINGS.dump_json(list(listings)).decode()
    return stored(directory_key(run, level, page), expires_at, listings={"S": body})


def publications_text(pointer: Pointer) -> str:
    """The pointer's publications as they are stored."""
    known = json.loads(_POINTER.dump_json(dict(sorted(pointer.publications.items()))))
    return canonical_json({month: {**pointer.unknown.get(month, {}), **known[month]} for month in known})


def pointer_item(pointer: Pointer) -> dict[str, Any]:
    """The pointer as an item."""
    return stored(POINTER_KEY, version={"N": str(pointer.version)}, publications={"S": publications_text(pointer)})


def pointer_from(item: Mapping[str, Any]) -> Pointer:
    """The pointer that an item holds. Raises ItemInvalid."""
    with reading(item):
        body = item["publications"]["S"]
        names = {field.name for field in fields(Publication)}
        unknown = {
            month: more
            for month, publication in json.loads(body).items()
            if (more := {name: value for name, value in publication.items() if name not in names})
        }
        return Pointer(int(item["version"]["N"]), _POINTER.validate_json(body), unknown, schema_of(item))


def rating_from(item: Mapping[str, Any]) -> Rating:
    """The rating that an item holds. Raises ItemInvalid."""
    with reading(item):
        return _RATING.validate_json(item["rating"]["S"])


def standings_from(item: Mapping[str, Any]) -> dict[str, Standing]:
    """The standings on a page, by agency_id. Raises ItemInvalid."""
    with reading(item):
        return _STANDINGS.validate_json(item["standings"]["S"])


def listings_from(item: Mapping[str, Any]) -> list[Listing]:
    """The listings on a page of the directory. Raises ItemInvalid."""
    with reading(item):
        return _LISTINGS.validate_json(item["listings"]["S"])


def rulebook_from(item: Mapping[str, Any]) -> Rulebook:
    """The rulebook that an item holds. Raises ItemInvalid."""
    with reading(item):
        return _RULEBOOK.validate_json(zlib.decompress(item["content"]["B"]))


def schema_of(item: Mapping[str, Any]) -> int:
    return int(item["schema"]["N"]) if "schema" in item else 1


@contextmanager
def reading(item: Mapping[str, Any]) -> Iterator[None]:
    """Within the block an item is decoded. Raises ItemInvalid, naming the item, if that fails."""
    try:
        if schema_of(item) > SCHEMA:
            raise ItemInvalid(
                f"{key_text(item)}: it was written by a newer version of this software (schema {schema_of(item)}, "
                f"known are 1 to {SCHEMA}). Deploy that version again.",
                key_of(item),
            )
        yield
    except (KeyError, TypeError, ValueError, zlib.error) as error:
        raise ItemInvalid(
            f"{key_text(item)}: its content can't be read ({type(error).__name__}). "
            "Verify the run; repair its month, or restore the table from a backup.",
            key_of(item),
        ) from error
