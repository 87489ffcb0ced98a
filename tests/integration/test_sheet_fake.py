"""The fake of Google Sheets is checked with Google's own description, so it accepts only what Google accepts."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from functions.rating.workbook.google import requests as do
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
def test_a_change_that_google_does_not_know_is_refused(change: dict[str, Any]) -> None:
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


def test_blank_cells_at_the_end_are_left_out_and_others_are_empty_text() -> None:
    google = FakeSheets()
    google.book(KEY, {"t": [[None, 1.0, None, True, None], [], [None], ["x"], [None, None]]})
    (tab,) = GoogleSheet(KEY, google.client()).read().tabs
    assert tab.rows == [["", 1, "", True], [], [], ["x"]]


def test_five_thousand_rows_are_read_in_one_request_with_their_addresses() -> None:
    book = Workbook()
    for number in range(5000):
        book.add("overrides", f"B-{number:05d}", 1, None, "2026-12", "x", None)
    google = serving(book.put("overrides!D4321", 46357))
    verdict = parse(sheet.read_sheet(KEY, client=google.client()), DESCRIPTION, OCTOBER)
    assert found(verdict) == [("not_month", "overrides!D4321")]
    assert len(google.methods) == 2


def test_everything_in_the_fakes_answer_is_in_googles_description() -> None:
    """The fake checks its answer with the discovery document. This answer has every kind of object."""
    google = serving(Workbook())
    levels = google.tab(KEY, "levels")
    sheet_id = levels.properties["sheetId"]
    levels.merge(0, 1, 0, 2)
    levels.filter = {"range": {"sheetId": sheet_id, "startRowIndex": 0}, "filterSpecs": [{"columnIndex": 1}]}
    area = do.Area(sheet_id, (1, 3), (0, 2))
    google.books[KEY][0].type_in(1, 1, 5)
    google.books[KEY][0].type_in(2, 1, 6)
    changes = [
        do.tick_box(area),
        do.name_range("mine", area),
        do.protect_for(area, ["li@example.com"], "mine"),
        do.histogram(sheet_id, "chart", (1, 3), 4),
        do.widen(sheet_id, 1, 120),
    ]
    GoogleSheet(KEY, google.client()).change(changes)
    answer = GoogleSheet(KEY, google.client()).properties("*")
    fields = {field for tab in answer["sheets"] for field in tab}
    assert fields == {"properties", "merges", "basicFilter", "protectedRanges", "charts"}


@pytest.mark.parametrize(
    "change",
    [
        {"addChart": {"chart": {"spec": {"basicChart": {"chartType": "PILLARS"}}}}},
        {"addNamedRange": {"namedRange": {"title": "x"}}},
        {"addProtectedRange": {"protectedRange": {"editors": ["li@example.com"]}}},
        {"updateDimensionProperties": {"properties": {"pixelSize": "wide"}}},
        {"deleteEmbeddedObject": {"chartId": 1}},
    ],
)
def test_charts_names_and_protections_that_google_does_not_know_are_refused(change: dict[str, Any]) -> None:
    google = serving(Workbook())
    with pytest.raises(WorkbookUnavailable, match="HTTP 400"):
        GoogleSheet(KEY, google.client()).change([change])


def serving(book: Workbook) -> FakeSheets:
    google = FakeSheets()
    google.book(KEY, book.tabs)
    return google
