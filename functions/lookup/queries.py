"""The answer to each operation, from one Snapshot.

Raises a Problem if the caller's request is wrong, and TableUnavailable. Cards, directory, ladder, benefits and
publication are for everybody; the others are for the agency itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from functions.lookup import contract, views
from functions.lookup.binding_slots import binding_slots
from functions.lookup.cursors import Cursors, DirectoryPosition, HistoryPosition, PublicationsPosition
from functions.lookup.problems import CursorExpired, CursorMalformed, Fault, Invalid, MonthUnknown
from functions.lookup.publications import Snapshot, is_agency_id
from functions.lookup.sizes import ITEMS_BYTES, bytes_of_item
from shared.items import Listing, Publication
from shared.levels import Rating
from shared.months import Month

_LEAST_STEP = 25  # months read at once, so that the size of a page does not change the number of reads
_TOO_LONG: Fault = {
    "in": "body",
    "code": "answer-too-long",
    "pointer": "#/agency_ids",
    "detail": "The cards of these agencies are longer than an answer may be. Ask for fewer at once.",
    "detail_zh": "这些机构的名片总长超过一次响应的上限。请减少一次查询的机构数。",
}


# --- for everybody ----------------------------------------------------------------------------------------------------


def card(snapshot: Snapshot, agency_id: str) -> contract.AgencyCard:
    return _card(snapshot.rating(agency_id), snapshot)


def batch(snapshot: Snapshot, agency_ids: Sequence[str]) -> contract.BatchAnswer:
    """Cards in the requested order, each once, and the ids without one. Raises Invalid if the cards are too long."""
    wanted = list(dict.fromkeys(agency_ids))
    ratings = snapshot.ratings(wanted)
    found = {rating.agency_id for rating in ratings}
    cards = [_card(rating, snapshot) for rating in ratings]
    if sum(map(bytes_of_item, cards)) > ITEMS_BYTES:
        raise Invalid([_TOO_LONG])
    return {"items": cards, "missing": [agency_id for agency_id in wanted if agency_id not in found]}


def directory(
    snapshot: Snapshot, asked: contract.DirectoryPage, cursors: Cursors, position: DirectoryPosition | None
) -> contract.DirectoryAnswer:
    """One page of a level's agencies: ``limit`` of them, or fewer if their texts are very long.

    ``position``: where the page begins, None for the first page.
    """
    snapshot.level(str(asked.level))
    begin = position or DirectoryPosition(snapshot.month, snapshot.publication.run, asked.level, 0, 0)
    items: list[contract.AgencyCard] = []
    length = 0
    following = None
    for at, listing in _listings(snapshot, begin):
        card = views.card(listing, listing.level, listing.status, snapshot.month, snapshot.rulebook)
        length += bytes_of_item(card)
        if len(items) == asked.limit or (items and length > ITEMS_BYTES):
            following = cursors.write(at)
            break
        items.append(card)
    return {"items": items, "next": following}


def continued(snapshot: Snapshot, asked: contract.DirectoryPage, position: DirectoryPosition) -> Snapshot:
    """The snapshot that a cursor began with, even if a newer month was published since.

    Raises CursorMalformed for another level or month, and CursorExpired if that publication is no longer valid or
    stored.
    """
    if position.level != asked.level or asked.month not in (None, position.month):
        raise CursorMalformed
    try:
        began = snapshot.of(position.month)
    except MonthUnknown:
        raise CursorExpired from None
    if began.publication.run != position.run:
        raise CursorExpired
    return began


def ladder(snapshot: Snapshot) -> contract.LadderAnswer:
    return views.ladder(snapshot.month, snapshot.rulebook)


def level(snapshot: Snapshot, number: str) -> contract.LevelAnswer:
    shown = views.level_of_ladder(snapshot.level(number), snapshot.month, snapshot.rulebook)
    return {**shown, "month": snapshot.month}


def catalogue(snapshot: Snapshot) -> contract.BenefitsAnswer:
    entries = [views.catalogue_entry(benefit, snapshot.rulebook) for benefit in snapshot.rulebook.benefits]
    return {"month": snapshot.month, "benefits": entries}


def benefit(snapshot: Snapshot, key: str) -> contract.BenefitAnswer:
    return {**views.catalogue_entry(snapshot.benefit(key), snapshot.rulebook), "month": snapshot.month}


def publication(snapshot: Snapshot) -> contract.PublicationAnswer:
    """The valid publication, and when levels are renewed next: on the 3rd after the month being measured now."""
    return {
        "month": snapshot.month,
        "run": snapshot.publication.run,
        "published_at": snapshot.published_at,
        "next_renewal_on": Month.parse(snapshot.newest).plus(1).renewed_on,
    }


def publications(
    snapshot: Snapshot, limit: int, cursors: Cursors, position: PublicationsPosition | None
) -> contract.PublicationsAnswer:
    """The published months, newest first."""
    kept = sorted(snapshot.pointer.publications.values(), key=lambda p: p.month, reverse=True)
    later = [p for p in kept if not position or p.month < position.before]
    shown = later[:limit]
    levels = snapshot.source.level_counts(publication.run for publication in shown)
    return {
        "items": [
            {
                "month": p.month,
                "run": p.run,
                "published_at": snapshot.local(p.published_at),
                "levels": dict(levels[p.run]) if p.run in levels else None,
            }
            for p in shown
        ],
        "next": cursors.write(PublicationsPosition(shown[-1].month)) if len(later) > limit else None,
    }


# --- for the agency itself --------------------------------------------------------------------------------------------


def own_view(snapshot: Snapshot, agency_id: str) -> contract.OwnViewAnswer:
    made_from: contract.ViewPublication = {**publication(snapshot), "stale": snapshot.stale}
    return views.own_view(snapshot.rating(agency_id), snapshot.rulebook, made_from)


def history(
    snapshot: Snapshot, agency_id: str, limit: int, cursors: Cursors, position: HistoryPosition | None
) -> contract.HistoryAnswer:
    """An agency's months up to the snapshot's, newest first, without months in which it was not on the platform."""
    if position and position.agency_id != agency_id:
        raise CursorMalformed
    publications = sorted(snapshot.pointer.publications.values(), key=lambda p: p.month, reverse=True)
    earlier = [p for p in publications if p.month <= snapshot.month and (not position or p.month < position.before)]
    found = _past_ratings(snapshot, agency_id, earlier, limit + 1)
    if not found and not position:
        raise snapshot.unknown_agency()
    shown = found[:limit]
    rulebooks = snapshot.source.rulebooks(publication.rulebook for _, publication in shown)
    following = HistoryPosition(agency_id, shown[-1][1].month) if len(found) > limit else None
    return {
        "agency_id": agency_id,
        "items": [
            views.past(rating, publication, snapshot.local(publication.published_at), rulebooks[publication.rulebook])
            for rating, publication in shown
            if publication.rulebook in rulebooks
        ],
        "next": cursors.write(following) if following else None,
    }


def entitlements(snapshot: Snapshot, agency_id: str) -> contract.EntitlementsAnswer:
    rating = snapshot.rating(agency_id)
    benefits = [views.entitlement(benefit, rating) for benefit in snapshot.rulebook.benefits]
    return {"agency_id": rating.agency_id, "month": rating.month, "level": rating.level, "benefits": benefits}


def entitlement(snapshot: Snapshot, agency_id: str, key: str) -> contract.EntitlementAnswer:
    rating = snapshot.rating(agency_id)
    shown = views.entitlement(snapshot.benefit(key), rating)
    return {**shown, "agency_id": rating.agency_id, "month": rating.month, "level": rating.level}


def slots(snapshot: Snapshot, agency_id: str) -> contract.BindingSlotsAnswer:
    counts = snapshot.rating(agency_id).measured.slots
    counted = binding_slots(counts, snapshot.rulebook.settings)
    return {"agency_id": agency_id, "month": snapshot.month, **counted}


# --- what they have in common -----------------------------------------------------------------------------------------


def _card(rating: Rating, snapshot: Snapshot) -> contract.AgencyCard:
    return views.card(rating.measured, rating.level, rating.status, snapshot.month, snapshot.rulebook)


def _listings(snapshot: Snapshot, begin: DirectoryPosition) -> Iterator[tuple[DirectoryPosition, Listing]]:
    """A level's directory from a position on, each entry with its position. Pages are read when they are needed."""
    page, offset = begin.page, begin.offset
    while listings := snapshot.listings(begin.level, page):
        for at in range(offset, len(listings)):
            yield DirectoryPosition(begin.month, begin.run, begin.level, page, at), listings[at]
        page, offset = page + 1, 0


def _past_ratings(
    snapshot: Snapshot, agency_id: str, publications: Sequence[Publication], enough: int
) -> list[tuple[Rating, Publication]]:
    """An agency's ratings in these publications, in their order, until there are enough."""
    found: list[tuple[Rating, Publication]] = []
    if not is_agency_id(agency_id):
        return found
    by_month = {publication.month: publication for publication in publications}
    step = max(enough, _LEAST_STEP)
    for start in range(0, len(publications), step):
        ratings = snapshot.source.table.ratings((agency_id, p) for p in publications[start : start + step])
        found += [(rating, by_month[rating.month]) for rating in ratings]
        if len(found) >= enough:
            break
    return found
