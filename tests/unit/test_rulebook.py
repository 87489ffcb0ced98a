"""The rulebook that is read from a valid workbook."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.rating.workbook.cells import RawCell, RawTab, RawWorkbook
from functions.rating.workbook.folder import read_folder
from functions.rating.workbook.rulebook import parse, unknown_overrides
from shared.content import content_id
from shared.levels import (
    Benefit,
    BenefitKind,
    Case,
    Channel,
    Grant,
    Ladder,
    Level,
    Measure,
    Metric,
    Override,
    Rulebook,
    RuleSettings,
    Rung,
    Threshold,
    Tip,
)
from shared.months import Month
from tests.workbooks import DESCRIPTION, OCTOBER, ROOT, Workbook, found

EXPECTED = Rulebook(
    levels=(Level(1, "Bronze", "first steps"), Level(2, "Silver", ""), Level(3, "Gold", "the top")),
    metrics=(
        Metric("creators", "Creators", Measure.CREATOR_COUNT, 4, 7, "creators"),
        Metric("gmv", "Paid GMV", Measure.PAID_GMV, None, None, "yuan"),
    ),
    ladders=(
        Ladder(
            None,
            (
                Rung(1, (Channel(1, (Threshold("creators", 1),)),)),
                Rung(2, (Channel(1, (Threshold("creators", 5), Threshold("gmv", 100_000))),)),
                Rung(
                    3,
                    (
                        Channel(1, (Threshold("creators", 10), Threshold("gmv", 2_000_050))),
                        Channel(2, (Threshold("gmv", 9_000_000),)),
                    ),
                ),
            ),
        ),
    ),
    benefits=(
        Benefit("contact", "Contact", "can be found", BenefitKind.FLAG, (Grant(2), Grant(3))),
        Benefit("reply", "Reply", "", BenefitKind.TEXT, (Grant(2, text="2 days"), Grant(3, text="1 day"))),
        Benefit("seats", "Seats", "", BenefitKind.QUOTA, (Grant(2, quota=5), Grant(3))),
    ),
    tips=(Tip("creators", "Invite more", ""),),
    overrides=(Override("A-0007", 3, "2026-09", "2026-12", "hosts the gala", "Lin"),),
    cases=(
        Case("big", {"creators": 10, "gmv": 2_000_050}, 3),
        Case("nothing", {"creators": 0, "gmv": 0}, None),
    ),
    settings=RuleSettings(max_bad_row_share=Decimal("0.01")),
)


@pytest.mark.parametrize("typed", [True, False], ids=["google", "csv"])
def test_every_cell_is_read_into_its_field(typed: bool) -> None:
    verdict = Workbook(typed=typed).verdict()
    assert found(verdict) == []
    assert verdict.rulebook == EXPECTED


def test_the_shipped_workbook_is_valid_for_every_month_of_the_demo() -> None:
    raw = read_folder(ROOT / "config" / "workbook")
    verdicts = [parse(raw, DESCRIPTION, Month(2026, month)) for month in (8, 9, 10)]
    assert [verdict.faults for verdict in verdicts] == [(), (), ()]
    rulebook = verdicts[0].rulebook
    assert rulebook is not None
    assert len(rulebook.levels) == 5
    assert all(len(rung.channels) == 2 for rung in rulebook.ladder("2026-10").rungs)
    assert {metric.key for metric in rulebook.metrics} == {tip.metric for tip in rulebook.tips}
    flags = [benefit for benefit in rulebook.benefits if benefit.kind is BenefitKind.FLAG]
    assert len(flags) == 4
    assert not any(benefit.grant(1) for benefit in flags)


def test_the_guide_in_the_shipped_workbook_is_that_of_the_description_and_says_that_numbers_are_invented() -> None:
    raw = read_folder(ROOT / "config" / "workbook")
    about = next(tab for tab in raw.tabs if tab.title == "about")
    assert [list(row) for row in about.rows] == [[line.zh, line.en] for line in DESCRIPTION.tab("about").lines]
    assert any("INVENTED" in line.en and "虚构" in line.zh for line in DESCRIPTION.tab("about").lines)


def test_tabs_and_headers_may_be_chinese_in_any_case_with_spaces_around() -> None:
    book = Workbook()
    for key, rows in list(book.tabs.items()):
        tab = DESCRIPTION.tab(key)
        chinese = {column.key: column.zh for column in tab.columns}
        rows[0] = [f" {chinese.get(str(header), str(header).upper())} " for header in rows[0]]
        book.rename(key, f" {tab.zh}\u3000")
    assert book.rulebook() == EXPECTED


def test_metric_columns_may_be_headed_by_the_metrics_name() -> None:
    book = Workbook().put("thresholds!D1", "Creators").put("thresholds!E1", "paid gmv").put("cases!C1", "PAID GMV")
    assert book.rulebook() == EXPECTED


@pytest.mark.parametrize("headers", [(1, 2, 3), (1.0, "L2", "Gold"), ("lv1", "LV2", "3"), ("Bronze", "silver", "Lv3")])
def test_level_columns_may_be_headed_by_number_l_number_lv_number_or_name(headers: tuple[RawCell, ...]) -> None:
    book = Workbook()
    for cell, header in zip(("E1", "F1", "G1"), headers, strict=True):
        book.put(f"benefits!{cell}", header)
    assert book.rulebook() == EXPECTED


@settings(deadline=None)
@given(st.data())
def test_the_order_of_tabs_columns_and_rows_never_matters(data: st.DataObject) -> None:
    book = Workbook()
    tabs = []
    for title, (header, *rows) in data.draw(st.permutations(list(book.tabs.items()))):
        order = data.draw(st.permutations(range(len(header))))
        shuffled = [header, *data.draw(st.permutations(rows))]
        tabs.append(RawTab(title, [[row[position] for position in order] for row in shuffled]))
    verdict = parse(RawWorkbook(tuple(tabs), typed=True), DESCRIPTION, OCTOBER)
    assert verdict.rulebook == EXPECTED
    assert content_id(verdict.rulebook) == content_id(EXPECTED)


def test_blank_rows_above_between_and_below_are_skipped_and_rows_may_be_ragged() -> None:
    book = Workbook()
    for tab, rows in book.tabs.items():
        book.tabs[tab] = [[], [None, " "], rows[0], [""], *(row + [None] * 3 for row in rows[1:]), [None], ["\u3000"]]
        book.tabs[tab][4] = _without_trailing_blanks(book.tabs[tab][4])
    assert book.rulebook() == EXPECTED


def test_cells_are_trimmed() -> None:
    book = Workbook().put("metrics!A2", " creators ").put("overrides!A2", "A-0007\u00a0").put("levels!B2", "Bronze\t")
    assert book.rulebook() == EXPECTED


def test_unchecked_boxes_are_blank_and_make_no_row() -> None:
    book = Workbook().put("benefits!E2", False).add("benefits", None, None, None, None, False, False, False)
    assert book.rulebook() == EXPECTED


def test_google_numbers_may_be_floats_with_rounding_errors() -> None:
    book = Workbook().put("thresholds!D3", 5.0).put("thresholds!E4", 20000.500000000004).put("levels!A2", 1.0)
    assert book.rulebook() == EXPECTED


@pytest.mark.parametrize(
    "text", ["20000.5", "20000.50", "020000.500", "20000.5000000000000000000000000000000000000000000"]
)
def test_csv_numbers_are_exact_however_they_are_written(text: str) -> None:
    book = Workbook(typed=False).put("thresholds!E4", text).put("thresholds!D2", "1.0").put("settings!B2", "0.0100")
    verdict = book.verdict()
    assert verdict.rulebook == EXPECTED
    assert content_id(verdict.rulebook) == content_id(EXPECTED)


@settings(deadline=None)
@given(st.integers(0, 10**15 - 1))
def test_every_amount_is_read_exactly_from_google_and_csv(fen: int) -> None:
    exact = f"{fen // 100}.{fen % 100:02d}"
    for book in (Workbook(), Workbook(typed=False)):
        book.drop("cases").put("thresholds!E5", float(exact) if book.typed else exact)
        threshold = book.rulebook().ladders[0].rung(3).channels[1].thresholds[0]
        assert threshold == Threshold("gmv", fen)


def test_a_percent_cell_is_read_as_its_share() -> None:
    assert Workbook().put("settings!B2", 0.12).rulebook().settings.max_bad_row_share == Decimal("0.12")


def test_a_blank_or_absent_setting_takes_its_default() -> None:
    assert Workbook().put("settings!B2", None).rulebook().settings == RuleSettings()
    assert Workbook().drop("settings").rulebook().settings == RuleSettings()


def test_the_description_has_every_setting_of_the_rules_with_its_default() -> None:
    assert list(DESCRIPTION.settings) == [field.name for field in fields(RuleSettings)]
    assert {**dict.fromkeys(DESCRIPTION.settings), **DESCRIPTION.defaults} == {
        field.name: field.default for field in fields(RuleSettings)
    }


@pytest.mark.parametrize("tab", ["tips", "overrides", "cases", "settings"])
def test_optional_tabs_may_be_absent_blank_or_only_a_header(tab: str) -> None:
    for rows in (None, [], [Workbook().tabs[tab][0]]):
        book = Workbook()
        if rows is None:
            book.drop(tab)
        else:
            book.tabs[tab] = rows
        assert found(book.verdict()) == []


def test_columns_for_information_only_may_be_absent() -> None:
    book = Workbook()
    columns = {
        "levels": "description",
        "metrics": "unit",
        "tips": "link",
        "overrides": "approved_by",
        "settings": "note",
    }
    for tab, header in columns.items():
        book.drop_column(tab, header)
    assert found(book.verdict()) == []


def test_a_threshold_of_zero_is_valid() -> None:
    book = Workbook().drop("cases").put("thresholds!D2", 0)
    assert book.rulebook().ladders[0].rung(1).channels[0].thresholds == (Threshold("creators", 0),)


def test_other_tabs_and_the_status_tab_are_never_read() -> None:
    book = Workbook()
    book.tabs["status"] = [["#REF!"], ["#REF!", 1]]
    book.tabs["scratch"] = [["level", "level"], ["#N/A"]]
    assert book.rulebook() == EXPECTED


def test_a_new_metric_needs_no_code() -> None:
    book = Workbook().add("metrics", "stars", "Stars", "creator_count", 7, 7, None).put("thresholds!F1", "Stars")
    book.put("thresholds!F4", 2).put("cases!E1", "stars").put("cases!E3", 2)
    assert Threshold("stars", 2) in book.rulebook().ladders[0].rung(3).channels[0].thresholds


def test_each_month_has_the_ladder_that_is_in_force_then() -> None:
    book = Workbook()
    for level, creators in ((1, 2), (2, 6), (3, 10)):
        book.add("thresholds", "2026-12", level, 1, creators, 100 * level)
    rulebook = book.rulebook()
    assert [ladder.effective_month for ladder in rulebook.ladders] == [None, "2026-12"]
    assert rulebook.ladder("2026-11").effective_month is None
    assert rulebook.ladder("2026-12").effective_month == "2026-12"


def test_an_earlier_ladder_may_lack_levels_that_were_added_later() -> None:
    book = Workbook().drop("cases")
    book.tabs["thresholds"][1:] = [["2026-01", 1, 1, 9, None], ["2026-01", 2, 1, 3, None]]
    for level in (1, 2, 3):
        book.add("thresholds", "2026-02", level, 1, level, None)
    assert found(book.verdict()) == []
    assert found(book.verdict(Month(2026, 1))) == [
        ("level_without_threshold", "thresholds!B3"),
        ("ladder_not_monotone", "thresholds!D3"),
        ("channel_dominated", "thresholds!C2"),
    ]


def test_an_override_of_an_agency_that_is_not_in_the_extract_is_a_warning() -> None:
    book = Workbook().add("overrides", "A-0008", 1, None, "2026-11", "x", None)
    book.add("overrides", "A-0009", 1, None, "2026-01", "over", None)
    faults = unknown_overrides(book.verdict(), {"A-0007"})
    assert [(fault.code, fault.severity, fault.tab, fault.cell) for fault in faults] == [
        ("override_unknown_agency", "warning", "overrides", "A3")
    ]


def _without_trailing_blanks(row: list[RawCell]) -> list[RawCell]:
    while row and row[-1] is None:
        row = row[:-1]
    return row


def with_stars(from_month: str) -> Workbook:
    """The small workbook with a metric from a later month on, required for level 3, and a column for it in cases."""
    book = Workbook().put("metrics!G1", "from_month").put("thresholds!F1", "stars").put("cases!E1", "stars")
    book.add("metrics", "stars", "Stars", "creator_count", 7, 7, None, from_month)
    return book.put("thresholds!F4", 2).put("thresholds!F5", 2)


def test_a_case_with_a_value_of_a_later_metric_is_tried_from_the_metrics_month_on() -> None:
    assert found(with_stars("2027-01").put("cases!E3", 2).verdict()) == []
    too_few = with_stars("2027-01").put("cases!E3", 1).verdict()
    assert found(too_few) == [("case_fails_later", "cases!D3")]


def test_a_case_without_a_value_of_a_later_metric_is_tried_before_and_after_it() -> None:
    """The case "big" has no stars: level 3 until December, level 2 from January on. This blocks January only."""
    book = with_stars("2027-01")
    (fault,) = book.verdict().faults
    assert (fault.code, fault.severity, fault.cell) == ("case_fails_later", "warning", "D3")
    assert "2027-01" in fault.expected.en
    assert found(book.verdict(Month(2027, 1))) == [("override_expired", "overrides!D2"), ("case_fails", "cases!D3")]


def test_a_case_with_a_later_level_is_tried_from_the_levels_month_on() -> None:
    book = Workbook().put("levels!D1", "from_month").add("levels", 4, "Star", None, "2027-01")
    book.add("thresholds", None, 4, 1, 20, 50000).put("benefits!H1", "L4").put("benefits!H3", "unlimited")
    book.put("benefits!H2", True).put("benefits!H4", "1 day")
    assert not book.add("cases", "star", 20, 50000, 4).verdict().errors
    assert found(book.put("cases!B4", 19).verdict())[0] == ("case_fails_later", "cases!D4")
