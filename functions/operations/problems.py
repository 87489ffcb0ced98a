"""Every reason to refuse a request of the console: one type per cause, answered as problem+json (RFC 9457)."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any, ClassVar

from aws_lambda_powertools.event_handler import Response

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 30


class Problem(Exception):
    """The reason why a request is refused, with what was found and how to fix it, in English and Chinese."""

    status: ClassVar[HTTPStatus]
    code: ClassVar[str]
    title: ClassVar[str]
    title_zh: ClassVar[str]

    def __init__(self, detail: str, detail_zh: str, **members: Any) -> None:
        super().__init__(detail)
        self.detail, self.detail_zh, self.members = detail, detail_zh, members
        self.headers: dict[str, str | list[str]] = {}

    def response(self) -> Response[str]:
        body = {
            "type": f"urn:problem-type:mcn-levels:{self.code}",
            "title": self.title,
            "title_zh": self.title_zh,
            "status": self.status.value,
            "detail": self.detail,
            "detail_zh": self.detail_zh,
            **self.members,
        }
        if self.status is HTTPStatus.SERVICE_UNAVAILABLE:
            self.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return Response(self.status.value, CONTENT_TYPE, json.dumps(body, ensure_ascii=False), headers=self.headers)


class Malformed(Problem):
    status, code = HTTPStatus.BAD_REQUEST, "malformed-body"
    title, title_zh = "The body is not JSON", "请求体不是 JSON"


class RunUnknown(Problem):
    status, code = HTTPStatus.NOT_FOUND, "unknown-run"
    title, title_zh = "There is no such run", "没有这个批次"


class TicketUnknown(Problem):
    status, code = HTTPStatus.NOT_FOUND, "unknown-ticket"
    title, title_zh = "There is no such request", "没有这个请求"


class RouteUnknown(Problem):
    status, code = HTTPStatus.NOT_FOUND, "unknown-route"
    title, title_zh = "There is nothing at this path", "该路径不存在"


class MethodUnknown(Problem):
    status, code = HTTPStatus.METHOD_NOT_ALLOWED, "unknown-method"
    title, title_zh = "The path does not allow this method", "该路径不支持此方法"

    def __init__(self, detail: str, detail_zh: str, methods: list[str]) -> None:
        super().__init__(detail, detail_zh)
        self.headers["Allow"] = ", ".join(methods)


class BodyNotJson(Problem):
    status, code = HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "body-not-json"
    title, title_zh = "The body's content type is not JSON", "请求体的内容类型不是 JSON"


class Stale(Problem):
    """The page of the decision is out of date."""

    status, code = HTTPStatus.CONFLICT, "stale-page"
    title, title_zh = "The page is out of date", "页面已过期"


class NotPossible(Problem):
    status, code = HTTPStatus.CONFLICT, "not-possible"
    title, title_zh = "This can't be done", "无法执行"


class Invalid(Problem):
    status, code = HTTPStatus.UNPROCESSABLE_ENTITY, "invalid"
    title, title_zh = "The request is not valid", "请求无效"


class Nameless(Problem):
    """The token has no person's name, which every decision needs."""

    status, code = HTTPStatus.FORBIDDEN, "nameless-token"
    title, title_zh = "The token has no name of a person", "令牌没有姓名"


class Unavailable(Problem):
    status, code = HTTPStatus.SERVICE_UNAVAILABLE, "unavailable"
    title, title_zh = "Not available now", "暂时不可用"


class Unexpected(Problem):
    status, code = HTTPStatus.INTERNAL_SERVER_ERROR, "unexpected"
    title, title_zh = "Something went wrong here", "服务内部出错"
