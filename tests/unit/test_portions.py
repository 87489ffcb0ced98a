"""Portions: nothing is lost or moved, none weighs too much, and none waits for what comes after it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from functions.rating.measuring.embedded.portions import portions

WEIGHTS = st.lists(st.integers(0, 20))
LIMITS = st.integers(0, 30)


@given(WEIGHTS, LIMITS)
def test_portions_hold_everything_in_its_order(weights: list[int], limit: int) -> None:
    given_out = list(portions(weights, int, limit))

    assert [weight for portion in given_out for weight in portion] == weights
    assert all(given_out)


@given(WEIGHTS, LIMITS)
def test_a_portion_is_as_large_as_may_be(weights: list[int], limit: int) -> None:
    given_out = list(portions(weights, int, limit))

    assert all(sum(portion) <= limit or len(portion) == 1 for portion in given_out)
    assert all(sum(portion) >= limit or sum(portion) + after[0] > limit for portion, after in pairwise(given_out))


def test_a_full_portion_is_given_out_before_the_next_thing_is_asked_for() -> None:
    asked: list[int] = []

    def things() -> Iterator[int]:
        for weight in (1, 1, 3, 2):
            asked.append(weight)
            yield weight

    seen = [(portion, len(asked)) for portion in portions(things(), int, 2)]

    assert seen == [([1, 1], 2), ([3], 3), ([2], 4)]
