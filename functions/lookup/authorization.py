"""Who asks, and what the gateway has checked of them.

The gateway checks tokens and scopes by route; the function adds what only it can know. A token with a claim
``agency_id`` opens that agency's own view only. And an answer is given only for the route that the gateway authorised:
the gateway decodes a path after it has chosen the route, so that ``a%2Flevel`` arrives as ``a/level``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from functions.lookup.problems import NotAuthorized, NotThisAgency, RouteUnknown

DEFAULT_ROUTE = "$default"


def claims(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """The claims of the token that the gateway checked; none without one, as on a developer's machine."""
    authorizer = event["requestContext"].get("authorizer") or {}
    return (authorizer.get("jwt") or {}).get("claims") or {}


def subject(event: Mapping[str, Any]) -> str:
    """Who asks, as far as an answer may depend on it."""
    known = claims(event)
    return f"{known.get('sub', '')}\n{known.get('agency_id', '')}"


def require_own(event: Mapping[str, Any], agency_id: str) -> None:
    """Raises NotThisAgency when the token names another agency; a claim without a usable value names none."""
    known = claims(event)
    if "agency_id" in known and known["agency_id"] != agency_id:
        raise NotThisAgency


def require_route(event: Mapping[str, Any], path: str, *, authorized_only: bool) -> None:
    """Raises NotAuthorized or RouteUnknown when the gateway's route is not the one that this path asks for."""
    route_key = event.get("routeKey") or DEFAULT_ROUTE
    if route_key == DEFAULT_ROUTE or route_key.endswith("+}"):
        if authorized_only:
            raise NotAuthorized
        return
    template = route_key.partition(" ")[2].split("/")
    parts = path.split("/")
    if len(template) != len(parts) or any(
        t != p and not t.startswith("{") for t, p in zip(template, parts, strict=True)
    ):
        raise RouteUnknown
