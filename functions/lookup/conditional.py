"""Conditional requests: an entity tag on every 200 to GET, and 304 to who has that body already."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import blake2b

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from functions.lookup.audience import subject

CACHE_CONTROL = "private, max-age=60"
TAG_BYTES = 16


def conditional(
    app: APIGatewayHttpResolver, next_middleware: Callable[[APIGatewayHttpResolver], Response[object]]
) -> Response[object]:
    """The answer with its entity tag, or 304 without a body when the caller's copy is the same.

    The tag is over the bytes of the body and who asks, so two different answers never share one.
    """
    response = next_middleware(app)
    event = app.current_event
    if response.status_code != 200 or event.http_method != "GET":
        return response
    body = as_json(response.body)
    tag = entity_tag(body, subject(event.raw_event))
    headers: dict[str, str | list[str]] = {"ETag": tag, "Cache-Control": CACHE_CONTROL}
    if _names(event.headers.get("if-none-match", ""), tag):
        return Response(304, body="", headers=headers)
    response.body = body
    response.headers |= headers
    return response


def as_json(body: object) -> str:
    """A body as it is sent."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def entity_tag(body: str, asked_by: str) -> str:
    """A strong entity tag, quoted."""
    digest = blake2b(f"{asked_by}\n{body}".encode(), digest_size=TAG_BYTES)
    return f'"{digest.hexdigest()}"'


def _names(if_none_match: str, tag: str) -> bool:
    """Whether the header names the tag: weak comparison, as RFC 9110 asks for here."""
    candidates = (candidate.strip() for candidate in if_none_match.split(","))
    return any(candidate == "*" or candidate.removeprefix("W/") == tag for candidate in candidates)
