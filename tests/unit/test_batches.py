"""Batches keep every item in order, stay within the limit, and are delivered before the next item is read."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from functions.rating.measuring.embedded.reading.batches import batches

WEIGHTS = st.lists(st.integers(0, 20))
LIMITS = st.integers(0, 30)


@given(WEIGHTS, LIMITS)
def test_batches_contain_every_item_in_order(weights: list[int], limit: int) -> None:
    delivered = list(batches(weights, int, limit))

    assert [weight for batch in delivered for weight in batch] == weights
    assert all(delivered)


@given(WEIGHTS, LIMITS)
def test_a_batch_is_as_large_as_the_limit_allows(weights: list[int], limit: int) -> None:
    delivered = list(batches(weights, int, limit))

    assert all(sum(batch) <= limit or len(batch) == 1 for batch in delivered)
    assert all(sum(batch) >= limit or sum(batch) + after[0] > limit for batch, after in pairwise(delivered))


def test_a_full_batch_is_delivered_before_the_next_item_is_read() -> None:
    read: list[int] = []

    def items() -> Iterator[int]:
        for weight in (1, 1, 3, 2):
            read.append(weight)
            yield weight

    seen = [(batch, len(read)) for batch in batches(items(), int, 2)]

    assert seen == [([1, 1], 2), ([3], 3), ([2], 4)]
