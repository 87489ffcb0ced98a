"""Batches: nothing is lost or moved, none weighs too much, and none waits for what comes after it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from functions.rating.measuring.embedded.reading.batches import batches

WEIGHTS = st.lists(st.integers(0, 20))
LIMITS = st.integers(0, 30)


@given(WEIGHTS, LIMITS)
def test_batches_hold_everything_in_its_order(weights: list[int], limit: int) -> None:
    given_out = list(batches(weights, int, limit))

    assert [weight for batch in given_out for weight in batch] == weights
    assert all(given_out)


@given(WEIGHTS, LIMITS)
def test_a_batch_is_as_large_as_may_be(weights: list[int], limit: int) -> None:
    given_out = list(batches(weights, int, limit))

    assert all(sum(batch) <= limit or len(batch) == 1 for batch in given_out)
    assert all(sum(batch) >= limit or sum(batch) + after[0] > limit for batch, after in pairwise(given_out))


def test_a_full_batch_is_given_out_before_the_next_thing_is_asked_for() -> None:
    asked: list[int] = []

    def things() -> Iterator[int]:
        for weight in (1, 1, 3, 2):
            asked.append(weight)
            yield weight

    seen = [(batch, len(asked)) for batch in batches(things(), int, 2)]

    assert seen == [([1, 1], 2), ([3], 3), ([2], 4)]
