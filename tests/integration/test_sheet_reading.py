"""Reading the workbook from a Google Sheet or a folder: the rulebook that results, and the errors if it fails."""

from __future__ import annotations

import csv
import json
import re
import socket
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import RefreshError
from requests.adapters import HTTPAdapter

from functions.rating.wiring import workbook_source
from functions.rating.workbook.cells import RawCell
from functions.rating.workbook.folder import read_folder
from functions.rating.workbook.google import sheet
from functions.rating.workbook.rulebook import Verdict, parse
from functions.rating.workbook.status_words import failure
from shared.errors import WorkbookUnavailable
from tests.fakes.sheets import FakeSheets
from tests.workbooks import DESCRIPTION, OCTOBER, SMALL, Workbook, found

KEY = "1AbC_dEf-example"


def test_a_google_sheet_gives_the_rulebook_of_its_cells() -> None:
    google = served(Workbook())
    assert verdict(google).rulebook == Workbook().rulebook()


def test_reading_takes_the_titles_and_then_all_values_in_one_request() -> None:
    google = served(Workbook())
    verdict(google)
    assert google.methods == ["sheets.spreadsheets.get", "sheets.spreadsheets.values.batchGet"]


def test_a_google_sheet_with_chinese_tabs_and_an_apostrophe_in_a_title_is_read() -> None:
    book = Workbook().rename("levels", " 等级 ")
    book.tabs["lead's notes"] = [["nothing to see"]]
    assert verdict(served(book)).rulebook == Workbook().rulebook()
    assert len(sheet.read_sheet(KEY, client=served(book).client()).tabs) == 9
    assert len(sheet.read_sheet(KEY, DESCRIPTION.reads, client=served(book).client()).tabs) == 8


@pytest.mark.parametrize(
    ("address", "value", "code"),
    [
        ("thresholds!D3", "5", "not_whole"),
        ("thresholds!D3", "５", "not_whole"),
        ("thresholds!E3", "10%", "not_yuan"),
        ("thresholds!E3", -1, "not_yuan"),
        ("thresholds!E3", 1e15, "not_yuan"),
        ("thresholds!E3", 0.001, "not_yuan"),
        ("levels!A3", "#N/A", "formula_error"),
        ("overrides!C2", 46266, "not_month"),
        ("overrides!A2", 7, "not_agency_id"),
        ("levels!D1", "name", "header_twice"),
    ],
)
def test_a_broken_cell_of_a_google_sheet_is_a_fault_at_its_address(address: str, value: RawCell, code: str) -> None:
    assert (code, address) in found(verdict(served(Workbook().put(address, value))))


def test_blank_rows_in_the_middle_and_at_the_top_keep_the_addresses() -> None:
    book = Workbook()
    book.tabs["thresholds"] = [[], *book.tabs["thresholds"][:2], [None, None], *book.tabs["thresholds"][2:]]
    assert verdict(served(book)).rulebook == Workbook().rulebook()
    assert found(verdict(served(book.put("thresholds!E5", "x")))) == [("not_yuan", "thresholds!E5")]


def test_a_spreadsheet_without_the_tabs_has_faults_for_the_missing_tabs() -> None:
    google = FakeSheets()
    google.book(KEY, {"Sheet1": []})
    assert [code for code, _ in found(verdict(google))] == ["tab_unread"] + ["tab_missing"] * 4


TROUBLES: list[tuple[Any, str]] = [
    ({"code": 403, "message": "The caller does not have permission"}, "is not shared with .*Share.*Viewer.*Editor"),
    ({"code": 403, "message": "off", "details": [{"reason": "SERVICE_DISABLED"}]}, "enable it"),
    (404, "no such spreadsheet; take the key"),
    (400, r"Google refused .*400.* no uploaded Excel file"),
]
TEMPORARY_TROUBLES: list[tuple[Any, str]] = [
    (429, "quota .* next firing"),
    (500, "has a failure .HTTP 500.*next firing"),
    (503, "has a failure .HTTP 503.*next firing"),
    (requests.ReadTimeout("slow"), "can't be reached .*ReadTimeout.*next firing"),
    (requests.ConnectionError("down"), "can't be reached .*ConnectionError.*next firing"),
    (requests.exceptions.ChunkedEncodingError("IncompleteRead"), "answer can't be read .*next firing"),
    (requests.exceptions.ContentDecodingError("bits"), "answer can't be read .*next firing"),
]
IN_CHINESE: list[tuple[Any, str]] = [
    (TROUBLES[0][0], "没有共享给 .*“共享”.*“编辑者”"),
    (TROUBLES[1][0], "没有启用 Google Sheets API"),
    (404, "找不到这个表格.*没有被删除"),
    (400, "而不是上传的 Excel"),
    (429, "请求配额已用完，系统会自动重试"),
    (500, "Google 表格服务异常，系统会自动重试"),
    (requests.ReadTimeout("slow"), "连接不上 Google，系统会自动重试"),
    (requests.exceptions.ChunkedEncodingError("IncompleteRead"), "返回的内容不完整，系统会自动重试"),
    (RefreshError("gone"), "不接受 .* 的身份"),  # type: ignore[no-untyped-call]
]


@pytest.mark.parametrize(("trouble", "words"), IN_CHINESE)
def test_each_language_of_an_error_of_google_has_only_its_own_words(trouble: Any, words: str) -> None:
    """The English text has no Chinese; the Chinese text has no English except names."""
    google = served(Workbook())
    google.trouble.extend([trouble] * 5)
    with pytest.raises(WorkbookUnavailable) as raised:
        sheet.read_sheet(KEY, client=google.client(), sleep=lambda _: None)
    chinese = failure("WorkbookUnavailable", str(raised.value), "zh")
    assert re.search(words, chinese)
    names = {KEY, "Google", "Sheets", "API", "Cloud", "Excel", "d", "edit"}
    assert set(re.findall("[A-Za-z-]+", chinese.replace(KEY, ""))) <= names
    assert not re.search("[\u4e00-\u9fff]", failure("WorkbookUnavailable", str(raised.value), "en"))


def test_an_answer_that_ends_early_is_requested_again() -> None:
    """Over a real connection: the first two answers end within the body, with Content-Length and with chunks."""
    whole = json.dumps({"sheets": [{"properties": {"title": "levels"}}]}).encode()
    answers = [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + whole,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n" + whole,
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(whole) + whole,
    ]
    slept = list[float]()
    with socket.create_server(("127.0.0.1", 0)) as server:
        answering = threading.Thread(target=answer_each, args=(server, answers), daemon=True)
        answering.start()
        client = sheet.client_for(AnonymousCredentials())  # type: ignore[no-untyped-call]
        client.http_client.session.mount("https://", Redirected(server.getsockname()[1]))
        found = sheet.GoogleSheet(KEY, client, slept.append).properties("sheets.properties")
        answering.join(timeout=10)
    assert found["sheets"][0]["properties"]["title"] == "levels"
    assert len(slept) == 2


def answer_each(server: socket.socket, answers: list[bytes]) -> None:
    """Send one answer on each connection, then close it."""
    for answer in answers:
        connection, _ = server.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(answer)


class Redirected(HTTPAdapter):
    """Sends requests for Google to a port of this machine."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.port = port

    def send(self, request: requests.PreparedRequest, *arguments: Any, **named: Any) -> requests.Response:
        request.url = f"http://127.0.0.1:{self.port}/"
        return super().send(request, *arguments, **named)


@pytest.mark.parametrize(("trouble", "message"), TROUBLES)
def test_a_lasting_error_is_raised_at_once_and_says_what_to_do(trouble: Any, message: str) -> None:
    google = served(Workbook())
    google.trouble.append(trouble)
    with pytest.raises(WorkbookUnavailable, match=message):
        sheet.read_sheet(KEY, client=google.client(), sleep=never)


@pytest.mark.parametrize(("trouble", "message"), TEMPORARY_TROUBLES)
def test_a_temporary_error_is_retried_with_growing_pauses_and_then_raised(trouble: Any, message: str) -> None:
    google, slept = served(Workbook()), list[float]()
    google.trouble.extend([trouble] * 2)
    assert sheet.read_sheet(KEY, client=google.client(), sleep=slept.append).tabs
    assert within(slept, 2, 4)
    google.trouble.extend([trouble] * 5)
    with pytest.raises(WorkbookUnavailable, match=message):
        sheet.read_sheet(KEY, client=google.client(), sleep=slept.append)
    assert within(slept[2:], 2, 4, 8, 16)


def within(slept: list[float], *bounds: float) -> bool:
    """Whether there is one pause for each bound, and none is longer than its bound."""
    return len(slept) == len(bounds) and all(0 <= pause <= bound for pause, bound in zip(slept, bounds, strict=True))


def test_the_pause_that_google_requires_is_kept_up_to_a_limit() -> None:
    google, slept = served(Workbook()), list[float]()
    google.trouble.extend([429, 429])
    google.headers = {"Retry-After": "7"}
    sheet.read_sheet(KEY, client=google.client(), sleep=slept.append)
    google.trouble.append(503)
    google.headers = {"Retry-After": "86400"}
    sheet.read_sheet(KEY, client=google.client(), sleep=slept.append)
    assert slept == [7, 7, 30]  # longer than the function's own pauses can be


def test_a_tab_deleted_between_the_two_requests_is_an_error() -> None:
    google = served(Workbook())
    deleted = google.tab(KEY, "levels")
    reader = sheet.GoogleSheet(KEY, google.client(), never)
    google.books[KEY].remove(deleted)
    with pytest.raises(WorkbookUnavailable, match="Unable to parse range"):
        reader.read_tabs(["levels", "metrics"])


@pytest.mark.parametrize("key", ["https://docs.google.com/spreadsheets/d/abc/edit", "", "a b", "../x"])
def test_an_invalid_key_is_refused_without_a_request(key: str) -> None:
    with pytest.raises(WorkbookUnavailable, match="between /d/ and /edit"):
        sheet.read_sheet(key, client=FakeSheets().client())


def test_an_unknown_kind_of_source_is_refused() -> None:
    with pytest.raises(WorkbookUnavailable, match="expected gsheet:<spreadsheet key>, s3:"):
        workbook_source("xlsx:levels.xlsx", DESCRIPTION, boto3.client("s3", region_name="cn-north-1"))


def test_a_folder_of_csv_files_gives_the_same_rulebook(tmp_path: Path) -> None:
    write(tmp_path, SMALL, "utf-8-sig")
    assert folder_verdict(tmp_path).rulebook == Workbook().rulebook()


def test_quoted_line_breaks_keep_the_row_numbers_of_a_spreadsheet(tmp_path: Path) -> None:
    write(tmp_path, Workbook().put("levels!C2", 'two\r\nlines, "quoted"').put("levels!A4", "x").tabs)
    (fault,) = folder_verdict(tmp_path).errors
    assert (fault.code, fault.cell) == ("not_whole", "A4")


def test_two_files_of_one_tab_are_a_fault(tmp_path: Path) -> None:
    write(tmp_path, SMALL | {"等级": SMALL["levels"]})
    assert "tab_twice" in [code for code, _ in found(folder_verdict(tmp_path))]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("等级".encode("gb18030"), "levels.csv: byte 0 is not UTF-8, it looks like GBK, .*; save the file again"),
        (b'level,name\n1,"open', r"levels.csv, line 2: no valid CSV"),
        (b'level,name\n1,"a"b\n', r"levels.csv, line 2: no valid CSV"),
        (b"level," + b"x" * 2_000_000, r"levels.csv, line 1: no valid CSV"),
    ],
)
def test_a_file_that_is_not_valid_csv_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    write(tmp_path, SMALL)
    (tmp_path / "levels.csv").write_bytes(content)
    with pytest.raises(WorkbookUnavailable, match=message):
        folder_verdict(tmp_path)


def test_a_folder_that_is_absent_or_has_no_csv_is_named(tmp_path: Path) -> None:
    with pytest.raises(WorkbookUnavailable, match="there is no such folder"):
        read_folder(tmp_path / "nowhere")
    with pytest.raises(WorkbookUnavailable, match=r"it has no \.csv file"):
        read_folder(tmp_path)


def served(book: Workbook) -> FakeSheets:
    google = FakeSheets()
    google.book(KEY, book.tabs)
    return google


def verdict(google: FakeSheets) -> Verdict:
    return parse(sheet.read_sheet(KEY, client=google.client(), sleep=never), DESCRIPTION, OCTOBER)


def folder_verdict(folder: Path) -> Verdict:
    return parse(read_folder(folder), DESCRIPTION, OCTOBER)


def write(folder: Path, tabs: Mapping[str, list[list[RawCell]]], encoding: str = "utf-8") -> None:
    book = Workbook(typed=False)
    book.tabs = dict(tabs)
    for tab in book.raw().tabs:
        with (folder / f"{tab.title}.csv").open("w", newline="", encoding=encoding) as file:
            csv.writer(file).writerows(tab.rows)


def never(seconds: float) -> None:
    raise AssertionError(f"slept {seconds} s")


DAMAGED: list[Any] = [
    *(b"{}", b"null", b'{"valueRanges": [{"range": "levels!A1:C4", "va', b'{"valueRanges": []}'),
    *(b'{"sheets": [{}]}', b'{"sheets": [null]}', b""),
]


@pytest.mark.parametrize("body", DAMAGED)
def test_a_damaged_answer_is_requested_again_and_then_an_error(body: bytes) -> None:
    google, slept = served(Workbook()), list[float]()
    google.trouble.append(body)
    assert len(sheet.read_sheet(KEY, DESCRIPTION.reads, client=google.client(), sleep=slept.append).tabs) == 8
    google.trouble.extend([body] * 5)
    with pytest.raises(WorkbookUnavailable, match="Google 返回的内容不完整"):
        sheet.read_sheet(KEY, DESCRIPTION.reads, client=google.client(), sleep=slept.append)
    assert within(slept, 2, 2, 4, 8, 16)


@pytest.mark.parametrize("body", [*DAMAGED, b'{"valueRanges": [null]}', b'{"valueRanges": [{}]}'])
def test_a_damaged_answer_about_the_console_tab_is_an_error(body: bytes) -> None:
    google = served(Workbook())
    google.trouble.extend([body] * 5)
    with pytest.raises(WorkbookUnavailable, match="Google 返回的内容不完整"):
        sheet.GoogleSheet(KEY, google.client(), sleep=lambda _: None).read_named("console")


def test_an_answer_without_one_of_the_tabs_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    client = served(Workbook()).client()
    whole = client.http_client.values_batch_get

    def shorter(*arguments: Any) -> Any:
        answer = whole(*arguments)
        return {**answer, "valueRanges": answer["valueRanges"][1:]}

    monkeypatch.setattr(client.http_client, "values_batch_get", shorter)
    with pytest.raises(WorkbookUnavailable, match="asked for 8 tabs, got 7"):
        sheet.read_sheet(KEY, client=client, sleep=lambda _: None)
