"""The status tab after a check, a preview or a run: what operations see, always as text."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests

from functions.rating.result import Outcome
from functions.rating.workbook.cells import Language, RawCell, RawTab, RawWorkbook
from functions.rating.workbook.google import requests as do
from functions.rating.workbook.google.sheet import addresses
from functions.rating.workbook.google.status_tab import write_status
from functions.rating.workbook.rulebook import parse
from functions.rating.workbook.status import SHOWN_FAULTS, SHOWN_MOVERS, StatusContext, StatusPage, status
from functions.rating.workbook.status_words import FAILURES, NOT_DELIVERED, OUTCOMES, failure
from shared import errors
from shared.errors import WorkbookUnavailable
from tests.fakes.sheets import FakeSheets, Sheet
from tests.workbooks import DESCRIPTION, OCTOBER, Workbook

KEY = "the-sheet"
AT = datetime(2026, 11, 2, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
MATRIX = [
    {"from": "2", "to": "3", "agencies": 4},
    {"from": "3", "to": "1", "agencies": 1},
    {"from": "awaiting", "to": "unrated", "agencies": 1},
]
UP = {
    "agency_id": "A-0001",
    "name": '=IMPORTXML("https://example.com","//a")',
    "old_level": 2,
    "new_level": 3,
    "channel": 1,
    "decided_by": {"metric": "gmv", "required": 2_000_050, "actual": 2_000_049},
    "benefits_gained": ["Contact", "Seats"],
    "benefits_lost": [],
    "benefits_changed": [{"benefit": "Streams", "before": "3", "now": "unlimited"}],
    "cause": None,
}
DOWN = {**UP, "agency_id": "A-0002", "old_level": 3, "new_level": 1, "decided_by": None, "cause": "override_ended"}
PREVIEW: dict[str, Any] = {
    "matrix": MATRIX,
    "movers": [UP, DOWN],
    "metrics": {"gmv": {"key": "gmv", "name": "Paid GMV", "measure": "paid_gmv", "unit": "yuan"}},
    "cases_passed": [],
}
LINE = {"at": "2026-11-02T00:30:00+00:00", "action": "held", "month": "2026-10", "run": "b" * 20, "by": None}
HELD = {
    "record": {
        "guardrails": [
            {"name": "max_changed_share", "limit": "0.2", "value": 0.31, "exceeded": True, "because": None},
            {"name": "max_gmv_change_share", "limit": "0.5", "value": None, "exceeded": False, "because": None},
        ],
        "levels": {"1": 3, "2": 1_200, "unrated": 7},
    },
    "moves": PREVIEW,
    "held_because": {"zh": "已发布月份的门槛被改动：D6", "en": "thresholds of a published month were changed: D6"},
}


def test_the_first_line_is_the_outcome_in_colour() -> None:
    google = served(Workbook())
    rows = written(answer("checked"), google)
    assert rows[0] == ["2026-10: checked, nothing published; the sheet is valid"]
    assert rows[1] == ["checked at", "2026-11-02 09:00 Asia/Shanghai"]
    assert colour(google, 0, 0) == colour(google, 0, 5) == "green"
    written(faulty(Workbook().put("thresholds!D3", "５")), google)
    assert status_tab(google).values()[0] == [
        "2026-10: the sheet has errors, nothing is published until they are fixed; 1 errors"
    ]
    assert colour(google, 0, 0) == "red"


def test_the_status_tab_of_a_chinese_sheet_is_chinese() -> None:
    """Except ids and the names of agencies."""
    book = Workbook().put("thresholds!D3", "５")
    google = chinese(book)
    held = {**faulty(book, "zh"), "outcome": "held", "changes": [], "levels": {"1": 3}}
    context = StatusContext(
        AT, run=HELD, link="https://s3/month%3D2026-10/report", link_until=AT, waiting=[line()], ledger=[line()]
    )
    rows = written(held, google, context)
    assert rows[0][0] == "2026-10：暂缓发布，等待确认；已发布的等级保持不变；1 个错误"
    text = "\n".join(str(cell) for row in rows for cell in row)
    assert '"５"（文本）' in text
    assert "\n已发布月份的门槛被改动：D6\n" in text
    english = {
        "held",
        "level",
        "agencies",
        "report",
        "whole",
        "text",
        "run",
        "month",
        "because",
        "guardrail",
        "unrated",
    }
    assert not english & set(re.findall(r"[a-z]+", text))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_missing_data_is_named_with_what_was_found_instead(language: Language) -> None:
    found = "orders: s3://extracts/in/orders/month=2026-10/_SUCCESS is not there; found nothing below s3://extracts/in/"
    waiting = {**answer("not_ready"), "missing": ["orders"], "found": [found]}
    rows = [[cell.text for cell in row] for row in status(waiting, StatusContext(AT), language).rows]
    assert [row[1] for row in rows if row and row[0] in ("missing data", "缺少的数据")] == ["orders"]
    (because,) = [row[1] for row in rows if row and row[0] in ("because", "原因")]
    assert because == (found if language == "en" else f"{NOT_DELIVERED}\n{found}")


def test_each_fault_is_shown_with_cell_content_and_fix_in_the_sheets_language() -> None:
    book = Workbook().put("thresholds!D3", "５")
    (row,) = [row for row in written(faulty(book)) if row and row[0] == "error"]
    assert row[:3] == ["error", "thresholds!D3", '"５" (text)']
    assert "whole number" in str(row[3])
    assert "Type plain digits" in str(row[4])
    assert "半角数字" not in str(row[4])


def test_the_cell_of_a_fault_is_a_link_to_it() -> None:
    book = Workbook().put("thresholds!D3", "５")
    google = served(book)
    written(faulty(book), google)
    gid = google.tab(KEY, "thresholds").properties["sheetId"]
    links = [link for cell in status_tab(google).cells.values() if (link := _link(cell))]
    assert links == [f"https://docs.google.com/spreadsheets/d/{KEY}/edit#gid={gid}&range=D3"]


def test_a_missing_tab_is_named_without_a_link() -> None:
    book = Workbook().drop("benefits")
    google = served(book)
    assert "benefits!A1" in [row[1] for row in written(faulty(book), google) if len(row) > 1]
    assert not any(_link(cell) for cell in status_tab(google).cells.values())


def test_a_preview_shows_movers_with_reasons_and_downgrades_first() -> None:
    rows = written({**answer("previewed"), "preview": PREVIEW})
    assert ["level 2", "level 3", "4"] in rows
    assert ["awaiting first rating", "unrated", "1"] in rows
    down, up = rows.index(["down", "1 agencies"]), rows.index(["up", "4 agencies"])
    assert rows[down + 2][:4] == ["A-0002", UP["name"], "3 → 1", "the level set by hand has ended"]
    assert rows[up + 2][2:] == ["2 → 3", "Paid GMV: 20000.49 / 20000.50 yuan", "Contact、Seats、Streams: 3 → unlimited"]
    assert rows[up + 3] == ["and 3 more in the report"]


def test_a_held_run_shows_guardrails_counts_and_a_link_with_its_expiry() -> None:
    google = served(Workbook())
    context = StatusContext(AT, run=HELD, link="https://s3/month%3D2026-10/report", link_until=AT)
    rows = written(answer("held"), google, context)
    assert ["agencies whose level changes", "20 %", "31 %", "exceeded"] in rows
    assert ["total GMV, against the month before", "50 %", "–", "within"] in rows
    assert ["level 2", "1,200"] in rows
    assert ["because", "thresholds of a published month were changed: D6"] in rows
    assert ["report", "open the report of 2026-10 (the link works until 2026-11-02 09:00 at the latest)"] in rows
    assert "https://s3/month%3D2026-10/report" in [_link(cell) for cell in status_tab(google).cells.values()]


def test_a_held_run_is_named_after_any_event() -> None:
    google = served(Workbook())
    rows = written(answer("checked"), google, StatusContext(AT, waiting=[line()]))
    assert rows[0] == ["2026-10: checked, nothing published; the sheet is valid; 1 runs wait for a decision"]
    assert colour(google, 0, 0) == "orange"
    assert ["waits for a decision", f"run {'b' * 20} of 2026-10, held since 2026-11-02 08:30"] in rows


def test_the_last_ten_ledger_lines_are_shown_with_name_and_reason() -> None:
    lines = [line(action="accepted", by="Lin", reason=f"reason {n}") for n in range(12)]
    rows = written(answer("checked"), context=StatusContext(AT, ledger=lines))
    assert rows[-1] == ["2026-11-02 08:30", "accepted", "2026-10", "b" * 20, "Lin", "reason 9"]
    assert sum("Lin" in row for row in rows) == 10


def test_columns_are_wide_enough_for_their_texts() -> None:
    google = served(Workbook())
    written({**answer("previewed"), "preview": PREVIEW}, google)
    widths = status_tab(google).widths
    assert sorted(widths) == [0, 1, 2, 3, 4, 5]
    assert widths[3] == len("Paid GMV: 20000.49 / 20000.50 yuan") * 8


@pytest.mark.parametrize("name", sorted(vars(errors)))
def test_every_error_type_has_chinese_words(name: str) -> None:
    kind = getattr(errors, name)
    own = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, errors.LevelsError)]
    concrete = kind in own and not [one for one in own if one is not kind and issubclass(one, kind)]
    assert (name in FAILURES) == (concrete and name != "WorkbookFaulty")


def test_an_error_is_shown_in_the_sheets_language() -> None:
    failed = {"outcome": "failed", "month": "2026-10", "error": "MonthNotOver", "message": "month 2026-10 ends later"}
    assert ["because", "month 2026-10 ends later"] in written(failed)
    because = "考核月还没有结束，结束后才能考核；可以先试算\nmonth 2026-10 ends later"
    assert ["原因", because] in written(failed, chinese(Workbook()))
    assert failure("WorkbookUnavailable", "表格没有共享 / it is not shared", "zh") == "表格没有共享"
    assert failure("WorkbookUnavailable", "表格没有共享 / it is not shared", "en") == "it is not shared"


@pytest.mark.parametrize(
    ("outcome", "shown_above"), [("checked", 0), ("published", 0), ("pending", 1), ("rolled_back", 0)]
)
def test_every_prepared_month_is_shown_once_and_in_order(outcome: str, shown_above: int) -> None:
    """A pending refresh shows the first of them above, so it is not shown a second time."""
    steps = [
        {"effective_month": month, "effective_on": f"{month}-03", "preview": PREVIEW}
        for month in ("2026-11", "2027-01")
    ]
    pending = {**answer(outcome), "prepared": steps, **(steps[0] if shown_above else {})}
    rows = written(pending)
    prepared = [row[1] for row in rows if row[:1] == ["prepared for"]]
    expected = ["rating month 2026-11, published on 2026-11-03", "rating month 2027-01, published on 2027-01-03"]
    assert prepared == expected[shown_above:]
    assert sum(row[:1] == ["A-0001"] for row in rows) == len(steps)
    assert (["takes effect from", expected[0]] in rows) == bool(shown_above)


def test_a_pending_change_says_from_which_month_it_counts() -> None:
    rows = written({**answer("pending"), "effective_month": "2026-11", "effective_on": "2026-12-03"})
    assert ["takes effect from", "rating month 2026-11, published on 2026-12-03"] in rows


def test_text_that_looks_like_a_formula_stays_text() -> None:
    google = served(Workbook())
    written({**answer("previewed"), "preview": PREVIEW}, google)
    values = [cell["userEnteredValue"] for cell in status_tab(google).cells.values() if "userEnteredValue" in cell]
    assert {"stringValue": '=IMPORTXML("https://example.com","//a")'} in values
    assert {key for value in values for key in value} == {"stringValue"}


def test_a_shorter_status_removes_the_rows_of_a_longer_one() -> None:
    book = Workbook().put("levels!B2", 1).put("levels!B3", 2).put("levels!B4", 3)
    google = served(book)
    long = written(faulty(book), google)
    short = written(answer("checked"), google)
    assert len(short) == 4 < len(long)


def test_the_tab_is_created_once_and_found_under_other_spellings() -> None:
    google = served(Workbook())
    written(answer("checked"), google)
    assert status_tab(google).properties["title"] == "status"
    status_tab(google).properties["title"] = "Status"
    written(answer("checked"), google)
    assert [tab.properties["title"] for tab in google.books[KEY]][-1] == "Status"


def test_long_lists_are_cut_and_the_rest_is_counted() -> None:
    book = Workbook()
    for row in range(2, 700):
        book.put(f"overrides!A{row}", row)
    assert len([r for r in written(faulty(book)) if r and r[0] == "error"]) == SHOWN_FAULTS
    many = SHOWN_MOVERS + 7
    matrix = [{"from": "2", "to": "3", "agencies": many}]
    preview = {**PREVIEW, "matrix": matrix, "movers": [UP] * many}
    rows = written({**answer("previewed"), "preview": preview})
    assert sum(row[:1] == ["A-0001"] for row in rows) == SHOWN_MOVERS
    assert ["and 7 more in the report"] in rows


def test_every_outcome_has_words() -> None:
    assert set(OUTCOMES) == {*Outcome.__args__, "faulty", "failed", "refused"}  # type: ignore[attr-defined]


def test_a_sheet_shared_only_for_reading_is_an_error_that_names_the_right_role() -> None:
    google = served(Workbook())
    client = google.client()
    before = [tab.properties["title"] for tab in google.books[KEY]]
    google.refuse_changes = {"code": 403, "message": "The caller does not have permission"}
    with pytest.raises(WorkbookUnavailable, match="Editor to have the status tab written"):
        write_status(KEY, page(answer("checked")), DESCRIPTION, client=client)
    assert [tab.properties["title"] for tab in google.books[KEY]] == before


def test_a_change_whose_answer_was_lost_is_not_sent_again() -> None:
    google = served(Workbook())
    google.refuse_changes = requests.ReadTimeout("slow")
    with pytest.raises(WorkbookUnavailable, match="ReadTimeout"):
        write_status(KEY, page(answer("checked")), DESCRIPTION, client=google.client())
    assert google.methods.count("sheets.spreadsheets.batchUpdate") == 1


def answer(outcome: str) -> dict[str, Any]:
    return {"outcome": outcome, "month": "2026-10", "rulebook": "version-1", "faults": []}


def page(shown: dict[str, Any], context: StatusContext | None = None) -> StatusPage:
    return lambda language: status(shown, context or StatusContext(AT), language)


def line(**changed: Any) -> dict[str, Any]:
    """A line of the ledger."""
    return {**LINE, "reason": None, **changed}


def faulty(book: Workbook, language: Language = "en") -> dict[str, Any]:
    raw = book.raw()
    titles = {tab.key: getattr(tab.title, language) for tab in DESCRIPTION.tabs}
    tabs = tuple(RawTab(titles.get(tab.title, tab.title), tab.rows) for tab in raw.tabs)
    verdict = parse(RawWorkbook(tabs, typed=True), DESCRIPTION, OCTOBER)
    return {**answer("faulty"), "rulebook": None, "faults": [fault.as_dict() for fault in verdict.faults]}


def test_each_tab_has_an_address_to_which_a_cell_can_be_added() -> None:
    found = addresses(KEY, client=served(Workbook()).client())
    assert found["thresholds"].startswith(f"https://docs.google.com/spreadsheets/d/{KEY}/edit#gid=")
    assert len(set(found.values())) == len(found) == len(Workbook().tabs)


def served(book: Workbook) -> FakeSheets:
    google = FakeSheets()
    google.book(KEY, book.tabs)
    return google


def chinese(book: Workbook) -> FakeSheets:
    """The workbook with Chinese titles."""
    google = FakeSheets()
    google.book(KEY, {DESCRIPTION.tab(tab).zh: rows for tab, rows in book.tabs.items()})
    return google


def written(
    shown: dict[str, Any], google: FakeSheets | None = None, context: StatusContext | None = None
) -> list[list[RawCell]]:
    google = google or served(Workbook())
    write_status(KEY, page(shown, context), DESCRIPTION, client=google.client())
    return status_tab(google).values()


def colour(google: FakeSheets, row: int, column: int) -> str:
    cell_colour = status_tab(google).cells[row, column]["userEnteredFormat"]["backgroundColor"]
    return next(name for name, colour in do.COLOURS.items() if colour == cell_colour)


def status_tab(google: FakeSheets) -> Sheet:
    return next(tab for tab in google.books[KEY] if tab.properties["title"].lower() in ("status", "状态"))


def _link(cell: dict[str, Any]) -> str | None:
    uri = cell.get("userEnteredFormat", {}).get("textFormat", {}).get("link", {}).get("uri")
    return str(uri) if uri else None
