"""Binding slots: which agencies are assessed, what their retention allows, and how many creators may still drop."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.lookup.binding_slots import binding_slots
from shared.levels import RuleSettings, SlotCounts


def slots(bound: int, base: int | None, kept: int | None, rate: str = "0.7") -> Any:
    settings = RuleSettings(binding_free_slots=5, binding_retention_rate=Decimal(rate))
    return binding_slots(SlotCounts(bound, base, kept), settings)


def test_retention_at_the_required_rate_is_enough_and_one_creator_less_is_not() -> None:
    assert slots(10, 10, 7)["allowance"] == "unlimited"
    assert slots(10, 10, 6)["allowance"] == 0


def test_the_counts_and_both_rates_are_shown() -> None:
    assert slots(9, 8, 6) == {
        "bound": 9,
        "status": "assessed",
        "reason": None,
        "retention": {"base": 8, "kept": 6, "rate": 0.75, "required": 0.7},
        "allowance": "unlimited",
        "may_still_drop": 0,
    }


@pytest.mark.parametrize(("kept", "may_drop"), [(10, 3), (8, 1), (7, 0), (6, 0)])
def test_the_number_of_creators_that_may_still_drop_is_shown(kept: int, may_drop: int) -> None:
    assert slots(10, 10, kept)["may_still_drop"] == may_drop


@pytest.mark.parametrize(("bound", "allowance"), [(0, 5), (4, 1)])
def test_below_the_free_slots_there_is_no_assessment_and_the_rest_may_be_filled(bound: int, allowance: int) -> None:
    shown = slots(bound, 3, 0)
    assert (shown["status"], shown["reason"], shown["allowance"]) == ("not_assessed", "below_free_slots", allowance)
    assert shown["may_still_drop"] is None


@pytest.mark.parametrize(("bound", "allowance"), [(2, 3), (5, "unlimited"), (12, "unlimited")])
def test_without_the_month_before_there_is_no_assessment(bound: int, allowance: int | str) -> None:
    shown = slots(bound, None, None)
    assert (shown["status"], shown["reason"], shown["allowance"]) == ("not_assessed", "no_previous_month", allowance)


def test_an_agency_without_creators_to_lose_has_the_required_retention() -> None:
    shown = slots(5, 0, 0)
    assert (shown["status"], shown["allowance"], shown["retention"]["rate"]) == ("assessed", "unlimited", None)


@given(base=st.integers(1, 5000), kept=st.integers(0, 5000), percent=st.integers(0, 100))
def test_dropping_as_many_as_allowed_keeps_the_rate_and_one_more_does_not(base: int, kept: int, percent: int) -> None:
    kept, rate = min(kept, base), f"0.{percent:02d}" if percent < 100 else "1"
    shown = slots(5, base, kept, rate)
    enough = Fraction(kept, base) >= Fraction(rate)
    assert (shown["allowance"] == "unlimited") == enough
    if enough:
        remaining = kept - shown["may_still_drop"]
        assert Fraction(remaining, base) >= Fraction(rate)
        assert Fraction(remaining - 1, base) < Fraction(rate)
