"""Levels, metrics and benefits prepared for a later month: they change no earlier month, and block none."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from functions.rating.workbook.texts import what_is_shown, what_rates
from shared.content import content_id
from shared.months import Month
from tests.workbooks import Workbook


def next_year(book: Workbook) -> Workbook:
    """The small workbook with a fourth level, a metric and a benefit from January 2027 on, and their ladder."""
    for tab, column in (("levels", "D"), ("metrics", "G"), ("benefits", "I")):
        book.put(f"{tab}!{column}1", "from_month")
    book.put("benefits!H1", "L4")
    book.add("levels", 4, "Platinum", None, "2027-01")
    book.add("metrics", "stars", "Stars", "creator_count", 7, 7, None, "2027-01")
    book.add("benefits", "lounge", "Lounge", None, "flag", None, None, None, True, "2027-01")
    book.put("benefits!H2", True).put("benefits!H3", "unlimited").put("benefits!H4", "1 hour")
    book.put("thresholds!F1", "stars")
    for row in list(book.tabs["thresholds"][1:5]):
        book.add("thresholds", "2027-01", *row[1:5])
    return book.add("thresholds", "2027-01", 4, 1, 20, 200000, 3)


def test_rows_for_a_later_month_change_no_earlier_month() -> None:
    now, prepared = Workbook().rulebook(), next_year(Workbook()).rulebook()
    assert what_rates(prepared, "2026-12") == what_rates(now, "2026-12")
    assert what_is_shown(prepared, "2026-12") == what_is_shown(now, "2026-12")


def test_rows_for_a_later_month_count_from_that_month() -> None:
    prepared = next_year(Workbook()).rulebook().as_of("2027-01")
    assert [level.name for level in prepared.levels] == ["Bronze", "Silver", "Gold", "Platinum"]
    assert [metric.key for metric in prepared.metrics] == ["creators", "gmv", "stars"]
    assert prepared.benefits[1].grant(4) is not None
    assert len(prepared.ladder("2027-01").rungs) == 4


Break = Callable[[Workbook], Workbook]
BROKEN_LATER: dict[str, Break] = {
    "level_without_threshold": lambda book: book.keep("thresholds", 9),
    "ladder_not_monotone": lambda book: (
        book.put("thresholds!D9", 19).put("thresholds!D10", 12).put("thresholds!D8", 13)
    ),
    "channel_without_threshold": lambda book: book.put("thresholds!E9", None),
    "number_with_unit": lambda book: book.put("thresholds!E8", "6万"),
    "not_whole": lambda book: book.put("thresholds!D6", 1.5),
    "key_twice": lambda book: book.add("thresholds", *book.tabs["thresholds"][6]),
    "level_unknown": lambda book: book.put("thresholds!B10", 7),
    "level_gap": lambda book: book.put("levels!A5", 5),
    "not_text": lambda book: book.put("levels!B5", 7),
    "not_choice": lambda book: book.put("metrics!C4", "gmv"),
    "power_missing": lambda book: book.put("metrics!D4", None),
    "not_flag": lambda book: book.put("benefits!H5", "yes"),
    "not_quota": lambda book: book.put("benefits!H3", "many"),
    "value_missing": lambda book: book.add("overrides", "A-0001", 2, "2027-01", "2027-03", None, "Lin"),
    "override_overlap": lambda book: book.add("overrides", "A-0007", 2, "2026-12", "2027-03", "again", "Lin"),
}


@pytest.mark.parametrize("code", BROKEN_LATER)
def test_an_error_in_a_later_month_is_a_warning_until_that_month(code: str) -> None:
    good, broken = next_year(Workbook()), BROKEN_LATER[code](next_year(Workbook()))
    verdict = broken.verdict()
    assert not verdict.errors
    (fault,) = [fault for fault in verdict.warnings if fault.code == code]
    assert fault.from_month in ("2026-12", "2027-01")
    assert f"blocks rating month {fault.from_month}" in fault.fix.en
    assert f"{fault.from_month} 及以后" in fault.fix.zh
    assert what_rates(broken.rulebook(), "2026-11") == what_rates(good.rulebook(), "2026-11")
    assert what_is_shown(broken.rulebook(), "2026-11") == what_is_shown(good.rulebook(), "2026-11")
    assert code in [fault.code for fault in broken.verdict(Month(2027, 1)).errors]


def test_cases_are_tried_on_the_current_ladder_also_if_a_later_one_has_errors() -> None:
    book = next_year(Workbook()).put("thresholds!E8", "6万").put("cases!D3", 2)
    assert [fault.code for fault in book.verdict().errors] == ["case_fails"]


def test_a_later_ladder_with_errors_is_left_out_of_the_rulebook() -> None:
    book = next_year(Workbook()).put("thresholds!E8", "6万")
    assert [ladder.effective_month for ladder in book.rulebook().ladders] == [None]
    assert book.verdict().prepared_until == "2027-01"
    assert next_year(Workbook()).verdict().prepared_until is None


def test_a_rulebook_without_these_columns_keeps_its_id() -> None:
    assert content_id(Workbook().rulebook()) == "69edb884049901dee5aa"


# --- fewer levels -----------------------------------------------------------------------------------------------------


def two_levels_from(book: Workbook, month: str) -> Workbook:
    """The workbook with a ladder that ends at level 2 from a later month on, and an override that ends before it."""
    book.put("overrides!D2", "2026-12").keep("cases", 2)
    for row in list(book.tabs["thresholds"][1:3]):
        book.add("thresholds", month, *row[1:5])
    return book


def test_a_new_ladder_with_fewer_levels_is_a_warning_at_its_cells() -> None:
    verdict = two_levels_from(Workbook(), "2027-01").verdict()
    assert not verdict.errors
    assert [(fault.code, fault.cell) for fault in verdict.warnings] == [
        ("ladder_smaller", "C7"),
        ("ladder_smaller", "C7"),
    ]
    assert ["3" in fault.found for fault in verdict.warnings] == [True, True]


def test_a_smaller_ladder_removes_levels_only_from_its_month_on() -> None:
    book = two_levels_from(Workbook(), "2027-01")
    for month in (Month(2026, 10), Month(2027, 1), Month(2027, 3)):
        assert not book.verdict(month).errors
    rulebook = book.rulebook()
    assert [level.level for level in rulebook.as_of("2026-12").levels] == [1, 2, 3]
    january = rulebook.as_of("2027-01")
    assert [level.level for level in january.levels] == [1, 2]
    assert len(january.ladder("2027-01").rungs) == 2
    assert {grant.level for benefit in january.benefits for grant in benefit.grants} == {2}


def test_a_level_missing_in_the_middle_of_a_later_ladder_is_an_error_of_its_month() -> None:
    book = two_levels_from(Workbook(), "2027-01").put("thresholds!B7", 3)
    assert ("level_without_threshold", "2027-01") in [(f.code, f.from_month) for f in book.verdict().warnings]


def test_an_override_to_a_level_that_one_of_its_months_does_not_have_is_an_error_of_that_month() -> None:
    book = two_levels_from(Workbook(), "2027-01").put("overrides!D2", "2027-02")
    (fault,) = [fault for fault in book.verdict().warnings if fault.code == "override_without_level"]
    assert (fault.cell, fault.from_month) == ("B2", "2027-01")
    assert [fault.code for fault in book.verdict(Month(2027, 1)).errors] == ["override_without_level"]
    assert not book.put("overrides!D2", "2026-12").verdict().errors
