"""What the sheet changes of what is in force: each change with its cell, and from when it counts."""

from __future__ import annotations

import pytest

from functions.rating.workbook.changes import Change, Compared, compare
from functions.rating.workbook.rulebook import Verdict, against
from tests.unit.test_rulebook_faults import EXAMPLES
from tests.workbooks import DESCRIPTION, Workbook

PUBLISHED = ("2026-08", "2026-09")


def compared(book: Workbook, in_force: Workbook | None = None) -> Compared:
    """What this workbook changes of the small one."""
    verdict = book.verdict()
    assert verdict.rulebook is not None, verdict.errors
    old = (in_force or Workbook()).rulebook()
    return compare(old, verdict.rulebook, PUBLISHED, verdict.addresses, DESCRIPTION)


def only(book: Workbook, in_force: Workbook | None = None) -> Change:
    (change,) = compared(book, in_force).changes
    return change


def test_the_same_sheet_changes_nothing() -> None:
    assert compared(Workbook()) == Compared((), ())


def test_rows_tabs_and_columns_in_another_order_change_nothing() -> None:
    book = Workbook()
    book.tabs = dict(reversed(book.tabs.items()))
    for rows in book.tabs.values():
        rows[1:] = reversed(rows[1:])
    assert compared(book).changes == ()


def test_a_changed_threshold_is_told_with_its_cell_its_numbers_and_from_when_it_counts() -> None:
    change = only(Workbook().put("thresholds!E3", 1200))
    assert (change.tab, change.cell, change.old, change.new) == ("thresholds", "E3", "1000.00", "1200.00")
    assert change.what.zh == "2 级 · 通道 1 · Paid GMV"
    assert (change.effect, change.from_month, change.past_months) == ("month", "2026-10", PUBLISHED)
    assert "2026-11-03" in change.when.en


def test_a_ladder_for_a_later_month_counts_from_then_and_for_no_month_that_is_published() -> None:
    book = Workbook()
    for row in Workbook().tabs["thresholds"][1:]:
        book.add("thresholds", "2027-01", *row[1:])
    found = compared(book).changes
    assert [(change.cell, change.old, change.from_month) for change in found] == [
        (f"{row}:{row}", None, "2027-01") for row in range(6, 10)
    ]
    assert not any(change.past_months for change in found)


@pytest.mark.parametrize(
    ("address", "value", "cell"),
    [("thresholds!E3", None, "E3"), ("thresholds!E3", "", "E3"), ("thresholds!E3", 100, "E3")],
)
def test_a_threshold_that_vanished_or_jumped_is_a_change_and_a_warning(address: str, value: object, cell: str) -> None:
    found = compared(Workbook().put(address, value).keep("cases", 1))  # type: ignore[arg-type]
    assert cell in [change.cell for change in found.changes]
    assert cell in [warning.cell for warning in found.warnings]


def test_a_row_that_vanished_is_told_by_what_it_said() -> None:
    change = only(Workbook().drop("thresholds", 5))
    assert (change.tab, change.cell, change.new) == ("thresholds", "", None)
    assert change.old == "Paid GMV 90000.00"
    assert change.what.zh == "3 级 · 通道 2"


def test_a_tab_that_was_renamed_away_is_told_by_each_of_its_rows() -> None:
    book = Workbook().rename("cases", "用例（旧）")
    assert [(c.tab, c.what.en, c.new, c.effect) for c in compared(book).changes] == [
        ("cases", "big", None, "none"),
        ("cases", "nothing", None, "none"),
    ]
    assert "用例（旧）" in [fault.tab for fault in book.verdict().warnings if fault.code == "tab_unread"]


@pytest.mark.parametrize(
    ("address", "value"),
    [
        ("levels!B2", "Copper"),
        ("levels!C3", "a description"),
        ("metrics!F3", "CNY"),
        ("benefits!B2", "Contact us"),
        ("benefits!E2", True),
        ("benefits!F3", 7),
        ("benefits!F3", "unlimited"),
        ("benefits!F4", "3 days"),
        ("tips!C2", "https://example.com"),
    ],
)
def test_texts_and_added_benefits_go_out_the_next_morning(address: str, value: str) -> None:
    change = only(Workbook().put(address, value))
    assert (change.effect, change.takes_away) == ("text", False)


@pytest.mark.parametrize(
    ("address", "value"),
    [("benefits!F2", None), ("benefits!F2", False), ("benefits!G3", 100), ("benefits!F3", 4), ("benefits!F3", 0)],
)
def test_a_benefit_that_is_lost_or_lowered_waits(address: str, value: object) -> None:
    change = only(Workbook().put(address, value))  # type: ignore[arg-type]
    assert (change.effect, change.takes_away) == ("waits", True)
    assert change.cell == address.split("!")[1]


def test_a_benefit_that_is_gone_altogether_waits() -> None:
    change = only(Workbook().drop("benefits", 2))
    assert (change.effect, change.takes_away, change.what.en) == ("waits", True, "Contact")


def test_an_override_or_a_guardrail_that_is_gone_takes_something_away() -> None:
    guarded = Workbook().add("settings", "max_changed_share", 0.3, None)
    change = only(Workbook(), in_force=guarded)
    assert (change.effect, change.takes_away, change.old, change.new) == ("month", True, "value 0.3", None)
    change = only(Workbook().drop("overrides", 2))
    assert (change.effect, change.takes_away, change.what.en) == ("month", True, "A-0007")


def test_an_override_that_is_over_may_go_without_any_effect() -> None:
    over = Workbook().put("overrides!C2", "2026-01").put("overrides!D2", "2026-03")
    change = only(Workbook().drop("overrides", 2), in_force=over)
    assert (change.effect, change.takes_away) == ("none", False)


# --- a sheet with errors ----------------------------------------------------------------------------------------------

ERRORS = sorted(code for code, kind in DESCRIPTION.faults.items() if kind.severity == "error")
SAYS_WHAT_IT_DID = {  # what these errors are about is read, and is a change
    "ladder_absent": "thresholds",
    "level_without_threshold": "thresholds",
    "channel_without_threshold": "thresholds",
    "ladder_not_monotone": "thresholds",
    "case_fails": "cases",
    "link_not_https": "tips",
    "override_without_level": "thresholds",
    "metric_unknown": "tips",
}
EDITS = {"levels": "C3", "benefits": "C4", "settings": "B2", "overrides": "F2"}


def judged(book: Workbook) -> Verdict:
    return against(book.verdict(), Workbook().rulebook(), PUBLISHED, DESCRIPTION)


@pytest.mark.parametrize("code", ERRORS)
def test_a_sheet_with_an_error_says_what_the_rest_of_it_changes_and_invents_nothing(code: str) -> None:
    broken, at = EXAMPLES[code]
    tab = "levels" if at.startswith("等级") else at.split("!")[0]
    book = broken(Workbook())
    edited = {key: cell for key, cell in EDITS.items() if key != tab and not (tab == "levels" and key == "benefits")}
    for key, cell in edited.items():
        book.put(f"{key}!{cell}", 0.05 if key == "settings" else "New")
    verdict = judged(book)
    assert verdict.errors
    found = {(change.tab, change.cell) for change in verdict.changes}
    assert set(edited.items()) <= found
    others = {change.tab for change in verdict.changes} - edited.keys()
    assert others == ({SAYS_WHAT_IT_DID[code]} if code in SAYS_WHAT_IT_DID else set())


def test_a_prepared_row_that_can_not_be_read_is_no_row_that_vanished() -> None:
    """It was in force before somebody broke it."""
    prepared, broken = (Workbook().put("levels!D1", "from_month").put("benefits!H1", "from_month") for _ in range(2))
    for book, quota in ((prepared, 3), (broken, "many")):
        book.add("benefits", "lounge", "Lounge", None, "quota", None, None, quota, "2027-01")
        for row in Workbook().tabs["thresholds"][1:]:
            book.add("thresholds", "2027-01", *row[1:])
    broken.put("thresholds!D8", "6万")
    assert against(broken.verdict(), prepared.rulebook(), PUBLISHED, DESCRIPTION).changes == ()
