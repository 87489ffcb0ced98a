"""Answers for the agency itself: its own view, history, entitlements and binding slots.

Each answer is JSON-ready and of one publication: ``month``, or the newest when None. Raises a Problem for what the
caller did, NothingPublished or TableUnavailable for what is not the caller's doing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from functions.lookup import views
from functions.lookup.binding_slots import binding_slots
from functions.lookup.cursors import HistoryPosition
from functions.lookup.desk import Desk, known_benefit, possible, unknown_agency
from functions.lookup.for_everybody import publication_of
from functions.lookup.problems import CursorMalformed
from shared.levels import Rating
from shared.table import Publication


def own_view(desk: Desk, agency_id: str, month: str | None) -> dict[str, Any]:
    edition = desk.published.edition(month)
    rating = desk.rating(agency_id, edition)
    return {
        **views.own_view(rating, edition.rulebook),
        "publication": publication_of(desk, edition),
        "stale": edition.stale,
    }


def history(desk: Desk, agency_id: str, limit: int, cursor: str | None, month: str | None) -> dict[str, Any]:
    """An agency's months up to an edition's, newest first; months in which it was not on the platform are left out."""
    edition = desk.published.edition(month)
    position = desk.cursors.history(cursor) if cursor else None
    if position and position.agency_id != agency_id:
        raise CursorMalformed
    publications = sorted(edition.pointer.publications.values(), key=lambda p: p.month, reverse=True)
    earlier = [p for p in publications if p.month <= edition.month and (not position or p.month < position.before)]
    found = _past_ratings(desk, agency_id, earlier, limit + 1)
    if not found and not position:
        raise unknown_agency(edition)
    shown = found[:limit]
    rulebooks = desk.published.rulebooks(publication.rulebook for _, publication in shown)
    following = HistoryPosition(agency_id, shown[-1][1].month) if len(found) > limit else None
    return {
        "agency_id": agency_id,
        "items": [
            views.past(
                rating,
                {"run": p.run, "published_at": desk.local(p.published_at), "action": p.action},
                rulebooks[p.rulebook],
            )
            for rating, p in shown
            if p.rulebook in rulebooks
        ],
        "next": desk.cursors.write(following) if following else None,
        "stale": edition.stale,
    }


def entitlements(desk: Desk, agency_id: str, month: str | None) -> dict[str, Any]:
    edition = desk.published.edition(month)
    rating = desk.rating(agency_id, edition)
    benefits = [views.entitlement(benefit, rating) for benefit in edition.rulebook.benefits]
    return {**_whose(rating), "benefits": benefits, "stale": edition.stale}


def entitlement(desk: Desk, agency_id: str, key: str, month: str | None) -> dict[str, Any]:
    edition = desk.published.edition(month)
    rating = desk.rating(agency_id, edition)
    return {**views.entitlement(known_benefit(key, edition), rating), **_whose(rating), "stale": edition.stale}


def slots(desk: Desk, agency_id: str, month: str | None) -> dict[str, Any]:
    edition = desk.published.edition(month)
    counts = desk.rating(agency_id, edition).measured.slots
    counted = binding_slots(counts, edition.rulebook.settings)
    return {"agency_id": agency_id, "month": edition.month, **counted, "stale": edition.stale}


def _whose(rating: Rating) -> dict[str, Any]:
    return {"agency_id": rating.agency_id, "month": rating.month, "level": rating.level}


def _past_ratings(
    desk: Desk, agency_id: str, publications: Sequence[Publication], enough: int
) -> list[tuple[Rating, Publication]]:
    """An agency's ratings in these publications, in their order, until there are enough."""
    found: list[tuple[Rating, Publication]] = []
    if not possible(agency_id):
        return found
    by_month = {publication.month: publication for publication in publications}
    for start in range(0, len(publications), enough):
        ratings = desk.table.ratings((agency_id, p) for p in publications[start : start + enough])
        found += [(rating, by_month[rating.month]) for rating in ratings]
        if len(found) >= enough:
            break
    return found
