"""Movers: the threshold that decided, benefits gained and lost, and the matrix of standings."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

from functions.rating.run.movers import Mover, comparison, matrix, movers
from functions.rating.run.rules import Rules
from shared.levels import (
    Benefit,
    BenefitKind,
    Channel,
    Grant,
    Ladder,
    Level,
    Measure,
    Measured,
    Metric,
    Override,
    Rating,
    Rulebook,
    Rung,
    Standing,
    Status,
    Threshold,
)
from shared.months import Month
from shared.reasons import Check

SHANGHAI = ZoneInfo("Asia/Shanghai")
MAY = Month.parse("2026-05")


def rung_of(level: int, gmv: int, creators: int) -> Rung:
    by_gmv = Channel(1, (Threshold("gmv", gmv),))
    by_both = Channel(2, (Threshold("creators", creators), Threshold("gmv", gmv // 2)))
    return Rung(level, (by_gmv, by_both))


BOOK = Rulebook(
    levels=(Level(1, "一级", ""), Level(2, "二级", "")),
    metrics=(
        Metric("creators", "达人", Measure.CREATOR_COUNT, 4, 7, "人"),
        Metric("gmv", "GMV", Measure.PAID_GMV, None, None, "元"),
    ),
    ladders=(Ladder(None, (rung_of(1, 100, 2), rung_of(2, 1000, 10))),),
    benefits=(
        Benefit("contact", "达人建联机构", "", BenefitKind.FLAG, (Grant(2),)),
        Benefit("camp", "新人营", "", BenefitKind.FLAG, (Grant(1), Grant(2))),
    ),
    overrides=(Override("boss", 2, None, "2026-12", "agreed", "Li"),),
)


def rated(agency_id: str, gmv: int = 0, creators: int = 0, joined_at: int = 0) -> Rating:
    powers = tuple(creators if power == 4 else 0 for power in range(8))
    measured = Measured(agency_id, agency_id.title(), joined_at, creators_by_power=powers, paid_gmv=gmv)
    return Rules(BOOK, MAY, SHANGHAI).rate(measured, None)


def only_mover(rating: Rating, before: int | None) -> Mover:
    status = Status.RATED if before else Status.BELOW_LADDER
    [mover] = movers([rating], {rating.agency_id: Standing(status, before)}, BOOK)
    return mover


def test_of_an_agency_that_rises_the_threshold_met_most_narrowly_decides() -> None:
    mover = only_mover(rated("a", gmv=600, creators=10), 1)
    assert (mover.old_level, mover.new_level, mover.channel, mover.up) == (1, 2, 2, True)
    assert mover.decided_by == Check("creators", 10, 10)
    assert mover.benefits_gained == ("contact",)


def test_after_a_threshold_was_lowered_that_threshold_decides() -> None:
    stricter = replace(BOOK, ladders=(Ladder(None, (rung_of(1, 100, 2), rung_of(2, 1400, 10))),))
    [mover] = movers([rated("a", gmv=600, creators=10)], {"a": Standing(Status.RATED, 1)}, BOOK, stricter)
    assert (mover.new_level, mover.channel, mover.decided_by) == (2, 2, Check("gmv", 500, 600))


def test_of_an_agency_that_falls_the_missed_threshold_of_the_nearest_channel_decides() -> None:
    mover = only_mover(rated("a", gmv=700, creators=2), 2)
    assert (mover.new_level, mover.up) == (1, False)
    assert (mover.channel, mover.decided_by) == (1, Check("gmv", 1000, 700))
    assert mover.benefits_lost == ("contact",)


def test_falling_below_the_ladder_is_explained_too() -> None:
    mover = only_mover(rated("a", gmv=99), 1)
    assert (mover.new_level, mover.decided_by) == (None, Check("gmv", 100, 99))
    assert mover.benefits_lost == ("camp",)


def test_no_threshold_decides_an_override() -> None:
    mover = only_mover(rated("boss"), 1)
    assert (mover.new_level, mover.decided_by) == (2, None)


def test_an_agency_with_the_same_level_or_none_in_both_months_is_not_a_mover() -> None:
    ratings = [rated("stays", gmv=100), rated("nothing")]
    earlier = {"stays": Standing(Status.RATED, 1), "nothing": Standing(Status.BELOW_LADDER, None)}
    assert movers(ratings, earlier, BOOK) == ()


def test_a_new_agency_is_a_mover_only_if_it_has_a_level() -> None:
    assert [mover.agency_id for mover in movers([rated("new", gmv=100), rated("small")], {}, BOOK)] == ["new"]


def test_the_matrix_counts_every_agency_of_either_month_once() -> None:
    ratings = [rated("up", gmv=1000), rated("off"), rated("new", gmv=100), rated("late", joined_at=2 * 10**15)]
    earlier = {
        "up": Standing(Status.RATED, 1),
        "off": Standing(Status.RATED, 1),
        "gone": Standing(Status.RATED, 2),
        "late": Standing(Status.AWAITING_FIRST_RATING, None),
    }
    assert matrix(ratings, earlier) == {
        ("1", "2"): 1,
        ("1", "unrated"): 1,
        ("2", "absent"): 1,
        ("absent", "1"): 1,
        ("awaiting", "awaiting"): 1,
    }


def test_the_comparison_has_the_names_of_benefits() -> None:
    document = comparison([rated("a", gmv=1000)], {"a": Standing(Status.RATED, 1)}, BOOK)
    [mover] = document["movers"]
    assert mover["benefits_gained"] == ["达人建联机构"]
    assert mover["decided_by"] == {"metric": "gmv", "required": 1000, "actual": 1000}


def test_a_benefit_of_both_levels_is_shown_with_its_old_and_new_quota_or_text() -> None:
    """A quota that grows, one that becomes unlimited, and a text. Unchanged benefits are not shown."""
    book = replace(
        BOOK,
        benefits=(
            Benefit("seats", "席位", "", BenefitKind.QUOTA, (Grant(1, quota=5), Grant(2, quota=8))),
            Benefit("streams", "直播", "", BenefitKind.QUOTA, (Grant(1, quota=3), Grant(2))),
            Benefit("reply", "响应", "", BenefitKind.TEXT, (Grant(1, text="2 天"), Grant(2, text="1 天"))),
            *BOOK.benefits,
        ),
    )
    [mover] = comparison([rated("a", gmv=1000)], {"a": Standing(Status.RATED, 1)}, book)["movers"]
    assert [(change["benefit"], change["before"], change["now"]) for change in mover["benefits_changed"]] == [
        ("席位", "5", "8"),
        ("直播", "3", "unlimited"),
        ("响应", "2 天", "1 天"),
    ]
    assert (mover["benefits_gained"], mover["benefits_lost"]) == (["达人建联机构"], [])
