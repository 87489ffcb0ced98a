"""Checks who asks and what they may see. A missing value never gives a right.

The gateway checks the token and its scopes by route. The function checks again what the operation declares, and checks
what only it knows: the agency that the token names.

    levels.public       opens the operations for everybody
    levels.agency       opens the own view of the agency that the token's claim names
    levels.agency.any   opens the own view of any agency, as the claim ``*`` does

A token that names one agency opens only that one.

The gateway leaves claims without a value out of the event, so a missing claim names no agency. The gateway decodes a
path after it has chosen the route: ``a%2Flevel`` arrives as ``a/level``. So the function answers only if the path
belongs to the route that the gateway authorized.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from functions.lookup.problems import NotAuthorized, NotThisAgency, RouteUnknown, ScopeMissing

PUBLIC, AGENCY, ANY_AGENCY = "levels.public", "levels.agency", "levels.agency.any"
EVERY_AGENCY = "*"
DEFAULT_ROUTE = "$default"


@dataclass(frozen=True, slots=True)
class Access:
    """How a request identifies its caller.

    ``agency_claim``: the claim that names a token's agency. ``local_caller``: the caller on a developer's machine,
    which has no gateway: an agency's id or ``*``. It is empty in the cloud, where a request without a gateway is
    refused.
    """

    agency_claim: str = "agency_id"
    local_caller: str = ""

    def require(self, event: Mapping[str, Any], path: str, scope: str, agency_id: str | None) -> None:
        """Raises NotAuthorized, RouteUnknown, ScopeMissing or NotThisAgency if the caller may not have this answer.

        ``agency_id``: the agency in the path of an operation with the scope AGENCY.
        """
        claims = self._claims(event)
        if claims is None:
            raise NotAuthorized
        _require_route(event, path)
        scopes = _scopes(claims)
        if scope == AGENCY:
            self._require_agency(claims, scopes, agency_id)
        elif scope not in scopes:
            raise ScopeMissing(scope)

    def subject(self, event: Mapping[str, Any]) -> str:
        """The caller, as far as an answer may depend on it."""
        claims = self._claims(event) or {}
        return f"{claims.get('sub', '')}\n{claims.get(self.agency_claim, '')}"

    def _require_agency(self, claims: Mapping[str, Any], scopes: set[str], agency_id: str | None) -> None:
        if not scopes & {AGENCY, ANY_AGENCY}:
            raise ScopeMissing(AGENCY)
        named = claims.get(self.agency_claim)
        may = named in (agency_id, EVERY_AGENCY) if named is not None else ANY_AGENCY in scopes
        if not may:
            raise NotThisAgency

    def _claims(self, event: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The claims of the token that the gateway checked; None without a token."""
        authorizer = event["requestContext"].get("authorizer") or {}
        claims: Mapping[str, Any] | None = (authorizer.get("jwt") or {}).get("claims")
        if claims is None and self.local_caller and not authorizer:
            return {"scope": f"{PUBLIC} {AGENCY}", self.agency_claim: self.local_caller}
        return claims


def _scopes(claims: Mapping[str, Any]) -> set[str]:
    """A token's scopes, from text with spaces or from a list, which the gateway passes as ``[a b]``."""
    held = claims.get("scope") or claims.get("scp") or ""
    return set(held if isinstance(held, list) else str(held).strip("[]").replace(",", " ").split())


def _require_route(event: Mapping[str, Any], path: str) -> None:
    """Raises RouteUnknown if the path does not belong to the gateway's route."""
    route_key = event.get("routeKey") or DEFAULT_ROUTE
    if route_key == DEFAULT_ROUTE or route_key.endswith("+}"):
        return
    template = route_key.partition(" ")[2].split("/")
    parts = path.split("/")
    if len(template) != len(parts) or any(
        t != p and not t.startswith("{") for t, p in zip(template, parts, strict=True)
    ):
        raise RouteUnknown
