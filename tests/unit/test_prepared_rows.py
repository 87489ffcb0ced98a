"""Levels, metrics and benefits prepared for a later month: they change and block nothing before it."""

from __future__ import annotations

from functions.rating.workbook.texts import what_is_shown, what_rates
from shared.content import content_id
from tests.workbooks import Workbook, found


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


def test_what_is_prepared_for_a_later_month_changes_nothing_before_it() -> None:
    now, prepared = Workbook().rulebook(), next_year(Workbook()).rulebook()
    assert what_rates(prepared, "2026-12") == what_rates(now, "2026-12")
    assert what_is_shown(prepared, "2026-12") == what_is_shown(now, "2026-12")


def test_it_is_there_from_its_month_on() -> None:
    prepared = next_year(Workbook()).rulebook().as_of("2027-01")
    assert [level.name for level in prepared.levels] == ["Bronze", "Silver", "Gold", "Platinum"]
    assert [metric.key for metric in prepared.metrics] == ["creators", "gmv", "stars"]
    assert prepared.benefits[1].grant(4) is not None
    assert len(prepared.ladder("2027-01").rungs) == 4


def test_a_level_without_thresholds_in_its_month_is_an_error() -> None:
    book = next_year(Workbook())
    book.tabs["thresholds"].pop()
    assert [fault[0] for fault in found(book.verdict()) if book.verdict().errors] == ["level_without_threshold"]


def test_a_rulebook_without_these_columns_keeps_its_id() -> None:
    assert content_id(Workbook().rulebook()) == "69edb884049901dee5aa"
