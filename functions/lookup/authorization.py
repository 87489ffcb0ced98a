"""Who asks, and whether they may. A right is never given by something absent.

The gateway checks a token and its scopes by route; the function holds every request against what its operation declares
once more, and adds what only it can know: which agency a token is of.

    levels.public       opens the operations for everybody
    levels.agency       opens the own view of the agency that the token's claim names
    levels.agency.any   opens the own view of any agency, as the claim ``*`` does; a token that names one agency opens
                        that one only

The gateway leaves claims without a value out of the event, so a claim that is not there names no agency. And an answer
is given only for the route that the gateway authorised: it decodes a path after it has chosen the route, so that
``a%2Flevel`` arrives as ``a/level``.
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
    """How requests say who asks.

    ``agency_claim``: the claim that names a token's agency. ``local_caller``: who asks where no gateway stands in
    front, on a developer's machine: an agency's id or ``*``; empty in the cloud, where such a request is refused.
    """

    agency_claim: str = "agency_id"
    local_caller: str = ""

    def require(self, event: Mapping[str, Any], path: str, scope: str, agency_id: str | None) -> None:
        """Raises NotAuthorized, RouteUnknown, ScopeMissing or NotThisAgency unless the caller may have this answer.

        ``agency_id``: the agency that an operation with the scope AGENCY is about.
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
        """Who asks, as far as an answer may depend on it."""
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
        """The claims of the token that the gateway checked; None without one."""
        authorizer = event["requestContext"].get("authorizer") or {}
        claims: Mapping[str, Any] | None = (authorizer.get("jwt") or {}).get("claims")
        if claims is None and self.local_caller and not authorizer:
            return {"scope": f"{PUBLIC} {AGENCY}", self.agency_claim: self.local_caller}
        return claims


def _scopes(claims: Mapping[str, Any]) -> set[str]:
    """A token's scopes: text with spaces, or a list, which the gateway hands on as ``[a b]``."""
    held = claims.get("scope") or claims.get("scp") or ""
    return set(held if isinstance(held, list) else str(held).strip("[]").replace(",", " ").split())


def _require_route(event: Mapping[str, Any], path: str) -> None:
    """Raises RouteUnknown when the gateway's route is not the one that this path asks for."""
    route_key = event.get("routeKey") or DEFAULT_ROUTE
    if route_key == DEFAULT_ROUTE or route_key.endswith("+}"):
        return
    template = route_key.partition(" ")[2].split("/")
    parts = path.split("/")
    if len(template) != len(parts) or any(
        t != p and not t.startswith("{") for t, p in zip(template, parts, strict=True)
    ):
        raise RouteUnknown
