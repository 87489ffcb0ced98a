"""Parses a request's query parameters and body by the contract."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from aws_lambda_powertools.utilities.data_classes.common import BaseProxyEvent
from pydantic import BaseModel, ValidationError

from functions.lookup.problems import BodyMalformed, BodyNotJson, BodyTooLarge, Fault, Invalid
from functions.lookup.sizes import BODY_BYTES

POINTER_LENGTH = 100

_Model = TypeVar("_Model", bound=BaseModel)
_Said = tuple[str, str, str]


def read_query(event: BaseProxyEvent, model: type[_Model]) -> _Model:
    """The query parameters as a model. Raises Invalid with a pointer to each fault.

    The gateway joins repeated parameters with a comma, which is not allowed in any parameter.
    """
    try:
        return model.model_validate(event.get("queryStringParameters") or {})
    except ValidationError as error:
        raise _invalid("query", error) from None


def read_body(event: BaseProxyEvent, model: type[_Model]) -> _Model:
    """The body as a model. Raises BodyTooLarge, BodyNotJson, BodyMalformed, or Invalid with a pointer to each fault."""
    sent = event.body or ""
    if len(sent) > (BODY_BYTES + 2) // 3 * 4 if event.is_base64_encoded else len(sent) > BODY_BYTES:
        raise BodyTooLarge(BODY_BYTES)
    content_type = event.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise BodyNotJson
    try:
        content = b64decode(sent) if event.is_base64_encoded else sent.encode()
    except ValueError:
        raise BodyMalformed from None
    if len(content) > BODY_BYTES:
        raise BodyTooLarge(BODY_BYTES)
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        if any(fault["type"] == "json_invalid" for fault in error.errors(include_input=False)):
            raise BodyMalformed from None
        raise _invalid("body", error) from None


_SAID: Mapping[str, Callable[[Mapping[str, Any]], _Said]] = {
    "missing": lambda _: ("missing", "It is required.", "必填。"),
    "extra_forbidden": lambda _: ("unknown", "There is no such field or parameter.", "没有这个字段或参数。"),
    "whole_number": lambda _: (
        "not-a-whole-number",
        "Expected a whole number in plain digits, such as 12.",
        "须为整数，只用数字书写，例如 12。",
    ),
    "greater_than_equal": lambda given: ("too-small", f"Expected {given['ge']} or more.", f"不得小于 {given['ge']}。"),
    "less_than_equal": lambda given: ("too-large", f"Expected {given['le']} or less.", f"不得大于 {given['le']}。"),
    "string_pattern_mismatch": lambda _: (
        "not-a-month",
        "Expected a month as YYYY-MM, such as 2026-10.",
        "须为 YYYY-MM 形式的月份，例如 2026-10。",
    ),
    "too_short": lambda given: (
        "too-few",
        f"Expected {given['min_length']} or more entries.",
        f"至少须有 {given['min_length']} 项。",
    ),
    "too_long": lambda given: (
        "too-many",
        f"Expected {given['max_length']} entries or fewer.",
        f"最多 {given['max_length']} 项。",
    ),
    "string_type": lambda _: ("not-a-text", "Expected a text.", "须为文本。"),
    "list_type": lambda _: ("not-a-list", "Expected a list.", "须为列表。"),
    "model_type": lambda _: ("not-an-object", "Expected an object.", "须为对象。"),
}


def _otherwise(_: Mapping[str, Any]) -> _Said:
    return "invalid", "It is not valid; see the API's description.", "此值无效，详见 API 说明。"


def _invalid(where: str, error: ValidationError) -> Invalid:
    return Invalid([_fault(where, found) for found in error.errors(include_url=False, include_input=False)])


def _fault(where: str, found: Any) -> Fault:
    code, detail, detail_zh = _SAID.get(found["type"], _otherwise)(found.get("ctx") or {})
    return {"in": where, "code": code, "pointer": _pointer(found["loc"]), "detail": detail, "detail_zh": detail_zh}


def _pointer(location: tuple[int | str, ...]) -> str:
    """A JSON pointer (RFC 6901) as a URI fragment. Very long names in it are cut."""
    pointer = "#" + "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in location)
    return pointer if len(pointer) <= POINTER_LENGTH else pointer[:POINTER_LENGTH] + "…"
