"""Answers for creators and merchants: cards, the directory, the ladder, the catalogue, the publication.

Each answer is JSON-ready and of one publication: ``month``, or the newest when None. Raises a Problem for what the
caller did, NothingPublished or TableUnavailable for what is not the caller's doing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from functions.lookup import views
from functions.lookup.cursors import DirectoryPosition
from functions.lookup.desk import Desk, known_benefit, known_level
from functions.lookup.problems import CursorExpired, CursorMalformed, Invalid, MonthUnknown
from functions.lookup.publications import Edition
from shared.levels import Rating
from shared.months import Month
from shared.table import Listing, Table

_LONGEST = 1_000_000  # characters of all cards: a function's answer may have six megabytes


def card(desk: Desk, agency_id: str, month: str | None) -> dict[str, Any]:
    edition = desk.published.edition(month)
    rating = desk.rating(agency_id, edition)
    return {**_card(rating, edition), "stale": edition.stale}


def batch(desk: Desk, agency_ids: Sequence[str], month: str | None) -> dict[str, Any]:
    """Cards in the order asked for, each once, and the ids without one. Raises Invalid for cards that are too long."""
    edition = desk.published.edition(month)
    wanted = list(dict.fromkeys(agency_ids))
    ratings = desk.ratings(wanted, edition)
    found = {rating.agency_id for rating in ratings}
    cards = [_card(rating, edition) for rating in ratings]
    if sum(map(_length, cards)) > _LONGEST:
        detail = "the cards of these agencies are longer than an answer may be; ask for fewer at once"
        raise Invalid([{"in": "body", "pointer": "#/agency_ids", "detail": detail}])
    return {
        "items": cards,
        "missing": [agency_id for agency_id in wanted if agency_id not in found],
        "stale": edition.stale,
    }


def directory(desk: Desk, level: int, limit: int, cursor: str | None, month: str | None) -> dict[str, Any]:
    """One page of a level's agencies: ``limit`` of them, or fewer where their texts are very long.

    A cursor keeps to the run that it began with, also when a newer month is out.
    """
    start = desk.cursors.directory(cursor) if cursor else None
    if start and (start.level != level or month not in (None, start.month)):
        raise CursorMalformed
    edition = _still_valid(desk, start) if start else desk.published.edition(month)
    known_level(str(level), edition)
    begin = start or DirectoryPosition(edition.month, edition.publication.run, level, 0, 0)
    items: list[dict[str, Any]] = []
    length = 0
    following = None
    for position, listing in _listings(desk.table, begin):
        card = views.card(listing, listing.level, listing.status, edition.month, edition.rulebook)
        length += _length(card)
        if len(items) == limit or (items and length > _LONGEST):
            following = desk.cursors.write(position)
            break
        items.append(card)
    return {"items": items, "next": following, "stale": edition.stale}


def ladder(desk: Desk, month: str | None) -> dict[str, Any]:
    edition = desk.published.edition(month)
    return {**views.ladder(edition.month, edition.rulebook), "stale": edition.stale}


def level(desk: Desk, number: str, month: str | None) -> dict[str, Any]:
    edition = desk.published.edition(month)
    rung = views.rung(known_level(number, edition), edition.month, edition.rulebook)
    return {**rung, "month": edition.month, "stale": edition.stale}


def catalogue(desk: Desk, month: str | None) -> dict[str, Any]:
    edition = desk.published.edition(month)
    entries = [views.catalogue_entry(benefit, edition.rulebook) for benefit in edition.rulebook.benefits]
    return {"month": edition.month, "benefits": entries, "stale": edition.stale}


def benefit(desk: Desk, key: str, month: str | None) -> dict[str, Any]:
    edition = desk.published.edition(month)
    entry = views.catalogue_entry(known_benefit(key, edition), edition.rulebook)
    return {**entry, "month": edition.month, "stale": edition.stale}


def publication(desk: Desk, month: str | None) -> dict[str, Any]:
    return publication_of(desk, desk.published.edition(month))


def publication_of(desk: Desk, edition: Edition) -> dict[str, Any]:
    """What is valid, since when, and when levels are next renewed: on the 3rd after the month now being measured."""
    return {
        "month": edition.month,
        "run": edition.publication.run,
        "published_at": desk.local(edition.publication.published_at),
        "next_renewal_on": Month.parse(edition.newest).plus(1).renewed_on.isoformat(),
        "stale": edition.stale,
    }


def _length(card: dict[str, Any]) -> int:
    """The characters of a card's own texts."""
    return sum(len(value) for value in card.values() if isinstance(value, str))


def _card(rating: Rating, edition: Edition) -> dict[str, Any]:
    return views.card(rating.measured, rating.level, rating.status, edition.month, edition.rulebook)


def _still_valid(desk: Desk, start: DirectoryPosition) -> Edition:
    """The edition that a cursor pages through. Raises CursorExpired when it is valid or kept no more."""
    try:
        edition = desk.published.edition(start.month)
    except MonthUnknown:
        raise CursorExpired from None
    if edition.publication.run != start.run:
        raise CursorExpired
    return edition


def _listings(table: Table, begin: DirectoryPosition) -> Iterator[tuple[DirectoryPosition, Listing]]:
    """A level's directory from a position on, each entry with where it stands; pages are read as they are needed."""
    page, offset = begin.page, begin.offset
    while listings := table.listings(begin.run, begin.level, page):
        for at in range(offset, len(listings)):
            yield DirectoryPosition(begin.month, begin.run, begin.level, page, at), listings[at]
        page, offset = page + 1, 0
