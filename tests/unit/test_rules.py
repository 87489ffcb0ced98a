"""The rules of a rating, its reasons, and what is true of any numbers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.rating.run.rules import Rules, computed_level
from shared.levels import (
    Change,
    Channel,
    Ladder,
    Level,
    Measure,
    Measured,
    Metric,
    Override,
    Rating,
    Rulebook,
    RuleSettings,
    Rung,
    Standing,
    Status,
    Threshold,
)
from shared.months import Month
from shared.reasons import Reasons, channel_result, next_level, reasons

SHANGHAI = ZoneInfo("Asia/Shanghai")
MAY = Month.parse("2026-05")
METRICS = ("six", "four", "gmv")


def channel(number: int, **required: int) -> Channel:
    return Channel(number, tuple(Threshold(metric, value) for metric, value in sorted(required.items())))


def ladder(*rungs: tuple[Channel, ...]) -> Ladder:
    return Ladder(None, tuple(Rung(level, channels) for level, channels in enumerate(rungs, start=1)))


def rulebook(book: Ladder, **more: object) -> Rulebook:
    base = Rulebook(
        levels=tuple(Level(rung.level, f"L{rung.level}", "") for rung in book.rungs),
        metrics=(
            Metric("four", "4+", Measure.CREATOR_COUNT, 4, 7, ""),
            Metric("gmv", "GMV", Measure.PAID_GMV, None, None, "yuan"),
            Metric("six", "6+", Measure.CREATOR_COUNT, 6, 7, ""),
        ),
        ladders=(book,),
        benefits=(),
    )
    return replace(base, **more)  # type: ignore[arg-type]


def joined(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC).timestamp()) * 1_000_000


def agency(powers: dict[int, int] | None = None, gmv: int = 0, joined_at: str = "2025-01-01") -> Measured:
    counts = tuple((powers or {}).get(power, 0) for power in range(8))
    return Measured("A1", "One", joined(joined_at), creators_by_power=counts, paid_gmv=gmv)


THREE = ladder(
    (channel(1, four=1), channel(2, gmv=100)),
    (channel(1, four=5, six=1), channel(2, gmv=1000, four=1)),
    (channel(1, four=20, six=5), channel(2, gmv=5000, four=2)),
)


def rated(measured: Measured, month: Month = MAY, earlier: Standing | None = None, **more: object) -> Rating:
    return Rules(rulebook(THREE, **more), month, SHANGHAI).rate(measured, earlier)


def reasons_of(rating: Rating) -> Reasons:
    return reasons(rating, rulebook(THREE))


def next_level_of(rating: Rating) -> int | None:
    above = reasons_of(rating).next_level
    return above.level if above else None


def test_an_agency_has_a_level_if_it_passes_either_channel() -> None:
    assert rated(agency({4: 4, 6: 1})).level == 2
    assert rated(agency({4: 1}, gmv=1000)).level == 2


def test_every_threshold_of_a_channel_must_be_met() -> None:
    assert rated(agency({4: 5})).level == 1
    assert rated(agency(gmv=1000)).level == 1


def test_a_value_equal_to_the_threshold_passes_and_one_fen_less_does_not() -> None:
    assert rated(agency(gmv=100)).level == 1
    assert rated(agency(gmv=99)).level is None


def test_the_highest_level_that_is_met_counts_even_if_a_lower_one_is_not_met() -> None:
    gap = ladder((channel(1, four=50),), (channel(1, gmv=10),))
    assert Rules(rulebook(gap), MAY, SHANGHAI).rate(agency(gmv=10), None).level == 2


def test_a_creator_counts_for_every_metric_whose_power_levels_include_its_own() -> None:
    assert rated(agency({7: 2, 4: 1, 3: 9})).metrics == {"four": 3, "six": 2, "gmv": 0}


def test_an_agency_that_passes_no_level_is_unrated_and_its_next_level_is_1() -> None:
    rating = rated(agency())
    assert (rating.status, rating.level, reasons_of(rating).channels) == (Status.BELOW_LADDER, None, ())
    assert next_level_of(rating) == 1


def test_the_top_level_has_no_next() -> None:
    assert next_level_of(rated(agency({6: 20}, gmv=10**9))) is None


@pytest.mark.parametrize(
    ("joined_at", "wait", "awaited"),
    [
        ("2026-05-01T00:00:00", 1, None),
        ("2026-05-31T23:59:59", 1, None),
        ("2026-06-01T00:00:00", 1, date(2026, 7, 3)),
        ("2026-05-01T00:00:00", 2, date(2026, 7, 3)),
        ("2026-12-31T23:59:59", 1, date(2027, 1, 3)),
        ("2026-12-31T23:59:59", 3, date(2027, 3, 3)),
        ("2026-04-30T23:59:59", 2, None),
    ],
)
def test_a_new_agency_is_first_rated_for_the_month_it_joined_plus_the_wait(
    joined_at: str, wait: int, awaited: date | None
) -> None:
    rating = rated(agency({4: 5}, joined_at=joined_at), settings=RuleSettings(new_agency_wait_months=wait))
    assert rating.first_rating_on == awaited
    assert (rating.status is Status.AWAITING_FIRST_RATING) == (awaited is not None)


def test_an_agency_awaiting_its_first_rating_has_metrics_but_no_level_and_no_change() -> None:
    rating = rated(agency({4: 5}, joined_at="2026-06-10"), earlier=Standing(Status.RATED, 2))
    assert (rating.level, rating.computed_level, next_level_of(rating), rating.change) == (None, None, None, None)
    assert rating.metrics["four"] == 5


def override(level: int, since: str | None = "2026-05", until: str = "2026-06") -> Override:
    return Override("A1", level, since, until, "agreed", "Li")


def test_an_override_sets_the_level_whatever_was_computed() -> None:
    rating = rated(agency({4: 1}), overrides=(override(3),))
    assert (rating.status, rating.level, rating.computed_level) == (Status.OVERRIDDEN, 3, 1)


def test_an_override_applies_to_an_agency_awaiting_its_first_rating() -> None:
    rating = rated(agency(joined_at="2026-06-10"), overrides=(override(2),))
    assert (rating.status, rating.level, rating.computed_level) == (Status.OVERRIDDEN, 2, None)
    assert (rating.change, rating.awaiting, next_level_of(rating)) == (Change.NEW, True, None)


@pytest.mark.parametrize(("month", "level"), [("2026-04", 1), ("2026-05", 3), ("2026-06", 3), ("2026-07", 1)])
def test_an_override_applies_in_its_first_and_last_month(month: str, level: int) -> None:
    assert rated(agency({4: 1}), month=Month.parse(month), overrides=(override(3),)).level == level


def test_channels_and_next_level_of_an_overridden_agency_follow_its_computed_level() -> None:
    rating = rated(agency({4: 1}), overrides=(override(3),))
    assert (next_level_of(rating), [c.channel for c in reasons_of(rating).channels]) == (2, [1, 2])
    assert [c.passed for c in reasons_of(rating).channels] == [True, False]


def test_the_next_level_of_an_unrated_agency_with_an_override_is_1() -> None:
    rating = rated(agency(), overrides=(override(3),))
    assert (rating.computed_level, next_level_of(rating)) == (None, 1)


@pytest.mark.parametrize(
    ("earlier", "change"),
    [
        (None, Change.NEW),
        (Standing(Status.AWAITING_FIRST_RATING, None), Change.NEW),
        (Standing(Status.BELOW_LADDER, None), Change.UP),
        (Standing(Status.RATED, 1), Change.UP),
        (Standing(Status.RATED, 2), Change.SAME),
        (Standing(Status.OVERRIDDEN, 3), Change.DOWN),
    ],
)
def test_the_change_compares_with_the_earlier_publication(earlier: Standing | None, change: Change) -> None:
    rating = rated(agency({4: 5, 6: 1}), earlier=earlier)
    assert rating.change is change
    assert rating.previous_level == (earlier.level if earlier else None)


def test_becoming_unrated_is_a_downgrade_and_staying_unrated_is_no_change() -> None:
    assert rated(agency(), earlier=Standing(Status.RATED, 1)).change is Change.DOWN
    assert rated(agency(), earlier=Standing(Status.BELOW_LADDER, None)).change is Change.SAME


def test_the_nearest_channel_is_the_first_with_the_most_progress() -> None:
    book = ladder((channel(1, four=10, gmv=100), channel(2, four=4), channel(3, six=4, gmv=50)))
    above = next_level({"four": 2, "six": 2, "gmv": 90}, book, None)
    assert above is not None
    assert [float(result.progress) for result in above.channels] == [0.2, 0.5, 0.5]
    assert above.nearest_channel == 2


def test_a_threshold_of_zero_is_met_with_full_progress() -> None:
    result = channel_result({"four": 0, "six": 0, "gmv": 0}, channel(1, gmv=0))
    assert result.passed
    assert result.progress == 1


# --- for any numbers --------------------------------------------------------------------------------------------------

amounts = st.integers(0, 40)
metric_values = st.fixed_dictionaries(dict.fromkeys(METRICS, amounts))
channels = st.dictionaries(st.sampled_from(METRICS), amounts, min_size=1)


@st.composite
def ladders(draw: st.DrawFn) -> Ladder:
    width = draw(st.integers(1, 3))
    rungs = draw(st.lists(st.lists(channels, min_size=width, max_size=width), min_size=1, max_size=5))
    return ladder(*(tuple(channel(i, **c) for i, c in enumerate(rung, start=1)) for rung in rungs))


@given(ladders(), metric_values, st.sampled_from(METRICS), st.integers(1, 40))
def test_a_better_metric_never_lowers_the_level(book: Ladder, metrics: dict[str, int], better: str, by: int) -> None:
    before, after = computed_level(metrics, book), computed_level({**metrics, better: metrics[better] + by}, book)
    assert (after or 0) >= (before or 0)


@given(ladders(), metric_values)
def test_an_agency_that_closes_the_gaps_of_any_channel_reaches_the_next_level(
    book: Ladder, metrics: dict[str, int]
) -> None:
    above = next_level(metrics, book, computed_level(metrics, book))
    for result in above.channels if above else ():
        assert any(check.missing for check in result.checks)
        closed = metrics | {check.metric: check.actual + check.missing for check in result.checks}
        assert above is not None
        assert (computed_level(closed, book) or 0) >= above.level


@given(ladders(), metric_values)
def test_a_channel_is_kept_after_losing_exactly_the_margin_and_lost_after_one_more(
    book: Ladder, metrics: dict[str, int]
) -> None:
    level = computed_level(metrics, book)
    for one in book.rung(level).channels if level else ():
        result = channel_result(metrics, one)
        for check in result.checks if result.passed else ():
            kept = metrics | {check.metric: check.actual - check.margin}
            assert channel_result(kept, one).passed
            lost = metrics | {check.metric: check.actual - check.margin - 1}
            assert not channel_result(lost, one).passed


@given(ladders(), metric_values)
def test_a_level_is_lost_if_all_metrics_become_zero(book: Ladder, metrics: dict[str, int]) -> None:
    level = computed_level(metrics, book)
    if level and all(
        check.required for one in book.rung(level).channels for check in channel_result(metrics, one).checks
    ):
        assert (computed_level(dict.fromkeys(METRICS, 0), book) or 0) != level


@given(ladders(), metric_values)
def test_progress_is_between_0_and_1_and_1_means_met(book: Ladder, metrics: dict[str, int]) -> None:
    for rung in book.rungs:
        for one in rung.channels:
            for check in channel_result(metrics, one).checks:
                assert 0 <= check.progress <= 1
                assert (check.progress == 1) == check.met
