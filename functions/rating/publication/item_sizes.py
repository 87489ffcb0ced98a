"""What fits into one item of the table: 400 KB, names of attributes included."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic_core import to_json

from shared.errors import ItemTooLarge
from shared.table import Listing, key_of

ITEM_BYTES = 400 * 1024
PAGE_LISTINGS, PAGE_BYTES = 100, 300 * 1024

_MENDS = {
    "AGENCY": "Shorten the texts of this agency in the agencies extract, and have it written again.",
    "RULEBOOK": "Shorten the texts in the spreadsheet.",
    "RUN": "Have the extracts written as fewer, larger objects.",
}


def fitting(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """The item. Raises ItemTooLarge, naming whose it is, when the table would not take it."""
    size = size_of(item)
    if size > ITEM_BYTES:
        kind, _, whose = key_of(item)[0].partition("#")
        raise ItemTooLarge(
            f"{kind.lower()} {whose}: it would take {size:,} bytes in the table, an item may have {ITEM_BYTES:,}. "
            f"Nothing was published. {_MENDS.get(kind, '')}".rstrip()
        )
    return item


def size_of(item: Mapping[str, Any]) -> int:
    """An upper bound of the bytes that DynamoDB counts."""
    return sum(len(name) + _bytes(value) for name, value in item.items())


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


def _bytes(value: Mapping[str, Any]) -> int:
    [content] = value.values()
    return len(content.encode()) if isinstance(content, str) else len(content) if isinstance(content, bytes) else 1
