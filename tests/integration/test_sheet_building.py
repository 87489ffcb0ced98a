"""The Google Sheet that the builder makes: it is complete, the parser reads it, and existing cells stay."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest

from functions.rating.workbook.cells import Language
from functions.rating.workbook.folder import read_folder
from functions.rating.workbook.google import sheet
from functions.rating.workbook.rulebook import parse
from shared.errors import WorkbookUnavailable
from shared.levels import Rulebook
from tests.fakes.sheets import FakeSheets, Sheet
from tests.workbooks import DESCRIPTION, OCTOBER, ROOT, Workbook
from tools.sheet.builder import Built, build

KEY = "new-sheet"
EXAMPLE = read_folder(ROOT / "config" / "workbook")
TITLES = {"en": [tab.key for tab in DESCRIPTION.tabs], "zh": [tab.zh for tab in DESCRIPTION.tabs]}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_empty_spreadsheet_gets_every_tab_and_reads_back_as_the_shipped_example(
    language: Language,
) -> None:
    google = blank()
    built = build_it(google, language)
    assert built == Built(tuple(TITLES[language]), (), filled=True)
    assert titles(google) == [TITLES[language][0], "Sheet1", *TITLES[language][1:]]
    assert read_back(google) == parse(EXAMPLE, DESCRIPTION, OCTOBER).rulebook
    assert google.methods.count("sheets.spreadsheets.batchUpdate") == 1


def test_the_first_tab_explains_the_sheet_in_the_chosen_language() -> None:
    google = blank()
    build_it(google, "zh")
    assert google.tab(KEY, "说明").values() == [[line.zh] for line in DESCRIPTION.tab("about").lines]


def test_building_again_changes_nothing() -> None:
    google = blank()
    build_it(google, "zh")
    once = copy.deepcopy(google.books[KEY])
    assert build_it(google, None) == Built((), tuple(TITLES["zh"]), filled=False)
    for before, after in zip(once, google.books[KEY], strict=True):
        assert after.properties == before.properties
        assert after.cells == before.cells
        assert after.conditional == before.conditional
        assert [without_id(p) for p in after.protected] == [without_id(p) for p in before.protected]


def test_building_in_the_other_language_renames_only_tabs_and_headers() -> None:
    google = blank()
    build_it(google, "zh")
    before = read_back(google)
    build_it(google, "en")
    assert titles(google) == [TITLES["en"][0], "Sheet1", *TITLES["en"][1:]]
    assert google.tab(KEY, "thresholds").values()[0][:3] == ["effective_month", "level", "channel"]
    assert read_back(google) == before


def test_an_older_sheet_keeps_every_data_cell_and_gets_missing_tabs_and_columns() -> None:
    book = Workbook().drop("tips").drop("settings").drop_column("levels", "description")
    book.tabs["levels"].insert(0, [])
    book.tabs["overrides"] = []
    google = FakeSheets()
    google.book(KEY, book.tabs)
    before = {tab: google.tab(KEY, tab).values()[1:] for tab in ("metrics", "thresholds", "benefits", "cases")}
    built = build_it(google, None)
    assert built == Built(
        ("about", "tips", "settings", "versions", "console", "distribution", "status"), tuple(book.tabs), filled=False
    )
    assert {tab: google.tab(KEY, tab).values()[1:] for tab in before} == before
    assert google.tab(KEY, "levels").values()[1] == ["level", "name", "description", "from_month"]
    assert google.tab(KEY, "overrides").values() == [[column.key for column in DESCRIPTION.tab("overrides").columns]]
    rulebook = read_back(google)
    assert (rulebook.ladders, rulebook.overrides, rulebook.tips) == (Workbook().rulebook().ladders, (), ())


def test_a_new_metric_gets_its_columns_in_thresholds_and_cases() -> None:
    google = FakeSheets()
    google.book(KEY, Workbook().add("metrics", "stars", "Stars", "creator_count", 7, 7, None).tabs)
    build_it(google, "en")
    assert google.tab(KEY, "thresholds").values()[0][-1] == "stars"
    assert google.tab(KEY, "cases").values()[0][-1] == "stars"
    assert read_back(google).metric("stars").min_power == 7


def test_cells_have_types_checks_and_notes_and_headers_are_protected() -> None:
    google = blank()
    build_it(google, "en")
    thresholds = google.tab(KEY, "thresholds")
    month, level, gmv = (thresholds.cells[5, column] for column in (0, 1, 5))
    assert month["userEnteredFormat"]["numberFormat"] == {"type": "TEXT"}
    assert gmv["userEnteredFormat"]["numberFormat"] == {"type": "NUMBER", "pattern": "#,##0.00"}
    assert level["dataValidation"]["strict"]
    assert level["dataValidation"]["condition"]["type"] == "NUMBER_BETWEEN"
    assert "REGEXMATCH" in str(month["dataValidation"])
    assert "SWITCH" in str(google.tab(KEY, "benefits").cells[30, 5]["dataValidation"])
    assert thresholds.cells[0, 0]["note"] == DESCRIPTION.tab("thresholds").columns[0].note.en
    assert thresholds.properties["gridProperties"]["frozenRowCount"] == 1
    assert [protected["range"]["endRowIndex"] for protected in thresholds.protected] == [1]
    settings = google.tab(KEY, "settings")
    kinds = {row: settings.cells[row, 1]["userEnteredFormat"]["numberFormat"]["type"] for row in range(1, 9)}
    assert kinds == {
        1: "NUMBER",
        2: "PERCENT",
        3: "PERCENT",
        4: "PERCENT",
        5: "PERCENT",
        6: "PERCENT",
        7: "NUMBER",
        8: "PERCENT",
    }


def test_text_in_number_cells_and_falling_thresholds_are_coloured() -> None:
    google = blank()
    build_it(google, "en")
    formulas = [str(rule["booleanRule"]["condition"]) for rule in google.tab(KEY, "thresholds").conditional]
    assert sum("ISTEXT" in formula for formula in formulas) == 5
    assert sum("SUMPRODUCT" in formula for formula in formulas) == 3


def test_protections_and_colours_of_people_stay() -> None:
    google = blank()
    build_it(google, "en")
    levels = google.tab(KEY, "levels")
    levels.conditional.insert(0, {"ranges": [{"sheetId": levels.properties["sheetId"]}]})
    levels.protected.insert(0, {"protectedRangeId": 77, "range": {"sheetId": 1}})
    build_it(google, None)
    levels = google.tab(KEY, "levels")
    assert 77 in [protected["protectedRangeId"] for protected in levels.protected]
    assert {"ranges": [{"sheetId": levels.properties["sheetId"]}]} in levels.conditional
    assert (len(levels.protected), len(levels.conditional)) == (2, 2)


def test_a_renamed_tab_stays_and_is_created_again() -> None:
    google = blank()
    build_it(google, "en")
    google.tab(KEY, "tips").properties["title"] = "old tips"
    assert build_it(google, "en").created == ("tips",)
    assert {"old tips", "tips"} <= set(titles(google))


def test_a_change_that_google_refuses_is_not_sent_again() -> None:
    google = blank()
    google.trouble.extend([503])
    with pytest.raises(WorkbookUnavailable, match="503"):
        sheet.GoogleSheet(KEY, google.client(), unused).change([{"addSheet": {"properties": {"title": "x"}}}])
    assert titles(google) == ["Sheet1"]
    assert google.methods == ["sheets.spreadsheets.batchUpdate"]


def blank() -> FakeSheets:
    google = FakeSheets()
    google.book(KEY, {"Sheet1": []})
    return google


def build_it(google: FakeSheets, language: Language | None) -> Built:
    google.methods.clear()
    return build(sheet.GoogleSheet(KEY, google.client(), unused), DESCRIPTION, EXAMPLE, language)


def read_back(google: FakeSheets) -> Rulebook:
    verdict = parse(sheet.read_sheet(KEY, client=google.client()), DESCRIPTION, OCTOBER)
    assert verdict.rulebook is not None, "\n".join(map(str, verdict.errors))
    return verdict.rulebook


def titles(google: FakeSheets) -> list[str]:
    return [tab.properties["title"] for tab in google.books[KEY]]


def without_id(protected: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in protected.items() if name != "protectedRangeId"}


def unused(seconds: float) -> None:
    raise AssertionError(f"slept {seconds} s")


def test_a_chinese_sheet_offers_no_english_word() -> None:
    """All choices and filled-in values are Chinese, except the example's own codes of metrics and benefits."""
    google = blank()
    build_it(google, "zh")
    offered = {
        value["userEnteredValue"]
        for tab in google.books[KEY]
        for cell in tab.cells.values()
        if (condition := cell.get("dataValidation", {}).get("condition", {})).get("type") == "ONE_OF_LIST"
        for value in condition["values"]
    }
    assert not [word for word in offered if re.fullmatch(r"[a-z_]+", word)]
    assert {"勾选", "额度", "文字", "达人数", "支付GMV", "等级变化占比上限"} <= offered
    filled = {cell for title in ("权益", "设置", "指标") for row in google.tab(KEY, title).values() for cell in row}
    english = {"flag", "quota", "text", "unlimited", "creator_count", "max_changed_share"}
    assert filled & english == set()
    assert "不限" in filled


def test_english_words_in_a_chinese_sheet_are_still_read_and_offered() -> None:
    google = blank()
    build_it(google, "zh")
    before = read_back(google)
    benefits = google.tab(KEY, "权益")
    kind = benefits.values()[0].index("类型")
    kinds = [row[kind] for row in benefits.values()]
    benefits.type_in(kinds.index("勾选"), kind, "flag")
    benefits.type_in(kinds.index("额度"), kind, "quota")
    google.tab(KEY, "设置").type_in(1, 0, "new_agency_wait_months")
    assert read_back(google) == before
    build_it(google, None)
    values = google.tab(KEY, "权益").cells[1, kind]["dataValidation"]["condition"]["values"]
    assert [value["userEnteredValue"] for value in values] == ["勾选", "额度", "文字", "flag", "quota"]


def test_benefits_of_the_kind_tick_have_tick_boxes() -> None:
    google = blank()
    build_it(google, "zh")
    benefits = google.tab(KEY, "权益")
    rows = benefits.values()
    kind, first = rows[0].index("类型"), rows[0].index("L1")
    kinds = [row[kind] for row in rows[1:]]
    boxes = [
        benefits.cells[at, first]["dataValidation"]["condition"]["type"] == "BOOLEAN" for at in range(1, len(rows))
    ]
    assert boxes == [kind == "勾选" for kind in kinds]
    assert any(boxes)
    rule = str(benefits.cells[len(rows) + 3, first]["dataValidation"])
    assert '"勾选"' in rule
    assert '"flag"' in rule


def test_a_sheet_that_people_have_changed_is_upgraded_without_changing_its_rules() -> None:
    """Title rows, a filter, frozen columns and rows, a merged title, a misspelt header, another tab."""
    google = blank()
    build_it(google, "zh")
    before = read_back(google)
    for title in ("等级", "门槛", "权益"):
        insert_rows(google.tab(KEY, title), 2)
        google.tab(KEY, title).type_in(0, 0, "2026 年规则，请勿外传")
    thresholds = google.tab(KEY, "门槛")
    thresholds.merge(0, 1, 0, 4)
    thresholds.filter = {"range": {"sheetId": thresholds.properties["sheetId"], "startRowIndex": 2}}
    thresholds.properties["gridProperties"] |= {"frozenColumnCount": 3, "frozenRowCount": 4}
    thresholds.type_in(2, 2, "通到")
    google.books[KEY].append(copy.deepcopy(thresholds))
    google.books[KEY][-1].properties |= {"title": "门槛的副本", "sheetId": 4711}
    google.books[KEY][-1].protected.clear()
    filtered, untouched = copy.deepcopy(thresholds.filter), copy.deepcopy(google.books[KEY][-1])
    build_it(google, None)
    after = google.tab(KEY, "门槛")
    assert after.values()[0] == ["2026 年规则，请勿外传"]
    assert after.values()[2][:3] == ["生效月份", "等级", "通道"]
    assert (after.filter, after.merges) == (filtered, thresholds.merges)
    assert after.properties["gridProperties"]["frozenColumnCount"] == 3
    assert after.properties["gridProperties"]["frozenRowCount"] == 4
    assert google.tab(KEY, "门槛的副本") == untouched
    assert read_back(google) == before
    once = copy.deepcopy(google.books[KEY])
    build_it(google, None)
    assert [tab.cells for tab in google.books[KEY]] == [tab.cells for tab in once]


def test_the_column_of_a_renamed_metric_is_renamed_only_if_the_new_name_is_similar() -> None:
    google = FakeSheets()
    google.book(KEY, Workbook().tabs)
    metrics, thresholds = google.tab(KEY, "metrics"), google.tab(KEY, "thresholds")
    metrics.type_in(2, 0, "gmv2")
    build_it(google, None)
    assert thresholds_header(google) == ["effective_month", "level", "channel", "creators", "gmv2"]
    assert google.tab(KEY, "thresholds").values()[2][4] == thresholds.values()[2][4] == 1000
    metrics = google.tab(KEY, "metrics")
    metrics.type_in(2, 0, "turnover")
    build_it(google, None)
    assert thresholds_header(google)[4:] == ["gmv2", "turnover"]
    assert google.tab(KEY, "thresholds").values()[2][4] == 1000


def thresholds_header(google: FakeSheets) -> list[object]:
    return list(google.tab(KEY, "thresholds").values()[0])


def insert_rows(tab: Sheet, rows: int) -> None:
    """Insert rows at the top, as a person does."""
    tab.cells = {(row + rows, column): cell for (row, column), cell in tab.cells.items()}
    tab.properties["gridProperties"]["rowCount"] += rows
    for area in (*(one["range"] for one in tab.protected), *(r for one in tab.conditional for r in one["ranges"])):
        area["startRowIndex"] += rows
        if "endRowIndex" in area:
            area["endRowIndex"] += rows
