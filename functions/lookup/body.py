"""A request's body, read by the contract."""

from __future__ import annotations

from base64 import b64decode
from typing import TypeVar

from aws_lambda_powertools.utilities.data_classes.common import BaseProxyEvent
from pydantic import BaseModel, ValidationError

from functions.lookup.problems import BodyMalformed, BodyNotJson, Invalid

_Model = TypeVar("_Model", bound=BaseModel)


def read_body(event: BaseProxyEvent, model: type[_Model]) -> _Model:
    """The body as a model. Raises BodyNotJson, BodyMalformed, or Invalid with a pointer to each fault."""
    content_type = event.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise BodyNotJson
    try:
        content = b64decode(event.body or "") if event.is_base64_encoded else (event.body or "").encode()
    except ValueError:
        raise BodyMalformed from None
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        if any(fault["type"] == "json_invalid" for fault in faults):
            raise BodyMalformed from None
        raise Invalid([fault_at("body", fault["loc"], fault["msg"]) for fault in faults]) from None


def fault_at(where: str, location: tuple[int | str, ...], detail: str) -> dict[str, str]:
    """One invalid value: a JSON pointer (RFC 6901, as a URI fragment) and what is expected there."""
    steps = (str(step).replace("~", "~0").replace("/", "~1") for step in location)
    return {"in": where, "pointer": "#" + "".join(f"/{step}" for step in steps), "detail": detail}
