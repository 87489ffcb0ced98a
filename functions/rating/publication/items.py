"""The items of a run: ratings, standings, directory and record. Equal inputs give equal bytes in equal order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pydantic_core import to_json

from functions.rating.run.record import RunRecord, record_from, record_item
from functions.rating.run.standings import standings_of
from shared.errors import RunUnknown
from shared.items import Listing, directory_item, key, key_of, rating_item, run_key, standings_item
from shared.levels import Rating
from shared.table import Table

STANDINGS_PAGE = 2000  # about 120 KB, well below the 400 KB that an item may have
PAGE_LISTINGS, PAGE_BYTES = 100, 300 * 1024


def items_of(ratings: Sequence[Rating], record: RunRecord, expires_at: int) -> Iterator[dict[str, Any]]:
    """Every item of a run except its rulebook."""
    for rating in ratings:
        yield rating_item(rating, record.run, expires_at)
    standings = list(standings_of(ratings).items())
    starts = range(0, max(1, len(standings)), STANDINGS_PAGE)
    for page, start in enumerate(starts):
        chunk = dict(standings[start : start + STANDINGS_PAGE])
        yield standings_item(record.run, page, chunk, pages=len(starts), expires_at=expires_at)
    by_level: dict[int, list[Listing]] = defaultdict(list)
    for rating in ratings:
        if rating.level is not None:
            by_level[rating.level].append(Listing.of(rating))
    for level, listings in sorted(by_level.items()):
        for page, of_page in enumerate(pages(listings)):
            yield directory_item(record.run, level, page, of_page, expires_at)
    yield record_item(record, expires_at)


def as_schema_1(item: dict[str, Any]) -> dict[str, Any]:
    """An item as schema 1 stored it: with its pages in the partition of the run's record."""
    kept = {name: value for name, value in item.items() if name not in ("schema", "pages")}
    kind, *of = key_of(item)[0].split("#")
    if kind == "STANDINGS":
        kept |= key(f"RUN#{of[0]}", f"STANDINGS#{of[1]}")
    elif kind == "LEVEL":
        kept |= key(f"RUN#{of[0]}", f"LEVEL#{of[1]}#{of[2]}")
    return kept


def pages(listings: Iterable[Listing]) -> Iterator[list[Listing]]:
    """The listings of a level as pages of the directory. Each page is small enough for one item."""
    page: list[Listing] = []
    size = 0
    for listing in listings:
        more = len(to_json(listing)) + 1
        if page and (len(page) == PAGE_LISTINGS or size + more > PAGE_BYTES):
            yield page
            page, size = [], 0
        page.append(listing)
        size += more
    if page:
        yield page


def load_record(table: Table, run: str) -> RunRecord:
    """A run's record. Raises RunUnknown and ItemInvalid."""
    item = table.get(run_key(run))
    if item is None:
        raise RunUnknown(f"there is no run {run} in table {table.name}; the report of each run names its id")
    return record_from(item)
