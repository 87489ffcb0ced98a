"""The status tab after a check, a preview, a run: what operations see, and that none of it can do harm."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests

from functions.rating.result import Outcome
from functions.rating.workbook.cells import RawCell
from functions.rating.workbook.google.status_tab import write_status
from functions.rating.workbook.status import OUTCOMES, SHOWN_FAULTS, SHOWN_MOVERS, status_rows
from shared.errors import WorkbookUnavailable
from tests.fakes.sheets import FakeSheets, Sheet
from tests.workbooks import DESCRIPTION, Workbook

KEY = "the-sheet"
AT = datetime(2026, 11, 2, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
PREVIEW: dict[str, Any] = {
    "matrix": [{"from": "2", "to": "3", "agencies": 4}, {"from": "awaiting", "to": "unrated", "agencies": 1}],
    "movers": [
        {
            "agency_id": "A-0001",
            "name": '=IMPORTXML("https://example.com","//a")',
            "old_level": 2,
            "new_level": 3,
            "channel": 1,
            "decided_by": {"metric": "gmv", "required": 2_000_050, "actual": 2_000_049},
            "benefits_gained": ["Contact", "Seats"],
            "benefits_lost": [],
        }
    ],
    "metrics": {"gmv": {"key": "gmv", "name": "Paid GMV", "measure": "paid_gmv", "unit": "yuan"}},
    "cases_passed": [],
}


def test_a_sound_sheet_says_when_which_version_and_that_it_is_sound() -> None:
    rows = written(answer("checked"))
    assert rows[0] == ["检查时间 checked at", "2026-11-02 09:00 (Asia/Shanghai)"]
    assert rows[1][1] == "可用 valid"
    assert rows[3][1] == "2026-10"
    assert rows[4][1] == "version-1"
    assert rows[6][1] == "0 个错误 errors, 0 个提醒 warnings"


def test_each_fault_has_its_cell_what_was_found_and_the_mend_in_both_languages() -> None:
    book = Workbook().put("thresholds!D3", "５")
    google = served(book)
    (row,) = [row for row in written(faulty(book), google) if row and "not_whole" in row]
    assert row[:3] == ["错误 error", "thresholds!D3", '"５" (文本 text)']
    assert "整数" in str(row[3])
    assert "whole number" in str(row[3])
    assert "Type plain digits" in str(row[4])
    assert "半角数字" in str(row[4])


def test_the_cell_of_a_fault_is_a_link_to_it() -> None:
    book = Workbook().put("thresholds!D3", "５")
    google = served(book)
    written(faulty(book), google)
    gid = google.tab(KEY, "thresholds").properties["sheetId"]
    links = [link for cell in status_tab(google).cells.values() if (link := _link(cell))]
    assert links == [f"https://docs.google.com/spreadsheets/d/{KEY}/edit#gid={gid}&range=D3"]


def test_a_tab_that_is_missing_has_no_link_and_is_named_all_the_same() -> None:
    book = Workbook().drop("benefits")
    google = served(book)
    assert "benefits!A1" in [row[1] for row in written(faulty(book), google) if len(row) > 1]
    assert not any(_link(cell) for cell in status_tab(google).cells.values())


def test_after_a_preview_it_says_who_would_move_and_why() -> None:
    rows = written({**answer("previewed"), "preview": PREVIEW})
    assert ["", "2", "3", "4"] in rows
    assert ["", "待首次评级 awaiting", "未定级 unrated", "1"] in rows
    (mover,) = [row for row in rows if row and row[0] == "A-0001"]
    assert mover[2:] == ["2 → 3", "Paid GMV: 20000.49 / 20000.50 yuan", "Contact、Seats", ""]


def test_a_pending_change_says_from_which_month_it_counts() -> None:
    rows = written({**answer("pending"), "effective_month": "2026-11", "effective_on": "2026-12-03"})
    assert ["生效考核月 takes effect from", "2026-11，发布日 published on 2026-12-03"] in rows


def test_text_that_looks_like_a_formula_stays_text() -> None:
    google = served(Workbook())
    written({**answer("previewed"), "preview": PREVIEW}, google)
    values = [cell["userEnteredValue"] for cell in status_tab(google).cells.values() if "userEnteredValue" in cell]
    assert {"stringValue": '=IMPORTXML("https://example.com","//a")'} in values
    assert {key for value in values for key in value} == {"stringValue"}


def test_a_shorter_verdict_leaves_nothing_of_a_longer_one() -> None:
    book = Workbook().put("levels!B2", 1).put("levels!B3", 2).put("levels!B4", 3)
    google = served(book)
    long = written(faulty(book), google)
    short = written(answer("checked"), google)
    assert len(short) == 7 < len(long)
    assert status_tab(google).properties["gridProperties"]["columnCount"] == 2


def test_the_tab_is_made_where_there_is_none_and_kept_under_either_name() -> None:
    google = served(Workbook())
    written(answer("checked"), google)
    assert status_tab(google).properties["title"] == "状态"
    status_tab(google).properties["title"] = "Status"
    written(answer("checked"), google)
    assert [tab.properties["title"] for tab in google.books[KEY]][-1] == "Status"


def test_long_lists_are_cut_and_say_so() -> None:
    book = Workbook()
    for row in range(2, 700):
        book.put(f"overrides!A{row}", row)
    assert len([r for r in written(faulty(book)) if r and r[0] == "错误 error"]) == SHOWN_FAULTS
    preview = {**PREVIEW, "movers": PREVIEW["movers"] * (SHOWN_MOVERS + 7)}
    assert written({**answer("previewed"), "preview": preview})[-1] == ["… 另有 7 条 7 more"]


def test_every_outcome_of_the_rating_function_has_its_words() -> None:
    assert set(OUTCOMES) == {*Outcome.__args__, "faulty", "failed"}  # type: ignore[attr-defined]


def test_a_sheet_shared_for_reading_only_is_said_and_stays_as_it_was() -> None:
    google = served(Workbook())
    client = google.client()
    before = [tab.properties["title"] for tab in google.books[KEY]]
    rows = status_rows(answer("checked"), AT)
    google.refuse_changes = {"code": 403, "message": "The caller does not have permission"}
    with pytest.raises(WorkbookUnavailable, match="Editor to have the status tab written"):
        write_status(KEY, rows, DESCRIPTION, client=client)
    assert [tab.properties["title"] for tab in google.books[KEY]] == before


def test_a_lost_answer_to_a_change_is_not_asked_for_again() -> None:
    google = served(Workbook())
    google.refuse_changes = requests.ReadTimeout("slow")
    with pytest.raises(WorkbookUnavailable, match="ReadTimeout"):
        write_status(KEY, status_rows(answer("checked"), AT), DESCRIPTION, client=google.client())
    assert google.methods.count("sheets.spreadsheets.batchUpdate") == 1


def answer(outcome: str) -> dict[str, Any]:
    return {"outcome": outcome, "month": "2026-10", "rulebook": "version-1", "faults": []}


def faulty(book: Workbook) -> dict[str, Any]:
    return {**answer("faulty"), "rulebook": None, "faults": [fault.as_dict() for fault in book.verdict().faults]}


def served(book: Workbook) -> FakeSheets:
    google = FakeSheets()
    google.book(KEY, book.tabs)
    return google


def written(what: dict[str, Any], google: FakeSheets | None = None) -> list[list[RawCell]]:
    google = google or served(Workbook())
    rows = status_rows(what, AT)
    write_status(KEY, rows, DESCRIPTION, client=google.client())
    return status_tab(google).values()


def status_tab(google: FakeSheets) -> Sheet:
    return next(tab for tab in google.books[KEY] if tab.properties["title"].lower() in ("status", "状态"))


def _link(cell: dict[str, Any]) -> str | None:
    uri = cell.get("userEnteredFormat", {}).get("textFormat", {}).get("link", {}).get("uri")
    return str(uri) if uri else None
