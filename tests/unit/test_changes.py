"""What the sheet changes in the rulebook in force: each change with its cell, and the month it counts from."""

from __future__ import annotations

import pytest

from functions.rating.workbook.changes import Change, Compared, compare
from functions.rating.workbook.rulebook import Verdict, against
from tests.unit.test_rulebook_faults import EXAMPLES
from tests.workbooks import DESCRIPTION, Workbook

PUBLISHED = ("2026-08", "2026-09")


def compared(book: Workbook, in_force: Workbook | None = None) -> Compared:
    """What this workbook changes in the small one, or in another one."""
    verdict = book.verdict()
    assert verdict.rulebook is not None, verdict.errors
    old = (in_force or Workbook()).rulebook()
    return compare(old, verdict.rulebook, PUBLISHED, verdict.addresses, DESCRIPTION)


def only_change(book: Workbook, in_force: Workbook | None = None) -> Change:
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


def test_a_changed_threshold_is_shown_with_its_cell_its_values_and_the_month_it_counts_from() -> None:
    change = only_change(Workbook().put("thresholds!E3", 1200))
    assert (change.tab, change.cell, change.old, change.new) == ("thresholds", "E3", "1000.00", "1200.00")
    assert change.what.zh == "2 级 · 通道 1 · Paid GMV"
    assert (change.effect, change.from_month, change.past_months) == ("month", "2026-10", PUBLISHED)
    assert "2026-11-03" in change.when.en


def test_a_ladder_for_a_later_month_changes_no_published_month() -> None:
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
def test_a_threshold_that_is_deleted_or_far_from_its_old_value_is_a_change_and_a_warning(
    address: str, value: object, cell: str
) -> None:
    found = compared(Workbook().put(address, value).keep("cases", 1))  # type: ignore[arg-type]
    assert cell in [change.cell for change in found.changes]
    assert cell in [warning.cell for warning in found.warnings]


def test_a_deleted_row_is_shown_with_its_content() -> None:
    change = only_change(Workbook().drop("thresholds", 5))
    assert (change.tab, change.cell, change.new) == ("thresholds", "", None)
    assert change.old == "Paid GMV 90000.00"
    assert change.what.zh == "3 级 · 通道 2"


def test_a_renamed_tab_is_shown_as_the_loss_of_each_of_its_rows() -> None:
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
def test_texts_and_added_benefits_are_published_the_next_morning(address: str, value: str) -> None:
    change = only_change(Workbook().put(address, value))
    assert (change.effect, change.takes_away) == ("text", False)


@pytest.mark.parametrize(
    ("address", "value"),
    [("benefits!F2", None), ("benefits!F2", False), ("benefits!G3", 100), ("benefits!F3", 4), ("benefits!F3", 0)],
)
def test_a_removed_or_reduced_grant_waits_for_confirmation(address: str, value: object) -> None:
    change = only_change(Workbook().put(address, value))  # type: ignore[arg-type]
    assert (change.effect, change.takes_away) == ("waits", True)
    assert change.cell == address.split("!")[1]


def test_a_deleted_benefit_waits_for_confirmation() -> None:
    change = only_change(Workbook().drop("benefits", 2))
    assert (change.effect, change.takes_away, change.what.en) == ("waits", True, "Contact")


def test_a_deleted_override_or_guardrail_takes_something_away() -> None:
    guarded = Workbook().add("settings", "max_changed_share", 0.3, None)
    change = only_change(Workbook(), in_force=guarded)
    assert (change.effect, change.takes_away, change.old, change.new) == ("month", True, "value 0.3", None)
    change = only_change(Workbook().drop("overrides", 2))
    assert (change.effect, change.takes_away, change.what.en) == ("month", True, "A-0007")


def test_deleting_an_expired_override_has_no_effect() -> None:
    expired = Workbook().put("overrides!C2", "2026-01").put("overrides!D2", "2026-03")
    change = only_change(Workbook().drop("overrides", 2), in_force=expired)
    assert (change.effect, change.takes_away) == ("none", False)


# --- a sheet with errors ----------------------------------------------------------------------------------------------

ERRORS = sorted(code for code, kind in DESCRIPTION.faults.items() if kind.severity == "error")
ALSO_A_CHANGE = {  # the rows with these errors can be read, so their tab has changes too
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


def compared_verdict(book: Workbook) -> Verdict:
    return against(book.verdict(), Workbook().rulebook(), PUBLISHED, DESCRIPTION)


@pytest.mark.parametrize("code", ERRORS)
def test_a_sheet_with_an_error_shows_the_changes_of_its_other_rows_and_no_others(code: str) -> None:
    broken, at = EXAMPLES[code]
    tab = "levels" if at.startswith("等级") else at.split("!")[0]
    book = broken(Workbook())
    edited = {key: cell for key, cell in EDITS.items() if key != tab and not (tab == "levels" and key == "benefits")}
    for key, cell in edited.items():
        book.put(f"{key}!{cell}", 0.05 if key == "settings" else "New")
    verdict = compared_verdict(book)
    assert verdict.errors
    found = {(change.tab, change.cell) for change in verdict.changes}
    assert set(edited.items()) <= found
    others = {change.tab for change in verdict.changes} - edited.keys()
    assert others == ({ALSO_A_CHANGE[code]} if code in ALSO_A_CHANGE else set())


def test_a_prepared_row_that_cannot_be_read_is_not_shown_as_deleted() -> None:
    """The rulebook in force has the row; the sheet has it with an unreadable cell."""
    prepared, broken = (Workbook().put("levels!D1", "from_month").put("benefits!H1", "from_month") for _ in range(2))
    for book, quota in ((prepared, 3), (broken, "many")):
        book.add("benefits", "lounge", "Lounge", None, "quota", None, None, quota, "2027-01")
        for row in Workbook().tabs["thresholds"][1:]:
            book.add("thresholds", "2027-01", *row[1:])
    broken.put("thresholds!D8", "6万")
    assert against(broken.verdict(), prepared.rulebook(), PUBLISHED, DESCRIPTION).changes == ()
