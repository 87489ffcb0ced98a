"""Google Sheets on one machine: a transport for ``requests`` that stores workbooks as the real service does.

Mount it on gspread's session. It checks each request, and each of its own answers, with Google's discovery
document. It omits blank cells as the service does, does a batchUpdate whole or not at all, and can be made to fail.
"""

from __future__ import annotations

import copy
import json
import pickle
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import gspread
import requests
from google.auth.credentials import AnonymousCredentials
from gspread.utils import a1_to_rowcol
from requests.adapters import BaseAdapter

from functions.rating.workbook.cells import RawCell, a1
from functions.rating.workbook.google.sheet import client_for
from tests.fakes.discovery import Method, fault_of, fault_of_query, method_for

HOST = "https://sheets.googleapis.com"
_STATUSES = {
    400: "INVALID_ARGUMENT",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}

Cell = dict[str, Any]
Trouble = int | Exception | Mapping[str, Any] | bytes


@dataclass
class Sheet:
    """One tab: its properties as the API shows them, and its cells with content by row and column from 0."""

    properties: dict[str, Any]
    cells: dict[tuple[int, int], Cell] = field(default_factory=dict)
    protected: list[dict[str, Any]] = field(default_factory=list)
    conditional: list[dict[str, Any]] = field(default_factory=list)
    widths: dict[int, int] = field(default_factory=dict)
    charts: list[dict[str, Any]] = field(default_factory=list)
    merges: list[dict[str, int]] = field(default_factory=list)
    filter: dict[str, Any] = field(default_factory=dict)

    def type_in(self, row: int, column: int, value: RawCell) -> None:
        """Put a value as a person types it; text such as ``#REF!`` means a formula with that result."""
        kind = "boolValue" if isinstance(value, bool) else "stringValue" if isinstance(value, str) else "numberValue"
        cell = self.cells.setdefault((row, column), {})
        cell.pop("userEnteredValue", None)
        if value is not None:
            cell["userEnteredValue"] = {kind: value}

    def merge(self, top: int, bottom: int, left: int, right: int) -> None:
        """Merge cells as a person does: all but the first lose their value."""
        ends = {"endRowIndex": bottom, "endColumnIndex": right}
        area = {"startRowIndex": top, "startColumnIndex": left, **ends}
        self.merges.append({"sheetId": self.properties["sheetId"], **area})
        for row in range(top, bottom):
            for column in range(left, right):
                if (row, column) != (top, left):
                    self.cells.get((row, column), {}).pop("userEnteredValue", None)

    def values(self) -> list[list[RawCell]]:
        """Unformatted values as the API gives them: ragged, without trailing blanks, whole numbers as integers."""
        filled = {at: cell["userEnteredValue"] for at, cell in self.cells.items() if "userEnteredValue" in cell}
        rows: list[list[RawCell]] = [[] for _ in range(max((row for row, _ in filled), default=-1) + 1)]
        for (row, column), value in sorted(filled.items()):
            rows[row].extend([""] * (column - len(rows[row])))
            rows[row].append(_plain(value))
        return rows


class FakeSheets(BaseAdapter):
    """The service. ``trouble``: what the next requests get instead of an answer: status, error body, exception, or the
    bytes of a damaged answer.

    ``refuse_changes``: what every request gets that would change something. ``methods``: the methods that were called.
    """

    def __init__(self) -> None:
        super().__init__()
        self.books: dict[str, list[Sheet]] = {}
        self.named: dict[str, list[dict[str, Any]]] = {}
        self.trouble: deque[Trouble] = deque()
        self.refuse_changes: Trouble | None = None
        self.headers: dict[str, str] = {}
        self.methods: list[str] = []

    def client(self) -> gspread.Client:
        """A gspread client that sends all of its requests here."""
        client = client_for(AnonymousCredentials())  # type: ignore[no-untyped-call]
        client.http_client.session.mount("https://", self)
        return client

    def book(self, key: str, tabs: Mapping[str, list[list[RawCell]]]) -> None:
        """Store a workbook under a key."""
        self.books[key], self.named[key] = [], []
        for title, rows in tabs.items():
            grid = {"rowCount": max(200, len(rows))}
            sheet = _new_sheet({"title": title, "gridProperties": grid}, self.books[key])
            for row, cells in enumerate(rows):
                for column, value in enumerate(cells):
                    sheet.type_in(row, column, value)
            self.books[key].append(sheet)

    def tab(self, key: str, title: str) -> Sheet:
        return next(sheet for sheet in self.books[key] if sheet.properties["title"] == title)

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        url = urlsplit(request.url or "")
        if f"{url.scheme}://{url.netloc}" != HOST:
            raise requests.ConnectionError(f"{url.netloc} is not Google Sheets")
        method = method_for(request.method or "", url.path)
        assert method is not None, f"no such method: {request.method} {url.path}"
        self.methods.append(method.id)
        if self.trouble:
            return self._fail(request, self.trouble.popleft())
        if self.refuse_changes is not None and request.method != "GET":
            return self._fail(request, self.refuse_changes)
        query, body = parse_qs(url.query), json.loads(request.body or b"{}")
        wrong = fault_of_query(method, query)
        if "request" in method.spec:
            wrong = wrong or fault_of(body, method.spec["request"])
        if wrong:
            return self._fail(request, {"code": 400, "message": wrong})
        try:
            answer = self._answer(method, query, body)
        except Refused as refused:
            return self._fail(request, refused.error)
        fault = fault_of(answer, method.spec["response"], "answer")
        assert fault is None, fault
        return _response(request, 200, answer)

    def close(self) -> None:
        """Has nothing to close."""

    def _fail(self, request: requests.PreparedRequest, trouble: Trouble) -> requests.Response:
        if isinstance(trouble, Exception):
            raise trouble
        if isinstance(trouble, bytes):
            damaged = _response(request, 200, {})
            damaged._content = trouble
            return damaged
        error: dict[str, Any] = (
            {"code": trouble, "message": "made to fail"} if isinstance(trouble, int) else dict(trouble)
        )
        error.setdefault("status", _STATUSES.get(error["code"], "UNKNOWN"))
        response = _response(request, error["code"], {"error": error})
        response.headers.update(self.headers)
        return response

    def _answer(self, method: Method, query: Mapping[str, list[str]], body: Mapping[str, Any]) -> dict[str, Any]:
        key = method.path_parameters["spreadsheetId"]
        if key not in self.books:
            raise Refused(404, "Requested entity was not found.")
        match method.id.removeprefix("sheets.spreadsheets."):
            case "get":
                return _described(self.books[key], self.named[key], query.get("fields", ["*"])[0])
            case "values.batchGet":
                ranges = _value_ranges(self.books[key], self.named[key], query)
                return {"spreadsheetId": key, "valueRanges": list(ranges)}
            case "values.batchUpdate":
                return _put(self.books[key], body)
            case "batchUpdate":
                changed: list[Sheet] = pickle.loads(pickle.dumps(self.books[key]))
                named = copy.deepcopy(self.named[key])
                replies = [
                    _rename(named, changed, request) or _change(changed, request)
                    for request in body.get("requests", [])
                ]
                if not replies:
                    raise Refused(400, "Must specify at least one request.")
                self.books[key], self.named[key] = changed, named
                return {"spreadsheetId": key, "replies": replies}
        raise Refused(400, f"the fake does not do {method.id}")


class Refused(Exception):
    """The service refuses a request, with one of its statuses."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.error = {"code": code, "message": message}


def _described(sheets: list[Sheet], named: list[dict[str, Any]], fields: str) -> dict[str, Any]:
    whole = [
        {
            "properties": s.properties,
            "protectedRanges": s.protected,
            "conditionalFormats": s.conditional,
            "charts": s.charts,
            "merges": s.merges,
            "basicFilter": s.filter,
        }
        for s in sheets
    ]
    names = ("properties", "protectedRanges", "conditionalFormats", "charts", "merges", "basicFilter")
    wanted = [name for name in names if name in fields or fields == "*"]
    described = {"sheets": [{name: sheet[name] for name in wanted if sheet[name]} for sheet in copy.deepcopy(whole)]}
    return described | ({"namedRanges": copy.deepcopy(named)} if "namedRanges" in fields and named else {})


def _value_ranges(
    sheets: list[Sheet], named: list[dict[str, Any]], query: Mapping[str, list[str]]
) -> Iterator[dict[str, Any]]:
    if query.get("valueRenderOption") != ["UNFORMATTED_VALUE"]:
        raise Refused(400, "the fake has no formatted values")
    for name in query["ranges"]:
        if area := next((one["range"] for one in named if one["name"] == name), None):
            yield _values_of(sheets, area)
            continue
        title = re.fullmatch(r"'((?:[^']|'')*)'", name)
        sheet = next((s for s in sheets if title and s.properties["title"] == title[1].replace("''", "'")), None)
        if sheet is None:
            raise Refused(400, f"Unable to parse range: {name}")
        found: dict[str, Any] = {"range": name, "majorDimension": "ROWS"}
        yield found | ({"values": values} if (values := sheet.values()) else {})


def _values_of(sheets: list[Sheet], area: Mapping[str, int]) -> dict[str, Any]:
    """The values of an area, without blank cells at the end, and its address."""
    sheet = _by_id(sheets, area.get("sheetId", 0))
    top, left = area.get("startRowIndex", 0), area.get("startColumnIndex", 0)
    rows = [row[left : area["endColumnIndex"]] for row in sheet.values()[top : area["endRowIndex"]]]
    ends = f"{a1(top, left)}:{a1(area['endRowIndex'] - 1, area['endColumnIndex'] - 1)}"
    return {"range": f"{quoted(sheet.properties['title'])}!{ends}", "majorDimension": "ROWS", "values": rows}


def quoted(title: str) -> str:
    """A tab's title as Google writes it in addresses: in quotes only where they are needed."""
    return title if title.isascii() and title.isalnum() else "'" + title.replace("'", "''") + "'"


def _put(sheets: list[Sheet], body: Mapping[str, Any]) -> dict[str, Any]:
    """Write each value unchanged into its cell."""
    if body["valueInputOption"] != "RAW":
        raise Refused(400, "the fake takes values as they are")
    for one in body["data"]:
        match = re.fullmatch(r"'((?:[^']|'')*)'!([A-Z]+)([0-9]+)", one["range"])
        sheet = next((s for s in sheets if match and s.properties["title"] == match[1].replace("''", "'")), None)
        if sheet is None or match is None:
            raise Refused(400, f"Unable to parse range: {one['range']}")
        row, column = a1_to_rowcol(match[2] + match[3])
        _inside(sheet, row - 1, column - 1)
        ((value,),) = one["values"]
        sheet.type_in(row - 1, column - 1, value if value != "" else None)
    return {"totalUpdatedCells": len(body["data"])}


def _rename(named: list[dict[str, Any]], sheets: list[Sheet], request: Mapping[str, Any]) -> dict[str, Any] | None:
    """Add or delete a named range; None for any other request."""
    if added := request.get("addNamedRange"):
        name = added["namedRange"]["name"]
        if name in [one["name"] for one in named]:
            raise Refused(400, f"A named range with the name {name} already exists.")
        _by_id(sheets, added["namedRange"]["range"]["sheetId"])
        named.append({**added["namedRange"], "namedRangeId": f"range-{name}"})
        return {"addNamedRange": {"namedRange": named[-1]}}
    if deleted := request.get("deleteNamedRange"):
        named[:] = [one for one in named if one["namedRangeId"] != deleted["namedRangeId"]]
        return {}
    return None


def _change(sheets: list[Sheet], request: Mapping[str, Any]) -> dict[str, Any]:
    """Do one request of a batchUpdate and return the reply."""
    ((name, what),) = request.items()
    if name not in _CHANGES:
        raise Refused(400, f"the fake does not do {name}")
    return _CHANGES[name](sheets, what) or {}


def _add_sheet(sheets: list[Sheet], what: Mapping[str, Any]) -> dict[str, Any]:
    sheet = _new_sheet(what["properties"], sheets)
    sheets.insert(sheet.properties["index"], sheet)
    return {"addSheet": {"properties": sheet.properties}}


def _delete_sheet(sheets: list[Sheet], what: Mapping[str, Any]) -> None:
    sheets.remove(_by_id(sheets, what["sheetId"]))


def _update_sheet_properties(sheets: list[Sheet], what: Mapping[str, Any]) -> None:
    sheet = _by_id(sheets, what["properties"].get("sheetId", 0))
    _merge(sheet.properties, what["properties"], what["fields"])
    grid = sheet.properties["gridProperties"]
    if any(row >= grid["rowCount"] or column >= grid["columnCount"] for row, column in sheet.cells):
        sheet.cells = {
            at: c for at, c in sheet.cells.items() if at[0] < grid["rowCount"] and at[1] < grid["columnCount"]
        }


def _update_cells(sheets: list[Sheet], what: Mapping[str, Any]) -> None:
    if "start" in what:
        sheet, start = _by_id(sheets, what["start"]["sheetId"]), what["start"]
        top, left = start.get("rowIndex", 0), start.get("columnIndex", 0)
        cells = [(top + r, left + c) for r, row in enumerate(what["rows"]) for c in range(len(row.get("values", [])))]
    else:
        sheet = _by_id(sheets, what["range"]["sheetId"])
        cells = list(_cells_in(sheet, what["range"]))
        top, left = cells[0] if cells else (0, 0)
    rows = [row.get("values", []) for row in what.get("rows", [])]
    for row, column in cells:
        _inside(sheet, row, column)
        given = rows[row - top][column - left] if row - top < len(rows) and column - left < len(rows[row - top]) else {}
        _merge(sheet.cells.setdefault((row, column), {}), given, what["fields"])


def _update_dimension(sheets: list[Sheet], what: Mapping[str, Any]) -> None:
    span = what["range"]
    sheet = _by_id(sheets, span["sheetId"])
    if (span["dimension"], what["fields"]) != ("COLUMNS", "pixelSize"):
        raise Refused(400, "the fake changes widths of columns only")
    for column in range(span["startIndex"], span["endIndex"]):
        _inside(sheet, 0, column)
        sheet.widths[column] = what["properties"]["pixelSize"]


def _repeat_cell(sheets: list[Sheet], what: Mapping[str, Any]) -> None:
    sheet = _by_id(sheets, what["range"]["sheetId"])
    for at in _cells_in(sheet, what["range"]):
        _merge(sheet.cells.setdefault(at, {}), what["cell"], what["fields"])


def _set_data_validation(sheets: list[Sheet], what: Mapping[str, Any]) -> None:
    sheet = _by_id(sheets, what["range"]["sheetId"])
    for at in _cells_in(sheet, what["range"]):
        cell = sheet.cells.setdefault(at, {})
        cell.pop("dataValidation", None)
        if rule := what.get("rule"):
            cell["dataValidation"] = rule


def _add_protected_range(sheets: list[Sheet], what: Mapping[str, Any]) -> dict[str, Any]:
    ids = [protected["protectedRangeId"] for sheet in sheets for protected in sheet.protected]
    added = {**what["protectedRange"], "protectedRangeId": max(ids, default=0) + 1}
    _by_id(sheets, added["range"]["sheetId"]).protected.append(added)
    return {"addProtectedRange": {"protectedRange": added}}


def _delete_protected_range(sheets: list[Sheet], what: Mapping[str, Any]) -> None:
    before = sum(len(sheet.protected) for sheet in sheets)
    for sheet in sheets:
        sheet.protected = [p for p in sheet.protected if p["protectedRangeId"] != what["protectedRangeId"]]
    if sum(len(sheet.protected) for sheet in sheets) == before:
        raise Refused(400, f"No protected range with id {what['protectedRangeId']}")


def _add_conditional_format(sheets: list[Sheet], what: Mapping[str, Any]) -> None:
    rule = what["rule"]
    _by_id(sheets, rule["ranges"][0]["sheetId"]).conditional.insert(what.get("index", 0), rule)


def _add_chart(sheets: list[Sheet], what: Mapping[str, Any]) -> dict[str, Any]:
    """Add a chart; its cells must have numbers, since Google draws no text."""
    anchor = what["chart"]["position"]["overlayPosition"]["anchorCell"]
    sheet = _by_id(sheets, anchor["sheetId"])
    _inside(sheet, anchor["rowIndex"], anchor["columnIndex"])
    for series in what["chart"]["spec"]["basicChart"]["series"]:
        for source in series["series"]["sourceRange"]["sources"]:
            for at in _cells_in(_by_id(sheets, source["sheetId"]), source):
                if "numberValue" not in sheet.cells.get(at, {}).get("userEnteredValue", {}):
                    raise Refused(400, f"No number to draw at {at}")
    ids = [chart["chartId"] for one in sheets for chart in one.charts]
    sheet.charts.append({**what["chart"], "chartId": max(ids, default=0) + 1})
    return {"addChart": {"chart": sheet.charts[-1]}}


def _delete_embedded_object(sheets: list[Sheet], what: Mapping[str, Any]) -> None:
    for sheet in sheets:
        if what["objectId"] in [chart["chartId"] for chart in sheet.charts]:
            sheet.charts = [chart for chart in sheet.charts if chart["chartId"] != what["objectId"]]
            return
    raise Refused(400, f"No embedded object with id {what['objectId']}")


def _delete_conditional_format(sheets: list[Sheet], what: Mapping[str, Any]) -> None:
    rules = _by_id(sheets, what["sheetId"]).conditional
    if what["index"] >= len(rules):
        raise Refused(400, f"No conditional format on sheet: {what['sheetId']} at index: {what['index']}")
    del rules[what["index"]]


_CHANGES: dict[str, Callable[[list[Sheet], Mapping[str, Any]], dict[str, Any] | None]] = {
    "addSheet": _add_sheet,
    "deleteSheet": _delete_sheet,
    "updateSheetProperties": _update_sheet_properties,
    "updateCells": _update_cells,
    "repeatCell": _repeat_cell,
    "addChart": _add_chart,
    "deleteEmbeddedObject": _delete_embedded_object,
    "updateDimensionProperties": _update_dimension,
    "setDataValidation": _set_data_validation,
    "addProtectedRange": _add_protected_range,
    "deleteProtectedRange": _delete_protected_range,
    "addConditionalFormatRule": _add_conditional_format,
    "deleteConditionalFormatRule": _delete_conditional_format,
}


def _new_sheet(given: Mapping[str, Any], sheets: list[Sheet]) -> Sheet:
    if given["title"] in [sheet.properties["title"] for sheet in sheets]:
        raise Refused(400, f'A sheet with the name "{given["title"]}" already exists. Please enter another name.')
    ids = [sheet.properties["sheetId"] for sheet in sheets]
    if given.get("sheetId") in ids:
        raise Refused(400, f"A sheet with the id {given['sheetId']} already exists.")
    properties = {"index": len(sheets), "sheetType": "GRID", **copy.deepcopy(dict(given))}
    properties.setdefault("sheetId", max(ids, default=100) + 1)
    properties["gridProperties"] = {"rowCount": 1000, "columnCount": 26, **properties.get("gridProperties", {})}
    return Sheet(properties)


def _by_id(sheets: list[Sheet], sheet_id: int) -> Sheet:
    found = next((sheet for sheet in sheets if sheet.properties["sheetId"] == sheet_id), None)
    if found is None:
        raise Refused(400, f"No grid with id: {sheet_id}")
    return found


def _cells_in(sheet: Sheet, grid_range: Mapping[str, int]) -> Iterator[tuple[int, int]]:
    grid = sheet.properties["gridProperties"]
    rows = range(grid_range.get("startRowIndex", 0), grid_range.get("endRowIndex", grid["rowCount"]))
    columns = range(grid_range.get("startColumnIndex", 0), grid_range.get("endColumnIndex", grid["columnCount"]))
    for row in rows:
        for column in columns:
            _inside(sheet, row, column)
            yield row, column


def _inside(sheet: Sheet, row: int, column: int) -> None:
    grid = sheet.properties["gridProperties"]
    if row >= grid["rowCount"] or column >= grid["columnCount"]:
        raise Refused(
            400, f"Range exceeds grid limits. Max rows: {grid['rowCount']}, max columns: {grid['columnCount']}"
        )


def _merge(kept: dict[str, Any], given: Mapping[str, Any], fields: str) -> None:
    """Copy the masked fields of ``given``; a field that it does not have is cleared."""
    for path in fields.split(","):
        *outer, last = path.split(".")
        target, source = kept, given
        for name in outer:
            target, source = target.setdefault(name, {}), source.get(name, {})
        if last in source:
            target[last] = source[last]
        else:
            target.pop(last, None)


def _plain(value: Mapping[str, Any]) -> RawCell:
    """The unformatted value of a cell; a whole number has no decimal point in Google's JSON."""
    if "formulaValue" in value:
        raise Refused(400, "the fake computes no formulas")
    ((_, plain),) = value.items()
    return int(plain) if isinstance(plain, float) and plain.is_integer() else plain


def _response(request: requests.PreparedRequest, status: int, body: Mapping[str, Any]) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response.request = request
    response.url = request.url or ""
    response.headers["Content-Type"] = "application/json; charset=UTF-8"
    response._content = json.dumps(body).encode()
    return response
