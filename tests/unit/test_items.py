"""What fits into an item of the table: pages are limited by bytes too, and what does not fit is named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.rating.publication.items import PAGE_BYTES, PAGE_LISTINGS, pages
from functions.rating.publication.staging import ITEM_BYTES, fitting
from shared.errors import ItemTooLarge
from shared.items import Listing, directory_item, key
from shared.levels import Status


def listing(introduction: str) -> Listing:
    return Listing("a", "机构", None, introduction, None, 1, Status.RATED)


def test_small_listings_share_pages_of_a_hundred() -> None:
    assert [len(page) for page in pages([listing("")] * (2 * PAGE_LISTINGS + 1))] == [PAGE_LISTINGS, PAGE_LISTINGS, 1]


def test_a_page_has_only_as_many_large_listings_as_fit_into_it() -> None:
    third = listing("好" * (PAGE_BYTES // 9))
    assert [len(page) for page in pages([third] * 5)] == [2, 2, 1]


@given(st.lists(st.sampled_from(["", "x", "\x00" * 40_000, "好" * 90_000, '"' * 100_000, "x" * 350_000]), max_size=12))
def test_every_page_fits_into_an_item_and_no_listing_is_lost(introductions: list[str]) -> None:
    listings = [listing(introduction) for introduction in introductions]
    cut = list(pages(listings))
    assert [one for page in cut for one in page] == listings
    for page in cut:
        fitting(directory_item("run", 1, 0, page, 0))


def test_an_item_at_the_limit_fits_and_one_byte_more_does_not() -> None:
    names = key("AGENCY#a", "R")
    room = ITEM_BYTES - len("pkAGENCY#askRrating")
    fitting(names | {"rating": {"S": "好" * (room // 3) + "x" * (room % 3)}})
    with pytest.raises(ItemTooLarge, match=r"agency a: it would take 409,601 bytes.* an item may have 409,600"):
        fitting(names | {"rating": {"S": "x" * (room + 1)}})
