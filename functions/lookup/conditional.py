"""Conditional requests: an entity tag on every 200 to GET, and 304 if the caller has the same body already."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

CACHE_CONTROL = "private, max-age=60"
TAG_BYTES = 16


def conditional(event: Mapping[str, Any], answer: dict[str, Any], asked_by: str) -> dict[str, Any]:
    """The answer to a GET with its entity tag; 304 without a body if the caller's copy is the same.

    The tag depends on the body and on the caller, so two different answers never have the same tag.
    """
    if answer["statusCode"] != 200:
        return answer
    tag = entity_tag(answer["body"], asked_by)
    headers = {"ETag": tag, "Cache-Control": CACHE_CONTROL}
    if _names(_if_none_match(event), tag):
        return {**answer, "statusCode": 304, "headers": headers, "body": ""}
    answer["headers"] |= headers
    return answer


def entity_tag(body: str, asked_by: str) -> str:
    """A strong entity tag, quoted."""
    digest = blake2b(f"{asked_by}\n{body}".encode(), digest_size=TAG_BYTES)
    return f'"{digest.hexdigest()}"'


def _if_none_match(event: Mapping[str, Any]) -> str:
    return next((value for name, value in event["headers"].items() if name.lower() == "if-none-match"), "")


def _names(if_none_match: str, tag: str) -> bool:
    """Whether the header contains the tag, by the weak comparison that RFC 9110 requires here."""
    candidates = (candidate.strip() for candidate in if_none_match.split(","))
    return any(candidate == "*" or candidate.removeprefix("W/") == tag for candidate in candidates)
