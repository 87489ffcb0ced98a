"""Guardrails: what they compare, and that only a value above its limit holds a month."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from functions.rating.run.guardrails import Guardrail, Totals, evaluate_guardrails
from functions.rating.run.standings import count_levels, count_moves, level_changes
from shared.levels import Change, Measured, Rating, RuleSettings, Standing, Status

OFF = RuleSettings()
TOTALS = Totals(1000, {"orders": 100})


def rating(agency_id: str, level: int | None, change: Change | None, status: Status = Status.RATED) -> Rating:
    return Rating("2026-05", Measured(agency_id, agency_id, 0), status, level, level, None, None, change, {})


MONTH = [
    rating("a", 2, Change.UP),
    rating("b", 1, Change.DOWN),
    rating("c", 1, Change.SAME),
    rating("d", None, Change.DOWN, Status.BELOW_LADDER),
    rating("e", 3, Change.NEW),
    rating("f", None, None, Status.AWAITING_FIRST_RATING),
]
EARLIER = {
    "a": Standing(Status.RATED, 1),
    "b": Standing(Status.RATED, 2),
    "c": Standing(Status.RATED, 1),
    "d": Standing(Status.RATED, 1),
    "gone": Standing(Status.RATED, 5),
}


def evaluated(settings: RuleSettings, before: Totals | None = TOTALS, now: Totals = TOTALS) -> dict[str, Guardrail]:
    return {guardrail.name: guardrail for guardrail in evaluate_guardrails(settings, MONTH, EARLIER, now, before)}


def test_a_guardrail_that_is_off_is_not_evaluated() -> None:
    assert evaluated(OFF) == {}


@pytest.mark.parametrize(("limit", "exceeded"), [("0.74", True), ("0.75", False)])
def test_the_changed_share_is_a_share_of_the_agencies_rated_in_both_months(limit: str, exceeded: bool) -> None:
    guardrail = evaluated(replace(OFF, max_changed_share=Decimal(limit)))["max_changed_share"]
    assert (guardrail.value, guardrail.exceeded) == (0.75, exceeded)


@pytest.mark.parametrize(("limit", "exceeded"), [("0.49", True), ("0.5", False)])
def test_the_downgraded_share_counts_only_lower_levels(limit: str, exceeded: bool) -> None:
    guardrail = evaluated(replace(OFF, max_downgraded_share=Decimal(limit)))["max_downgraded_share"]
    assert (guardrail.value, guardrail.exceeded) == (0.5, exceeded)


@pytest.mark.parametrize(("gmv", "value"), [(1100, 0.1), (900, 0.1), (1000, 0.0)])
def test_a_gmv_change_counts_in_both_directions(gmv: int, value: float) -> None:
    settings = replace(OFF, max_gmv_change_share=Decimal("0.2"))
    assert evaluated(settings, now=Totals(gmv, {}))["max_gmv_change_share"].value == value


def test_the_dataset_that_changes_most_decides() -> None:
    settings = replace(OFF, max_rows_change_share=Decimal("0.2"))
    now, before = Totals(0, {"orders": 100, "creators": 15}), Totals(0, {"orders": 100, "creators": 10})
    guardrail = evaluated(settings, before, now)["max_rows_change_share"]
    assert (guardrail.value, guardrail.exceeded) == (0.5, True)


def test_the_first_month_is_compared_with_nothing_and_not_held() -> None:
    settings = replace(OFF, max_changed_share=Decimal(0), max_gmv_change_share=Decimal(0))
    assert not any(guardrail.exceeded for guardrail in evaluate_guardrails(settings, MONTH, {}, TOTALS, None))


def test_a_change_from_zero_is_a_full_change() -> None:
    settings = replace(OFF, max_gmv_change_share=Decimal("0.99"))
    assert evaluated(settings, Totals(0, {}), Totals(5, {}))["max_gmv_change_share"].exceeded


def test_counts_of_levels_include_unrated_and_awaiting_agencies() -> None:
    counts = count_levels(MONTH, 3)
    assert counts == {"1": 2, "2": 1, "3": 1, "unrated": 1, "awaiting_first_rating": 1}


def test_counts_of_moves_include_agencies_that_left() -> None:
    assert count_moves(MONTH, EARLIER) == {"up": 1, "down": 2, "same": 1, "new": 1, "left": 1}


def test_an_agency_in_only_one_of_the_months_is_a_level_change_too() -> None:
    now = {"a": Standing(Status.RATED, 2), "new": Standing(Status.RATED, 1), "b": Standing(Status.RATED, 2)}
    moves = [(change.agency_id, change.old_level, change.new_level) for change in level_changes(EARLIER, now)]
    assert moves == [("a", 1, 2), ("c", 1, None), ("d", 1, None), ("gone", 5, None), ("new", None, 1)]
