"""The Google Sheets of the tests is held to Google's own description, so that what passes here can pass there."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from functions.rating.workbook.google import sheet
from functions.rating.workbook.google.sheet import GoogleSheet
from functions.rating.workbook.rulebook import parse
from shared.errors import WorkbookUnavailable
from tests.fakes.sheets import HOST, FakeSheets
from tests.workbooks import DESCRIPTION, OCTOBER, Workbook, found

KEY = "a-key"


@pytest.mark.parametrize(
    "change",
    [
        {"addSheet": {"properties": {"titel": "x"}}},
        {"addSheet": {"properties": {"title": 5}}},
        {"updateCells": {"rows": [{"values": [{"userEnteredValue": {"numberValue": "5"}}]}], "fields": "*"}},
        {"setDataValidation": {"range": {"sheetId": 0}, "rule": {"condition": {"type": "NUMBER"}}}},
        {"paintItBlack": {}},
    ],
)
def test_a_change_that_google_would_not_understand_is_refused(change: dict[str, Any]) -> None:
    google = serving(Workbook())
    before = len(google.books[KEY])
    with pytest.raises(WorkbookUnavailable, match="HTTP 400"):
        GoogleSheet(KEY, google.client()).change([{"addSheet": {"properties": {"title": "first"}}}, change])
    assert len(google.books[KEY]) == before


@pytest.mark.parametrize("query", ["ranges='levels'&valueRenderOption=RAW", "range='levels'", "alt=json&alt=json"])
def test_parameters_that_google_does_not_know_are_refused(query: str) -> None:
    google = serving(Workbook())
    session = google.client().http_client.session
    assert session.get(f"{HOST}/v4/spreadsheets/{KEY}/values:batchGet?{query}").status_code == 400


def test_other_hosts_are_not_reached() -> None:
    with pytest.raises(requests.ConnectionError):
        FakeSheets().client().http_client.session.get("https://example.com")


def test_trailing_blanks_are_dropped_and_blanks_between_are_empty_text() -> None:
    google = FakeSheets()
    google.book(KEY, {"t": [[None, 1.0, None, True, None], [], [None], ["x"], [None, None]]})
    (tab,) = GoogleSheet(KEY, google.client()).read().tabs
    assert tab.rows == [["", 1, "", True], [], [], ["x"]]


def test_five_thousand_rows_come_in_one_request_and_keep_their_addresses() -> None:
    book = Workbook()
    for number in range(5000):
        book.add("overrides", f"B-{number:05d}", 1, None, "2026-12", "x", None)
    google = serving(book.put("overrides!D4321", 46357))
    verdict = parse(sheet.read_sheet(KEY, client=google.client()), DESCRIPTION, OCTOBER)
    assert found(verdict) == [("not_month", "overrides!D4321")]
    assert len(google.methods) == 2


def serving(book: Workbook) -> FakeSheets:
    google = FakeSheets()
    google.book(KEY, book.tabs)
    return google
