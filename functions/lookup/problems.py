"""Everything that a request can be refused for: one type per cause, answered as problem+json (RFC 9457).

Problem
├── BodyMalformed       400  the body is not JSON
├── CursorMalformed     400  the cursor was altered, or belongs to another request
├── NotAuthorized       401  no gateway has checked who asks
├── ScopeMissing        403  the token lacks the scope
├── NotThisAgency       403  the token names another agency, or none
├── AgencyUnknown       404  says what joining takes, and when a new agency is first rated
├── LevelUnknown        404
├── BenefitUnknown      404
├── MonthUnknown        404  the month is not published, or no longer kept
├── RouteUnknown        404
├── MethodUnknown       405  with Allow
├── CursorExpired       410  its publication is no longer valid
├── BodyTooLarge        413  the body is longer than 64 KB
├── BodyNotJson         415  the content type is not JSON
├── Invalid             422  with a code, a JSON pointer and what is expected, for each invalid value
├── Unexpected          500  a fault of ours
└── Unavailable         503  nothing is published yet, or the table can't be read; with Retry-After

Texts are in English and Chinese and do not name modules or tables.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import date
from http import HTTPStatus
from typing import Any, ClassVar, TypedDict

from aws_lambda_powertools.event_handler import Response

from shared.errors import LevelsError

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 30
FAULTS_SHOWN = 20

# One invalid value, described by functions.lookup.contract.InvalidValue.
Fault = TypedDict("Fault", {"in": str, "code": str, "pointer": str, "detail": str, "detail_zh": str})


class Problem(LevelsError):
    """The reason why a request is refused. ``detail`` and ``detail_zh`` say what was found and how to fix it."""

    status: ClassVar[HTTPStatus]
    code: ClassVar[str]
    title: ClassVar[str]
    title_zh: ClassVar[str]

    def __init__(self, detail: str, detail_zh: str) -> None:
        super().__init__(detail)
        self.detail = detail
        self.detail_zh = detail_zh
        self.headers: dict[str, str | list[str]] = {"Cache-Control": "no-store"}
        self.members: dict[str, Any] = {}

    def response(self) -> Response[str]:
        """The refusal as an answer."""
        body = {
            "type": f"urn:problem-type:mcn-levels:{self.code}",
            "title": self.title,
            "title_zh": self.title_zh,
            "status": self.status.value,
            "detail": self.detail,
            "detail_zh": self.detail_zh,
            **self.members,
        }
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        return Response(self.status.value, CONTENT_TYPE, text, headers=self.headers)


class BodyMalformed(Problem):
    status, code = HTTPStatus.BAD_REQUEST, "malformed-body"
    title, title_zh = "The body is not JSON", "请求体不是 JSON"

    def __init__(self) -> None:
        super().__init__(
            'The body could not be read as UTF-8 JSON. Send an object such as {"agency_ids": ["A-0042"]}.',
            '请求体无法按 UTF-8 JSON 读取。请发送形如 {"agency_ids": ["A-0042"]} 的对象。',
        )


class CursorMalformed(Problem):
    status, code = HTTPStatus.BAD_REQUEST, "malformed-cursor"
    title, title_zh = "The cursor is not usable here", "游标在此不可用"

    def __init__(self) -> None:
        super().__init__(
            "Send a cursor unchanged, with the same path, level and month as the request that returned it. Start "
            "again without a cursor.",
            "游标须原样发送，路径、等级和月份与返回它的请求相同。请去掉游标，从头开始。",
        )


class NotAuthorized(Problem):
    status, code = HTTPStatus.UNAUTHORIZED, "not-authorized"
    title, title_zh = "No token was checked", "未经令牌校验"

    def __init__(self) -> None:
        super().__init__(
            "The request did not use a route that checks tokens. Write the path exactly as documented.",
            "请求未经过校验令牌的路由。请严格按文档书写路径。",
        )
        self.headers["WWW-Authenticate"] = "Bearer"


class ScopeMissing(Problem):
    status, code = HTTPStatus.FORBIDDEN, "missing-scope"
    title, title_zh = "The token lacks the scope", "令牌缺少所需的权限范围"

    def __init__(self, scope: str) -> None:
        super().__init__(
            f"This request needs a token with the scope {scope}.", f"此请求需要带有权限范围 {scope} 的令牌。"
        )


class NotThisAgency(Problem):
    status, code = HTTPStatus.FORBIDDEN, "not-this-agency"
    title, title_zh = "The token does not belong to this agency", "令牌不属于这家机构"

    def __init__(self) -> None:
        super().__init__(
            "A token that names an agency may read only that agency's own view. A token that names no agency needs "
            "the scope levels.agency.any, and may then read any agency's own view.",
            "指明机构的令牌只能查看该机构自己的数据。未指明机构的令牌须有权限范围 levels.agency.any 才能查看任意机构。",
        )


class AgencyUnknown(Problem):
    """``joins_in`` and ``first_rating_on``: when an agency that joins next is first rated (rule 4)."""

    status, code = HTTPStatus.NOT_FOUND, "unknown-agency"
    title, title_zh = "There is no such agency", "没有这家机构"

    def __init__(self, month: str, joins_in: str, first_rating_on: date) -> None:
        super().__init__(
            f"No agency with this id is in the publication of {month}. To join: open the agency app, search for "
            "抖音集星 and complete the entry; it takes the business licence, both sides of the legal "
            "representative's identity card, and the company's receiving account. An agency that joins in "
            f"{joins_in} is first rated on {first_rating_on}.",
            f"{month} 的发布中没有此 ID 的机构。入驻方法：在机构端应用内搜索“抖音集星”并完成入驻，需要营业执照、"
            f"法定代表人身份证正反面和企业收款账户。{joins_in} 入驻的机构于 {first_rating_on} 首次评级。",
        )


class LevelUnknown(Problem):
    status, code = HTTPStatus.NOT_FOUND, "unknown-level"
    title, title_zh = "There is no such level", "没有这个等级"

    def __init__(self, highest: int) -> None:
        super().__init__(f"Levels are whole numbers from 1 to {highest}.", f"等级为 1 到 {highest} 的整数。")


class BenefitUnknown(Problem):
    status, code = HTTPStatus.NOT_FOUND, "unknown-benefit"
    title, title_zh = "There is no such benefit", "没有这项权益"

    def __init__(self) -> None:
        super().__init__("GET /v1/benefits lists every benefit.", "GET /v1/benefits 列出全部权益。")


class MonthUnknown(Problem):
    status, code = HTTPStatus.NOT_FOUND, "unknown-month"
    title, title_zh = "The month is not published", "该月未发布"

    def __init__(self, newest: str) -> None:
        super().__init__(
            f"This month was not published, or its publication is no longer kept. The newest month is {newest}; "
            "GET /v1/publications lists all.",
            f"该月没有发布，或已不再保留。最新的月份是 {newest}；GET /v1/publications 列出全部。",
        )


class RouteUnknown(Problem):
    status, code = HTTPStatus.NOT_FOUND, "unknown-route"
    title, title_zh = "There is nothing at this path", "此路径不存在"

    def __init__(self) -> None:
        super().__init__(
            "Use a path of the API description. It begins with /v1 and does not end with a slash.",
            "请使用 API 说明中的路径：以 /v1 开头，末尾没有斜杠。",
        )


class MethodUnknown(Problem):
    status, code = HTTPStatus.METHOD_NOT_ALLOWED, "unknown-method"
    title, title_zh = "The path does not take this method", "此路径不支持该方法"

    def __init__(self, allowed: Collection[str]) -> None:
        listed = ", ".join(sorted(allowed))
        super().__init__(f"This path allows {listed}.", f"此路径支持 {listed}。")
        self.headers["Allow"] = listed


class CursorExpired(Problem):
    status, code = HTTPStatus.GONE, "expired-cursor"
    title, title_zh = "The cursor has expired", "游标已失效"

    def __init__(self) -> None:
        super().__init__(
            "The publication that this cursor belongs to is no longer valid. Start again without a cursor.",
            "此游标所属的发布已不再有效。请去掉游标，从头开始。",
        )


class BodyTooLarge(Problem):
    status, code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body-too-large"
    title, title_zh = "The body is too long", "请求体过长"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"A body may have at most {limit:,} bytes. Ask for fewer agencies in one request.",
            f"请求体最多 {limit:,} 字节。请减少一次查询的机构数。",
        )


class BodyNotJson(Problem):
    status, code = HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "body-not-json"
    title, title_zh = "The content type is not JSON", "内容类型不是 JSON"

    def __init__(self) -> None:
        super().__init__("Send Content-Type: application/json.", "请以 Content-Type: application/json 发送。")


class Invalid(Problem):
    """``errors``: every fault; the answer has the first 20."""

    status, code = HTTPStatus.UNPROCESSABLE_ENTITY, "invalid"
    title, title_zh = "The request has invalid values", "请求中有无效的值"

    def __init__(self, errors: Sequence[Fault]) -> None:
        many = len(errors) > FAULTS_SHOWN
        more, more_zh = f" These are the first {FAULTS_SHOWN}.", f"此处为前 {FAULTS_SHOWN} 处。"
        super().__init__(
            "errors lists each invalid value and what is expected there." + more * many,
            "errors 逐一列出无效的值及其要求。" + more_zh * many,
        )
        self.members["errors"] = list(errors[:FAULTS_SHOWN])


class Unavailable(Problem):
    status, code = HTTPStatus.SERVICE_UNAVAILABLE, "unavailable"
    title, title_zh = "The levels can't be read now", "暂时无法读取等级"

    def __init__(self, detail: str, detail_zh: str) -> None:
        super().__init__(detail, detail_zh)
        self.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)


class Unexpected(Problem):
    """A fault of ours. The log has the cause under the request's id; the caller sees only the id."""

    status, code = HTTPStatus.INTERNAL_SERVER_ERROR, "unexpected"
    title, title_zh = "Something went wrong here", "服务内部出错"

    def __init__(self) -> None:
        super().__init__(
            "The fault is ours, and it has been logged. If you report it, include the X-Request-Id of this answer.",
            "这是我们的故障，已记录日志。反馈时请附上此响应的 X-Request-Id。",
        )


def nothing_published() -> Unavailable:
    return Unavailable(
        "No month has been published yet. Levels appear on the 3rd of the month.",
        "尚未发布任何月份。等级于每月 3 日发布。",
    )


def table_unavailable() -> Unavailable:
    return Unavailable("Try again after the seconds in Retry-After.", "请在 Retry-After 所示的秒数之后重试。")
