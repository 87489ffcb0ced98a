"""A Google Sheet as the workbook: reads its current cells and changes it.

Reading takes two requests: the titles of the tabs, then all values at once, so that they agree.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession
from gspread import Client
from gspread.exceptions import APIError
from gspread.utils import ValueInputOption, ValueRenderOption, a1_to_rowcol, absolute_range_name
from requests import ConnectionError as NotConnected
from requests import RequestException, Timeout
from requests.exceptions import ChunkedEncodingError, ContentDecodingError, InvalidJSONError

from functions.rating.workbook.cells import RawCell, RawTab, RawWorkbook, a1
from functions.rating.workbook.google import identity
from shared.backoff import pauses
from shared.bilingual import each_language, in_both
from shared.errors import WorkbookUnavailable
from shared.settings import GoogleSettings

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

TIMEOUT = (5.0, 30.0)  # seconds to connect, seconds to wait for an answer
ATTEMPTS = 5  # with pauses of up to 2, 4, 8 and 16 s; after that, the next scheduled run tries again
LONGEST_PAUSE = 30.0
ADDRESS = "https://docs.google.com/spreadsheets/d/{key}/edit#gid={sheet_id}"
_KEY = re.compile(r"[A-Za-z0-9_-]+")
_Answer = TypeVar("_Answer")


def read_sheet(
    key: str,
    wanted: Callable[[str], bool] = lambda _: True,
    *,
    client: Client | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> RawWorkbook:
    """The current tabs of a spreadsheet. ``key``: from the sheet's web address.

    ``wanted``: whether the tab with a title is read. Raises WorkbookUnavailable, which says what to do.
    """
    return GoogleSheet(key, client or connect(identity.READING), sleep).read(wanted)


def addresses(key: str, *, client: Client | None = None) -> dict[str, str]:
    """The web address of each tab, by title. Append ``&range=B2`` to link to a cell. Raises WorkbookUnavailable."""
    sheet = GoogleSheet(key, client or connect(identity.READING))
    tabs = [found["properties"] for found in sheet.properties("sheets.properties(title,sheetId)").get("sheets", [])]
    return {tab["title"]: ADDRESS.format(key=key, sheet_id=tab["sheetId"]) for tab in tabs}


def connect(scope: str) -> Client:
    """A gspread client with the identity in the environment. Raises SettingsMissing, WorkbookUnavailable."""
    return client_for(identity.credentials(GoogleSettings.from_environment(os.environ), scope))


def client_for(credentials: Credentials) -> Client:
    """A gspread client with a timeout; gspread's own client would wait forever."""
    client = Client(auth=credentials, session=AuthorizedSession(credentials))  # type: ignore[no-untyped-call]
    client.set_timeout(TIMEOUT)
    return client


class GoogleSheet:
    """One spreadsheet. Every failure is a WorkbookUnavailable that names the cause and the fix."""

    def __init__(self, key: str, client: Client, sleep: Callable[[float], None] = time.sleep) -> None:
        if not _KEY.fullmatch(key):
            chinese = f"表格代码 {key} 不对：请取表格地址中 /d/ 与 /edit 之间的部分"
            fix = "take the part of the sheet's address between /d/ and /edit"
            raise WorkbookUnavailable(in_both(chinese, f"spreadsheet key {key!r}: this is not a key; {fix}"))
        self.key = key
        self._google = client.http_client
        self._sleep = sleep

    def properties(self, fields: str) -> Mapping[str, Any]:
        """The spreadsheet's properties. ``fields``: Google's field mask."""
        return self._ask(lambda: _described(self._google.fetch_sheet_metadata(self.key, {"fields": fields})))

    def read(self, wanted: Callable[[str], bool] = lambda _: True) -> RawWorkbook:
        """The cells of all wanted tabs, unformatted, in one request."""
        known = self.properties("sheets(properties(title,sheetType),merges)").get("sheets", [])
        grids = [one for one in known if one["properties"].get("sheetType", "GRID") == "GRID"]
        merged = {one["properties"]["title"]: tuple(map(_area, one.get("merges", ()))) for one in grids}
        read = self.read_tabs([title for title in merged if wanted(title)])
        tabs = tuple(replace(tab, merged=merged[tab.title]) for tab in read.tabs)
        return replace(read, tabs=tabs, unread=tuple(title for title in merged if not wanted(title)))

    def read_tabs(self, titles: Sequence[str]) -> RawWorkbook:
        """The cells of these tabs, unformatted, in one request."""
        if not titles:
            return RawWorkbook((), typed=True)
        ranges = [absolute_range_name(title) for title in titles]
        how = {"valueRenderOption": ValueRenderOption.unformatted.value, "majorDimension": "ROWS"}
        answer = self._ask(lambda: _whole(self._google.values_batch_get(self.key, ranges, dict(how)), titles))
        values = [found.get("values", []) for found in answer["valueRanges"]]
        return RawWorkbook(tuple(map(RawTab, titles, values)), typed=True)

    def read_named(self, name: str) -> tuple[tuple[str, int, int], list[list[RawCell]]]:
        """The cells of a named range, and where it begins (tab, row and column from 0), in one request."""
        how = {"valueRenderOption": ValueRenderOption.unformatted.value, "majorDimension": "ROWS"}
        answer = self._ask(lambda: _one_range(self._google.values_batch_get(self.key, [name], dict(how))))
        address = str(answer["range"])
        row, column = a1_to_rowcol(address.rpartition("!")[2].partition(":")[0])
        return (_title_in(address), row - 1, column - 1), list(answer.get("values", []))

    def put(self, cells: Mapping[tuple[str, int, int], RawCell]) -> None:
        """Write values into cells. Keys: tab, row and column from 0. Text never becomes a formula.

        Writing the same values twice does no harm, so a failed request is repeated.
        """
        data = [
            {"range": absolute_range_name(title, a1(row, column)), "values": [[value]]}
            for (title, row, column), value in cells.items()
        ]
        body = {"valueInputOption": ValueInputOption.raw.value, "data": data}
        self._ask(lambda: self._google.values_batch_update(self.key, body))

    def change(self, requests: Sequence[Mapping[str, Any]]) -> None:
        """Make all of these changes, or none."""
        self._ask(lambda: self._google.batch_update(self.key, {"requests": list(requests)}), changes=True)

    def _ask(self, request: Callable[[], _Answer], *, changes: bool = False) -> _Answer:
        """The answer to a request. Repeats it for a limited time if another attempt may help.

        A change is repeated only if Google's answer proves that it was not made.
        """
        waits = islice(pauses(2.0, 16.0), ATTEMPTS - 1)
        while True:
            try:
                return request()
            except (APIError, RequestException, GoogleAuthError) as error:
                pause = next(waits, None) if _may_pass(error, changes=changes) else None
                if pause is None:
                    raise self._unavailable(error) from error
                self._sleep(max(pause, _asked_to_wait(error)))

    def _unavailable(self, error: Exception) -> WorkbookUnavailable:
        why = each_language(_cause_and_fix(error, self.service_account))
        return WorkbookUnavailable(in_both(f"表格 {self.key}：{why['zh']}", f"spreadsheet {self.key}: {why['en']}"))

    @property
    def service_account(self) -> str | None:
        """The address of the service account; None for a person."""
        credentials = getattr(self._google.session, "credentials", None)
        return getattr(credentials, "service_account_email", None)


class Damaged(RequestException):
    """An unusable answer: empty, truncated, or without the requested parts."""


def _area(merged: Mapping[str, int]) -> tuple[int, int, int, int]:
    """A merged area: its rows and columns, half-open."""
    rows = merged.get("startRowIndex", 0), merged["endRowIndex"]
    return *rows, merged.get("startColumnIndex", 0), merged["endColumnIndex"]


def _described(answer: Any) -> Mapping[str, Any]:
    """The description of a spreadsheet with at least one tab. Raises Damaged."""
    tabs = answer.get("sheets") if isinstance(answer, dict) else None
    if not isinstance(tabs, list) or not tabs or not all(isinstance(t, dict) and t.get("properties") for t in tabs):
        raise Damaged(f"a spreadsheet without tabs: {str(answer)[:80]}")
    return dict(answer)


def _whole(answer: Any, titles: Sequence[str]) -> Mapping[str, Any]:
    """The values of all requested tabs in the same order. Raises Damaged if one is missing."""
    found = answer.get("valueRanges") if isinstance(answer, dict) else None
    if not isinstance(found, list) or not all(isinstance(values, dict) for values in found):
        raise Damaged(f"values without ranges: {str(answer)[:80]}")
    got = [_title_in(str(values.get("range", ""))) for values in found]
    if got != list(titles):
        raise Damaged(f"asked for {len(titles)} tabs, got {len(found)}: {', '.join(got)[:200]}")
    return {"valueRanges": found}


def _one_range(answer: Any) -> Mapping[str, Any]:
    """The one requested range. Raises Damaged."""
    found = answer.get("valueRanges") if isinstance(answer, dict) else None
    one = found[0] if isinstance(found, list) and len(found) == 1 else None
    if not isinstance(one, dict) or "!" not in str(one.get("range", "")):
        raise Damaged(f"values without a range: {str(answer)[:80]}")
    return dict(one)


def _title_in(address: str) -> str:
    """The title of the tab in an address such as ``'lead''s notes'!A1:Z100`` or ``levels!A1``."""
    if match := re.match(r"'((?:[^']|'')*)'", address):
        return match[1].replace("''", "'")
    return address.rpartition("!")[0] or address


MAY_PASS = (NotConnected, Timeout, ChunkedEncodingError, ContentDecodingError, InvalidJSONError, Damaged)
"""What another attempt may help: no connection, no answer, or one that breaks off or is garbled on its way."""


def _may_pass(error: Exception, *, changes: bool) -> bool:
    """Whether repeating the request may help, and can't make a change twice."""
    if isinstance(error, GoogleAuthError):
        return bool(error.retryable)
    if isinstance(error, APIError):
        status = error.response.status_code
        return status == 429 or (status >= 500 and not changes)
    return isinstance(error, MAY_PASS) and not changes


def _asked_to_wait(error: Exception) -> float:
    """The seconds of the Retry-After header, limited; 0 without the header."""
    header = error.response.headers.get("Retry-After", "") if isinstance(error, APIError) else ""
    return min(float(header), LONGEST_PAUSE) if header.isdecimal() else 0.0


def _cause_and_fix(error: Exception, known: str | None) -> str:
    """The cause and the fix, in Chinese and English."""
    account, account_zh = known or "the service account that reads it", known or "读取表格的服务账号"
    if isinstance(error, GoogleAuthError):
        return (
            f"Google 不接受 {account_zh} 的身份，请联系开发人员检查 Google 设置 / Google did not accept the identity "
            f"of {account} ({error}); check the Google settings of the function, the trust of the workload identity "
            "provider in its role, and that the account is not disabled"
        )
    again = "，系统会自动重试 / "
    if isinstance(error, NotConnected | Timeout):
        said = f"Google can't be reached or does not answer ({type(error).__name__})"
        return f"连接不上 Google{again}{said}; the next firing tries again"
    if not isinstance(error, APIError):
        said = f"Google's answer can't be read ({type(error).__name__}: {error})"
        return f"Google 返回的内容不完整{again}{said}; the next firing tries again"
    status, said = error.response.status_code, error.error.get("message", "")
    if status == 403 and "SERVICE_DISABLED" in str(error.error):
        return (
            "Google Cloud 项目没有启用 Google Sheets API，请联系开发人员启用 / the Google Sheets API is switched off "
            f"in the Google Cloud project; enable it there ({said})"
        )
    if status == 403:
        return (
            f"表格没有共享给 {account_zh}：打开表格，点“共享”，添加 {account_zh} 并设为“编辑者” / it is not shared "
            f"with {account} ({said}); open the sheet, click Share, add {account} as Viewer to have it read, as Editor "
            "to have the status tab written, and click Send"
        )
    if status == 404:
        return (
            "找不到这个表格，请核对地址中 /d/ 与 /edit 之间的部分，并确认表格没有被删除 / there is no such "
            "spreadsheet; take the key from the sheet's address, the part between /d/ and /edit, and see that the "
            "sheet was not deleted"
        )
    if status == 429:
        return (
            f"Google 的请求配额已用完{again}Google's quota of requests is used up ({said}); the next firing tries again"
        )
    if status >= 500:
        return f"Google 表格服务异常{again}Google Sheets has a failure (HTTP {status}); the next firing tries again"
    return (
        f"Google 拒绝了请求，请确认它是 Google 表格而不是上传的 Excel 文件 / Google refused the request "
        f"(HTTP {status}: {said}); see that it is a Google Sheet and no uploaded Excel file"
    )
