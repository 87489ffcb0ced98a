"""Answers API Gateway's events with the declared operations, and every refusal and failure as problem+json."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.event_handler import Response, content_types
from aws_lambda_powertools.event_handler.api_gateway import Route
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from functions.operations.api import Services, app
from functions.operations.problems import (
    BodyNotJson,
    Invalid,
    Malformed,
    MethodUnknown,
    Problem,
    RouteUnknown,
    Unavailable,
    Unexpected,
)
from shared.errors import LevelsError
from shared.observability import logger

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


def _invalid(error: RequestValidationError) -> Response[str]:
    faults = error.errors()
    if any(fault["type"] in ("json_invalid", "model_attributes_type") for fault in faults):
        return _no_object().response()
    said = "; ".join(f"{'.'.join(map(str, fault['loc'][1:]))}: {fault['msg']}" for fault in faults[:20])
    return Invalid(said, f"以下内容无效：{said}").response()


def _unavailable(error: LevelsError) -> Response[str]:
    logger.error("a request of the console could not be answered", error=str(error))
    return Unavailable("Try again in half a minute.", "请半分钟后重试。").response()


def _unexpected(error: Exception) -> Response[str]:
    logger.error("a request of the console failed", exc_info=error)
    return Unexpected(
        "The fault is ours, and it has been logged. If you report it, include the X-Request-Id of this answer.",
        "这是我们的故障，已记录日志。反馈时请附上此响应的 X-Request-Id。",
    ).response()


def _unrouted(_: NotFoundError) -> Response[str]:
    path = app.current_event.path
    methods = sorted({route.method for route in _routes() if route.rule.match(path)})
    if methods:
        allowed = ", ".join(methods)
        return MethodUnknown(f"This path allows {allowed}.", f"此路径支持 {allowed}。", methods).response()
    return RouteUnknown(
        "Use a path of the API description (config/openapi-operations.json).",
        "请使用接口说明（config/openapi-operations.json）中的路径。",
    ).response()


def _malformed(_: UnicodeDecodeError) -> Response[str]:
    """The answer to a body that is not text: Powertools decodes the body before our code sees it."""
    return Malformed("The body is not UTF-8.", "请求体不是 UTF-8 文本。").response()


app.exception_handler(UnicodeDecodeError)(_malformed)
app.exception_handler(Problem)(Problem.response)
app.exception_handler(RequestValidationError)(_invalid)
app.exception_handler(LevelsError)(_unavailable)
app.exception_handler(Exception)(_unexpected)
app.not_found(_unrouted)


def serving(wired: Services) -> Handler:
    """A handler of API Gateway's HTTP API events (payload 2.0) that answers with these services."""

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        request_id = event["requestContext"].get("requestId") or getattr(context, "aws_request_id", "")
        logger.set_correlation_id(request_id)
        app.context["services"] = wired
        refused = _refused_body(event) if event.get("body") else None
        answer = _as_event(refused) if refused else app.resolve(event, context)
        answer["headers"] |= {"X-Request-Id": request_id, "Cache-Control": "no-store"}
        return answer

    return handler


def _routes() -> list[Route]:
    return [*app._static_routes, *app._dynamic_routes]


def _refused_body(event: dict[str, Any]) -> Problem | None:
    """The refusal of a body that Powertools would read wrongly: not JSON, or an array, of which it reads one item."""
    kind = event["headers"].get("content-type", content_types.APPLICATION_JSON)
    if kind.partition(";")[0].strip().lower() != content_types.APPLICATION_JSON:
        return BodyNotJson("Send it as application/json.", "请以 application/json 发送。")
    body = b64decode(event["body"]) if event.get("isBase64Encoded") else event["body"].encode()
    return _no_object() if body.lstrip().startswith(b"[") else None


def _as_event(refused: Problem) -> dict[str, Any]:
    response = refused.response()
    headers = {"Content-Type": response.content_type}
    return {"statusCode": response.status_code, "headers": headers, "body": response.body, "isBase64Encoded": False}


def _no_object() -> Malformed:
    return Malformed("The body is not a JSON object. Send one.", "请求体不是 JSON 对象，请发送 JSON 对象。")
