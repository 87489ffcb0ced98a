"""The items of a run: ratings, standings, directory and record. Their order and bytes follow from its inputs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from pydantic_core import to_json

from functions.rating.run.record import RunRecord, record_from, record_item
from functions.rating.run.standings import standings_of
from shared.errors import RunUnknown
from shared.levels import Rating
from shared.table import Listing, Table, directory_item, rating_item, run_key, standings_item

STANDINGS_PAGE = 2000  # about 120 KB, well below the 400 KB that an item may have
PAGE_LISTINGS, PAGE_BYTES = 100, 300 * 1024


def items_of(ratings: Sequence[Rating], record: RunRecord, expires_at: int) -> Iterator[dict[str, Any]]:
    """Every item of a run except its rulebook."""
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


def pages(listings: Iterable[Listing]) -> Iterator[list[Listing]]:
    """The listings of a level as pages of the directory, none larger than an item may be."""
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
    """A run's record. Raises RunUnknown."""
    item = table.get(run_key(run))
    if item is None:
        raise RunUnknown(f"there is no run {run} in table {table.name}; the report of each run names its id")
    return record_from(item)
