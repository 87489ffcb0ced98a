"""What a request asks, read by the contract: its query parameters and its body."""

from __future__ import annotations

from base64 import b64decode
from typing import TypeVar

from aws_lambda_powertools.utilities.data_classes.common import BaseProxyEvent
from pydantic import BaseModel, ValidationError

from functions.lookup.problems import BodyMalformed, BodyNotJson, Invalid

_Model = TypeVar("_Model", bound=BaseModel)


def read_query(event: BaseProxyEvent, model: type[_Model]) -> _Model:
    """The query parameters as a model. Raises Invalid with a pointer to each fault.

    The gateway joins repeated parameters with a comma, which no parameter of ours may contain.
    """
    try:
        return model.model_validate(event.get("queryStringParameters") or {})
    except ValidationError as error:
        raise _invalid("query", error) from None


def read_body(event: BaseProxyEvent, model: type[_Model]) -> _Model:
    """The body as a model. Raises BodyNotJson, BodyMalformed, or Invalid with a pointer to each fault."""
    content_type = event.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise BodyNotJson
    try:
        content = b64decode(event.body or "") if event.is_base64_encoded else (event.body or "").encode()
        return model.model_validate_json(content)
    except ValidationError as error:
        if any(fault["type"] == "json_invalid" for fault in error.errors()):
            raise BodyMalformed from None
        raise _invalid("body", error) from None
    except ValueError:
        raise BodyMalformed from None


def _invalid(where: str, error: ValidationError) -> Invalid:
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    return Invalid([{"in": where, "pointer": _pointer(fault["loc"]), "detail": fault["msg"]} for fault in faults])


def _pointer(location: tuple[int | str, ...]) -> str:
    """A JSON pointer (RFC 6901) as a URI fragment."""
    return "#" + "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in location)
