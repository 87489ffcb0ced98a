"""How many agencies are near a threshold, and how many would meet another value of it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from functions.rating.run.distribution import Distribution, distributions
from functions.rating.run.rules import Rules
from shared.levels import Measured, Rating
from shared.months import Month
from tests.workbooks import Workbook

BOOK = Workbook().rulebook()
OCTOBER, SHANGHAI = Month(2026, 10), ZoneInfo("Asia/Shanghai")


JOINED_IN_NOVEMBER = 1_794_500_000_000_000  # epoch microseconds


def rated(number: int, creators: int, gmv: int, joined_at: int = 0) -> Rating:
    by_power = (0, 0, 0, 0, creators, 0, 0, 0)
    measured = Measured(f"b-{number}", "b", joined_at, creators_by_power=by_power, paid_gmv=gmv)
    return Rules(BOOK, OCTOBER, SHANGHAI).rate(measured, None)


def distribution_of(metric: str, *ratings: Rating) -> Distribution:
    return next(found for found in distributions(ratings, BOOK, "2026-10") if found.metric == metric)


def test_agencies_within_5_and_10_percent_of_a_threshold_are_counted_on_either_side() -> None:
    gmv = [90_000, 94_999, 95_000, 99_999, 100_000, 105_000, 105_001, 110_000, 110_001]
    near = distribution_of("gmv", *(rated(i, 0, fen) for i, fen in enumerate(gmv))).thresholds[0]
    assert (near.level, near.channel, near.required, near.met_by) == (2, 1, 100_000, 5)
    assert [(side.percent, side.below, side.at_or_above) for side in near.near] == [(5, 2, 2), (10, 4, 4)]


def test_every_threshold_of_the_ladder_in_force_is_listed() -> None:
    found = [(near.level, near.channel, near.required) for near in distribution_of("creators").thresholds]
    assert found == [(1, 1, 1), (2, 1, 5), (3, 1, 10)]


def test_an_agency_that_awaits_its_first_rating_is_not_counted() -> None:
    assert distribution_of("gmv", rated(1, 0, 5), rated(2, 0, 5, joined_at=JOINED_IN_NOVEMBER)).agencies == 1


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=60))
def test_each_agency_is_in_one_bin_and_a_cutoff_has_the_number_of_agencies_that_meet_it(values: list[int]) -> None:
    found = distribution_of("gmv", *(rated(i, 0, fen) for i, fen in enumerate(values)))
    assert sum(one.agencies for one in found.bins) == len(values)
    assert [one.below for one in found.bins[:-1]] == [one.at_least for one in found.bins[1:]]
    assert all(sum(value >= cutoff.value for value in values) == cutoff.agencies for cutoff in found.cutoffs)
