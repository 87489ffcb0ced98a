"""Faults of a workbook: each names its cell, in both languages. Nothing is guessed, and no cell ends in a traceback."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.rating.workbook.cells import RawCell
from functions.rating.workbook.changes import compare
from functions.rating.workbook.rulebook import Fault, Verdict, unknown_overrides
from shared.months import Month
from tests.workbooks import DESCRIPTION, SMALL, Workbook, found

Break = Callable[[Workbook], Workbook]

EXAMPLES: dict[str, tuple[Break, str]] = {
    "tab_missing": (lambda book: book.drop("metrics"), "metrics!A1"),
    "tab_twice": (lambda book: book.copy("levels", "等级"), "等级!A1"),
    "tab_without_rows": (lambda book: book.keep("benefits", 1), "benefits!A2"),
    "link_not_https": (lambda book: book.put("tips!C2", "http://example.com"), "tips!C2"),
    "column_missing": (lambda book: book.drop_column("levels", "name"), "levels!C1"),
    "header_blank": (lambda book: book.put("tips!D2", "stray"), "tips!D1"),
    "header_twice": (lambda book: book.put("levels!D1", " NAME "), "levels!D1"),
    "header_unknown": (lambda book: book.put("thresholds!F1", "gmw"), "thresholds!F1"),
    "header_unread": (lambda book: book.put("levels!D1", "remarks"), "levels!D1"),
    "header_ambiguous": (lambda book: book.put("levels!B3", "Lv3"), "levels!B3"),
    "formula_error": (lambda book: book.put("thresholds!D3", "#REF!"), "thresholds!D3"),
    "formula_unsaved": (lambda book: book.put("thresholds!D3", "#UNSAVED! =1+1"), "thresholds!D3"),
    "cell_outside": (lambda book: book.put_outside("tips!XFD2", "x"), "tips!XFD2"),
    "value_missing": (lambda book: book.put("overrides!E2", "  "), "overrides!E2"),
    "not_text": (lambda book: book.put("levels!B2", 7), "levels!B2"),
    "not_key": (lambda book: book.put("metrics!A3", "g m v").put("thresholds!E1", None), "metrics!A3"),
    "not_agency_id": (lambda book: book.put("overrides!A2", "机构7"), "overrides!A2"),
    "not_whole": (lambda book: book.put("thresholds!D3", 5.5), "thresholds!D3"),
    "not_yuan": (lambda book: book.put("thresholds!E3", 0.005), "thresholds!E3"),
    "not_share": (lambda book: book.put("settings!B2", 1.01), "settings!B2"),
    "not_month": (lambda book: book.put("overrides!D2", 46357), "overrides!D2"),
    "not_choice": (lambda book: book.put("metrics!C2", "gmv"), "metrics!C2"),
    "not_flag": (lambda book: book.put("benefits!F2", "yes"), "benefits!F2"),
    "not_quota": (lambda book: book.put("benefits!F3", "Unlimited"), "benefits!F3"),
    "key_twice": (lambda book: book.add("levels", 2, "Argent", None), "levels!A5"),
    "level_unknown": (lambda book: book.put("overrides!B2", 4), "overrides!B2"),
    "metric_unknown": (lambda book: book.put("tips!A2", "creator"), "tips!A2"),
    "setting_unknown": (lambda book: book.put("settings!A2", "max_rows"), "settings!A2"),
    "level_gap": (lambda book: book.put("levels!A4", 4), "levels!A4"),
    "level_starts_early": (
        lambda book: book.put("levels!D1", "from_month").put("levels!D2", "2027-01"),
        "levels!D3",
    ),
    "power_missing": (lambda book: book.put("metrics!E2", None), "metrics!E2"),
    "power_reversed": (lambda book: book.put("metrics!E2", 3), "metrics!E2"),
    "power_unwanted": (lambda book: book.put("metrics!D3", 4), "metrics!D3"),
    "ladder_absent": (lambda book: book.fill("thresholds", "A", "2027-01"), "thresholds!A2"),
    "level_without_threshold": (lambda book: book.drop("thresholds", 3), "thresholds!B4"),
    "channel_without_threshold": (lambda book: book.put("thresholds!E5", None), "thresholds!C5"),
    "ladder_not_monotone": (lambda book: book.put("thresholds!D4", 4), "thresholds!D4"),
    "channel_dominated": (lambda book: book.put("thresholds!E5", 20000).put("thresholds!D4", 11), "thresholds!C4"),
    "benefit_lost": (lambda book: book.put("benefits!G2", None), "benefits!G2"),
    "override_reversed": (lambda book: book.put("overrides!D2", "2026-08"), "overrides!D2"),
    "override_without_level": (lambda book: fourth_level_from(book, "2027-01").put("overrides!B2", 4), "overrides!B2"),
    "override_overlap": (
        lambda book: book.add("overrides", "A-0007", 2, "2026-10", "2027-02", "again", None),
        "overrides!C3",
    ),
    "override_expired": (lambda book: book.put("overrides!D2", "2026-09"), "overrides!D2"),
    "override_unknown_agency": (lambda book: book, "overrides!A2"),
    "tab_unread": (lambda book: book.copy("thresholds", "门槛的副本"), "门槛的副本!A1"),
    "ladder_smaller": (lambda book: next_ladder(book).put("thresholds!D8", None), "thresholds!D8"),
    "threshold_vanished": (lambda book: book.put("thresholds!E3", None), "thresholds!E3"),
    "number_jumped": (lambda book: next_ladder(book).put("thresholds!E9", 900000), "thresholds!E9"),
    "header_misspelt": (lambda book: book.put("levels!B1", "nmae"), "levels!B1"),
    "title_above_header": (lambda book: titled(book, "levels"), "levels!A1"),
    "cells_merged": (lambda book: book.merge("benefits", "D2", "D3"), "benefits!D2"),
    "column_is_text": (lambda book: book.fill("thresholds", "D", "9"), "thresholds!D2:D5"),
    "number_with_unit": (lambda book: book.put("thresholds!E3", "6万"), "thresholds!E3"),
    "case_fails": (lambda book: book.put("cases!D3", 2), "cases!D3"),
    "case_fails_later": (
        lambda book: (
            book.put("levels!D1", "from_month")
            .add("levels", 4, "Star", None, "2027-01")
            .add("thresholds", None, 4, 1, 20, 50000)
            .add("cases", "star", 19, 50000, 4)
        ),
        "cases!D4",
    ),
}


def fourth_level_from(book: Workbook, month: str) -> Workbook:
    """The workbook with a fourth level from a later month on."""
    book.put("levels!D1", "from_month").add("levels", 4, "Star", None, month)
    return book.add("thresholds", None, 4, 1, 20, 100000)


IN_SHEETS_ONLY = {"not_text", "column_is_text", "cells_merged", "cell_outside"}
"""Faults that a CSV file cannot have: it has no types, no merged cells and no limit of columns."""


def titled(book: Workbook, tab: str) -> Workbook:
    """The workbook with a title and a blank row above the header of a tab."""
    book.tabs[tab] = [["Rules of 2026"], [], *book.tabs[tab]]
    return book


def next_ladder(book: Workbook) -> Workbook:
    """The workbook with its ladder copied for the next year."""
    for row in book.tabs["thresholds"][1:]:
        book.add("thresholds", "2027-01", *row[1:])
    return book


def warnings_of_changes(verdict: Verdict) -> tuple[Fault, ...]:
    """The warnings about changes, if the small workbook is in force."""
    if verdict.rulebook is None:
        return ()
    in_force = Workbook().rulebook()
    return compare(in_force, verdict.rulebook, ["2026-09"], verdict.addresses, DESCRIPTION).warnings


@pytest.mark.parametrize("code", DESCRIPTION.faults)
def test_every_fault_names_its_cell_and_says_what_to_do_in_both_languages(code: str) -> None:
    broken, cell = EXAMPLES[code]
    verdict = broken(Workbook()).verdict()
    faults = [*verdict.faults, *unknown_overrides(verdict, set()), *warnings_of_changes(verdict)]
    fault = next(fault for fault in faults if fault.code == code)
    assert f"{fault.tab}!{fault.cell}" == cell
    assert fault.severity == DESCRIPTION.faults[code].severity
    assert (verdict.rulebook is None) == bool(verdict.errors)
    for text in (fault.expected.en, fault.expected.zh, fault.fix.en, fault.fix.zh, fault.found):
        assert text
        assert "{" not in text
        assert text in str(fault)
    assert set(fault.as_dict()) == {"severity", "code", "tab", "cell", "found", "expected", "fix"}


@pytest.mark.parametrize(
    ("address", "value", "code"),
    [
        # numbers: text that looks like one, units, shares, full-width digits, signs, fractions, limits, nonsense
        *[("thresholds!D3", value, "not_whole") for value in ("5", " 5 ", "５", "five", "-", -5, 5.5, 1e9 + 1, 1e300)],
        *[("thresholds!D3", value, "not_whole") for value in (True, False, math.nan, math.inf, 10**400, "1e3", "0x10")],
        *[("thresholds!E3", value, "not_yuan") for value in ("1000", "¥1000", "1,000", "10%", -0.01, 1000.001)],
        *[("thresholds!E3", value, "not_yuan") for value in (1e13, 9_999_999_999_999.999, True, "十万", "１０００")],
        *[("settings!B2", value, "not_share") for value in ("0.01", "1%", "1", -0.01, 1.0001, True)],
        *[("levels!A2", value, "not_whole") for value in (0, -1, 1.5, "1", True, 1e12)],
        *[("metrics!D2", value, "not_whole") for value in (8, -1, "4", 3.5)],
        *[("benefits!F3", value, "not_quota") for value in ("5", -1, 2.5, "no limit", True, "∞")],
        # months: dates as serial numbers, other spellings, months that don't exist
        *[
            ("overrides!C2", value, "not_month")
            for value in (46266, 46266.0, "2026/09", "2026-9", "2026-13", "2026-09-01")
        ],
        *[("thresholds!A5", value, "not_month") for value in (202609, "202609", "２０２６-09", "0000-01", True)],
        # ids and texts: numbers, boxes, spaces, invisible characters, excess
        *[("overrides!A2", value, "not_agency_id") for value in (7, 7.0, True, "A 7", "A\u200b7", "A" * 65, "A/7")],
        *[("metrics!A3", value, "not_key") for value in (5, True, "a b", "a\u3000b", "a\u200bb", "k" * 65, "a\nb")],
        *[("levels!B2", value, "not_text") for value in (7, 7.5, True, False, "长" * 2001)],
        *[("benefits!G4", value, "not_text") for value in (48, True)],
        *[("overrides!E2", value, "not_text") for value in (1, True)],
        # words that a cell allows
        *[("benefits!F2", value, "not_flag") for value in ("true", "FALSE", "是", "√", 1, 0, "x")],
        *[("metrics!C2", value, "not_choice") for value in ("Creator_Count", "count", 1, True)],
        *[("benefits!D2", value, "not_choice") for value in ("FLAG", "bool", 1)],
        # errors of formulas, whatever the cell is for
        *[
            (address, error, "formula_error")
            for address in ("thresholds!D3", "thresholds!E3", "levels!B2", "tips!B2", "benefits!F2", "overrides!C2")
            for error in ("#REF!", "#N/A", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "#ERROR!", "Loading...")
        ],
        # blank cells that must not be
        *[
            (address, None, "value_missing")
            for address in ("levels!A3", "levels!B2", "thresholds!B3", "thresholds!C3", "benefits!D2", "tips!B2")
        ],
        *[(f"overrides!{column}2", "", "value_missing") for column in "ABDE"],
    ],
)
def test_a_google_cell_without_a_certain_value_is_a_fault_of_that_cell(address: str, value: RawCell, code: str) -> None:
    verdict = Workbook().put(address, value).verdict()
    assert verdict.rulebook is None
    assert (code, address) in found(verdict)


@pytest.mark.parametrize(
    ("address", "value", "code"),
    [
        *[
            ("thresholds!D3", value, "not_whole")
            for value in ("５", "1,000", "1e3", "+5", "5.", ".5", "5 0", "--5", "٥")
        ],
        *[("thresholds!E3", value, "not_yuan") for value in ("¥5", "1 000", "0.005", "1" * 5000, "-1", "1_000")],
        ("thresholds!E3", "1000.0000000000000000000000000000000000000001", "not_yuan"),
        *[("settings!B2", value, "not_share") for value in ("70%", "1.5", ".5", "0,5", "nan", "Infinity")],
        *[("benefits!F2", value, "not_flag") for value in ("FALSE", "true", "1", "是")],
        *[("benefits!F3", value, "not_quota") for value in ("5%", "∞", "UNLIMITED", "1,000")],
        *[
            ("overrides!D2", value, "not_month")
            for value in ("46357", "2026.12", "12/2026", "2026-12-31", "2026年12月")
        ],
        *[("thresholds!D3", value, "formula_error") for value in ("#REF!", "#N/A")],
    ],
)
def test_a_csv_cell_without_a_certain_value_is_a_fault_of_that_cell(address: str, value: str, code: str) -> None:
    verdict = Workbook(typed=False).put(address, value).verdict()
    assert verdict.rulebook is None
    assert found(verdict) == [(code, address)]


def test_one_bad_cell_is_one_fault_and_no_fault_of_another_cell() -> None:
    for address, value in (("thresholds!D3", "5"), ("thresholds!B3", "#N/A"), ("metrics!A3", 5), ("levels!A3", "2")):
        errors = Workbook().put(address, value).verdict().errors
        assert [f"{fault.tab}!{fault.cell}" for fault in errors] == [address]


def test_all_faults_are_found_at_once() -> None:
    book = Workbook().put("levels!B2", 7).put("thresholds!D3", "5").put("benefits!F2", "yes").put("settings!B2", "1%")
    book.put("overrides!D2", "2026-08").put("tips!A2", "nothing").put("cases!B3", -1)
    assert found(book.verdict()) == [
        ("not_text", "levels!B2"),
        ("not_whole", "thresholds!D3"),
        ("not_flag", "benefits!F2"),
        ("metric_unknown", "tips!A2"),
        ("override_reversed", "overrides!D2"),
        ("not_whole", "cases!B3"),
        ("not_share", "settings!B2"),
    ]


def test_a_required_cell_that_is_blank_is_a_fault() -> None:
    book = Workbook().put("thresholds!B5", None)
    assert found(book.verdict()) == [("value_missing", "thresholds!B5")]
    merged_month = Workbook().put("thresholds!A2", "2026-10")
    assert ("level_without_threshold", "thresholds!B2") in found(merged_month.verdict())


def test_a_fault_names_the_tab_as_the_sheet_does() -> None:
    verdict = Workbook().rename("thresholds", "门槛").put_in("门槛", "D3", "五").verdict()
    assert found(verdict) == [("not_whole", "门槛!D3")]
    assert verdict.faults[0].found == '"五"（文本）'


def test_invisible_characters_are_shown() -> None:
    verdict = Workbook().put("overrides!A2", "A\u200b7").verdict()
    assert verdict.faults[0].found == '"A\\u200b7" (text)'


def test_addresses_are_right_if_blank_rows_are_above_the_header() -> None:
    book = Workbook()
    book.tabs["levels"] = [[], [None], *book.tabs["levels"]]
    assert found(book.put("levels!A6", "x").verdict())[0] == ("not_whole", "levels!A6")


def test_a_missing_metric_or_level_column_is_a_fault() -> None:
    assert found(Workbook().drop_column("thresholds", "gmv").verdict()) == [("column_missing", "thresholds!E1")]
    assert ("column_missing", "benefits!G1") in found(Workbook().drop_column("benefits", "L3").verdict())
    assert found(Workbook().drop_column("metrics", "min_power").verdict()) == [("column_missing", "metrics!F1")]
    assert found(Workbook().drop_column("overrides", "from_month").verdict()) == [("column_missing", "overrides!F1")]


def test_headers_that_could_mean_two_things_are_faults() -> None:
    assert found(Workbook().put("levels!B3", "Bronze").verdict()) == [("header_ambiguous", "levels!B3")]
    assert found(Workbook().put("levels!B3", "L1").verdict()) == [("header_ambiguous", "levels!B3")]
    assert found(Workbook().put("levels!B3", "类型").verdict()) == [("header_ambiguous", "levels!B3")]
    assert found(Workbook().put("metrics!B3", "creators").verdict()) == [("header_ambiguous", "metrics!B3")]
    assert found(Workbook().put("metrics!B3", "Level").verdict()) == [("header_ambiguous", "metrics!B3")]


def test_two_headers_for_one_column_are_a_fault() -> None:
    verdict = Workbook().put("thresholds!F1", "Paid GMV").verdict()
    assert found(verdict) == [("header_twice", "thresholds!F1")]
    assert "thresholds!E1" in verdict.faults[0].expected.en


def test_a_key_that_occurs_twice_is_a_fault() -> None:
    assert found(Workbook().put("thresholds!C5", 1).verdict()) == [("key_twice", "thresholds!C5")]
    for tab, row in (("metrics", 2), ("benefits", 2), ("cases", 2), ("settings", 2)):
        book = Workbook()
        book.add(tab, *book.tabs[tab][row - 1])
        assert ("key_twice", f"{tab}!A{len(book.tabs[tab])}") in found(book.verdict())


def test_a_later_ladder_is_checked_already_and_an_earlier_one_no_longer() -> None:
    later = Workbook()
    for level, creators in ((1, 5), (2, 4), (3, 9)):
        later.add("thresholds", "2027-01", level, 1, creators, None)
    assert [fault for fault in found(later.verdict()) if fault[0] != "ladder_smaller"] == [
        ("ladder_not_monotone", "thresholds!D7"),
        ("channel_dominated", "thresholds!C6"),
    ]
    assert found(later.put("thresholds!D4", 0).verdict(Month(2027, 1)))[0] == ("ladder_not_monotone", "thresholds!D7")


def test_a_case_is_tried_on_the_ladder_in_force_and_on_later_ones() -> None:
    book = Workbook()
    for level, creators in ((1, 20), (2, 30), (3, 40)):
        book.add("thresholds", "2027-01", level, 1, creators, None)
    (fault,) = [fault for fault in book.verdict().faults if fault.tab == "cases"]
    assert (fault.code, fault.severity, fault.cell) == ("case_fails_later", "warning", "D3")
    assert "2027-01" in fault.expected.en
    assert fault.found == "big: none (unrated)"
    (fault,) = book.verdict(Month(2027, 1)).errors
    assert (fault.code, fault.cell) == ("case_fails", "D3")


def test_thresholds_are_compared_within_a_channel_and_a_blank_one_counts_as_zero() -> None:
    book = Workbook().add("thresholds", None, 1, 2, None, 95000)
    assert found(book.verdict()) == [("ladder_not_monotone", "thresholds!E5"), ("channel_dominated", "thresholds!C6")]
    blank = Workbook().put("thresholds!E4", None)
    assert ("ladder_not_monotone", "thresholds!E4") in found(blank.verdict())


def test_of_two_equal_channels_only_the_later_is_reported() -> None:
    book = Workbook().add("thresholds", None, 3, 3, None, 90000)
    assert found(book.verdict()) == [("channel_dominated", "thresholds!C6")]


def test_a_smaller_quota_at_a_higher_level_is_a_fault_and_a_new_benefit_is_not() -> None:
    assert found(Workbook().put("benefits!G3", 4).verdict()) == [("benefit_lost", "benefits!G3")]
    assert found(Workbook().put("benefits!F3", "unlimited").put("benefits!G3", 4).verdict()) == [
        ("benefit_lost", "benefits!G3")
    ]
    assert found(Workbook().put("benefits!F3", 0).put("benefits!G3", 4).verdict()) == []


def test_overrides_may_overlap_only_if_they_are_of_different_agencies() -> None:
    book = Workbook().add("overrides", "A-0007", 2, "2027-01", "2027-02", "then", None)
    book.add("overrides", "A-0008", 2, None, "2027-02", "other", None)
    assert found(book.verdict()) == []
    inside = Workbook().add("overrides", "A-0007", 2, None, "2026-09", "early", None)
    assert ("override_overlap", "overrides!C2") in found(inside.verdict())


def test_an_override_counts_in_its_last_month_and_has_expired_in_the_next() -> None:
    book = Workbook().put("overrides!D2", "2026-10")
    assert found(book.verdict(Month(2026, 10))) == []
    assert found(book.verdict(Month(2026, 11))) == [("override_expired", "overrides!D2")]


def test_one_bad_cell_in_five_thousand_rows_is_found() -> None:
    book = Workbook()
    for number in range(5000):
        book.add("overrides", f"B-{number:05d}", 1 + number % 3, None, "2026-12", "x", None)
    assert len(book.rulebook().overrides) == 5001
    book.put("overrides!B4321", "2")
    assert found(book.verdict()) == [("not_whole", "overrides!B4321")]


junk = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["#REF!", "3", "L1", "gmv"]),
)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(sorted(SMALL)), st.integers(0, 6), st.integers(1, 6), junk), max_size=12))
def test_random_cells_give_a_rulebook_or_errors(
    changes: list[tuple[str, int, int, RawCell]],
) -> None:
    for typed in (True, False):
        book = Workbook(typed=typed)
        for tab, column, row, value in changes:
            book.put(f"{tab}!{chr(ord('A') + column)}{row}", value)
        verdict = book.verdict()
        assert (verdict.rulebook is None) == bool(verdict.errors)
        for fault in verdict.faults:
            assert fault.cell[0].isalpha()
            assert str(fault)


def test_a_month_that_became_a_date_is_shown_as_that_date() -> None:
    (fault,) = Workbook().put("overrides!C2", 46266).verdict().errors
    assert (fault.code, fault.found) == ("not_month", "2026-09-01 (date)")


def test_a_missing_tab_is_named_in_the_language_of_the_other_tabs() -> None:
    verdict = Workbook().rename("levels", "等级").drop("metrics").verdict()
    assert ("tab_missing", "指标!A1") in found(verdict)


def test_the_fault_of_a_blank_cell_names_the_header_as_the_sheet_has_it() -> None:
    (fault,) = Workbook().put("overrides!E1", "原因").put("overrides!E2", None).verdict().errors
    assert "原因" in fault.expected.zh


# --- one fault per cause ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tab", ["levels", "metrics", "thresholds", "benefits", "cases", "overrides", "settings"])
def test_a_title_above_the_header_is_one_warning_and_the_rest_is_read(tab: str) -> None:
    verdict = titled(Workbook(), tab).verdict()
    assert found(verdict) == [("title_above_header", f"{tab}!A1")]
    assert verdict.rulebook == Workbook().rulebook()
    assert "row 3" in verdict.faults[0].expected.en


@pytest.mark.parametrize(
    ("address", "misspelt", "right"),
    [
        ("levels!B1", "nam", "name"),
        ("metrics!C1", "measures", "measure"),
        ("thresholds!A1", "effective_mouth", "effective_month"),
        ("thresholds!E1", "gnv", "gmv"),
        ("overrides!D1", "until month", "until_month"),
        ("settings!B1", "valeu", "value"),
    ],
)
def test_a_misspelt_header_is_one_fault_that_names_the_right_one(address: str, misspelt: str, right: str) -> None:
    verdict = Workbook().put(address, misspelt).verdict()
    assert found(verdict) == [("header_misspelt", address)]
    assert verdict.faults[0].fix.en == f"Correct the header to {right}."


def test_a_misspelt_chinese_header_is_one_fault() -> None:
    verdict = Workbook().put("levels!A1", "等集").verdict()
    assert found(verdict) == [("header_misspelt", "levels!A1")]
    assert verdict.faults[0].fix.zh == "把列名改为“等级”。"


@pytest.mark.parametrize(
    ("first", "last", "tab"), [("B2", "B4", "thresholds"), ("D3", "D5", "thresholds"), ("A2", "C2", "levels")]
)
def test_merged_cells_are_one_fault_however_many_they_are(first: str, last: str, tab: str) -> None:
    faults = Workbook().merge(tab, first, last).verdict().errors
    assert [(fault.code, fault.cell) for fault in faults if fault.code == "cells_merged"] == [("cells_merged", first)]
    assert "value_missing" not in [fault.code for fault in faults]
    assert f"Select {first}:{last}" in faults[0].fix.en


def test_merged_cells_that_are_not_read_are_no_fault() -> None:
    book = (
        titled(Workbook(), "levels").merge("levels", "A1", "C1").put("settings!C3", "a note").put("settings!A3", None)
    )
    assert found(book.merge("settings", "C2", "C3").verdict()) == [("title_above_header", "levels!A1")]


def test_a_column_of_text_is_one_fault_with_its_cells() -> None:
    book = Workbook().fill("thresholds", "D", "10").put("thresholds!D5", None)
    verdict = book.verdict()
    assert found(verdict) == [("column_is_text", "thresholds!D2:D4")]
    assert "3 cells" in verdict.faults[0].expected.en


def test_a_few_texts_among_numbers_stay_faults_of_their_own() -> None:
    verdict = Workbook().put("thresholds!D2", "1").put("thresholds!D3", "5").verdict()
    assert found(verdict) == [("not_whole", "thresholds!D2"), ("not_whole", "thresholds!D3")]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("6万", "60000"),
        ("1.5亿", "150000000"),
        ("２０万元", "200000"),
        ("3k", "3000"),
        ("1,000元", "1000"),
        ("12 万", "120000"),
    ],
)
def test_the_fault_of_a_number_with_a_unit_proposes_the_plain_number(text: str, number: str) -> None:
    (fault,) = Workbook().put("thresholds!E3", text).verdict().errors
    assert (fault.code, fault.cell, fault.expected.zh) == ("number_with_unit", "E3", f"数字 {number}")


def test_faults_of_a_chinese_sheet_name_its_tabs_in_chinese_only() -> None:
    book = Workbook().put("levels!B2", "类型").put("settings!A2", "坏行").put("metrics!C2", "gmv")
    for tab in [tab for tab in DESCRIPTION.tabs if tab.key in book.tabs]:
        book.rename(tab.key, tab.zh)
    for fault in book.verdict().faults:
        text = f"{fault.tab} {fault.found} {fault.expected.zh} {fault.fix.zh}"
        assert not [tab.key for tab in DESCRIPTION.tabs if re.search(rf"\b{tab.key}\b", text)], text
