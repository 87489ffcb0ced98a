"""The API: every operation with its audience, for creators, merchants and the agencies themselves.

A docstring's first line is the operation's summary in config/openapi.json, the rest its description.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any

from functions.lookup import contract, for_agency, for_everybody, problems
from functions.lookup.authorization import require_own, require_route
from functions.lookup.conditional import conditional
from functions.lookup.desk import Desk
from functions.lookup.error_handlers import answer_refusals
from functions.lookup.routing import AGENCY, PUBLIC, Api, View
from shared.observability import logger

api = Api()
answer_refusals(api)


def desk() -> Desk:
    """Where an operation that wants a token is answered from. Raises NotAuthorized and RouteUnknown."""
    found: Desk = api.context["desk"]
    event = api.current_event
    require_route(event.raw_event, event.path, authorized_only=found.authorized_routes_only)
    return found


def own(agency_id: str) -> str:
    require_own(api.current_event.raw_event, agency_id)
    return agency_id


# --- for everybody ----------------------------------------------------------------------------------------------------


@api.offer("GET", "/v1/agencies/<agency_id>", PUBLIC, contract.Card, problems.AgencyUnknown)
def get_card(agency_id: contract.AgencyId, asked: contract.OfMonth) -> View:
    """The public card of an agency."""
    return for_everybody.card(desk(), agency_id, asked.month)


@api.offer("POST", "/v1/agencies/batch", PUBLIC, contract.Batch, problems.BodyMalformed, problems.BodyNotJson)
def post_batch(asked: contract.OfMonth, body: contract.BatchRequest) -> View:
    """The public cards of up to 100 agencies."""
    return for_everybody.batch(desk(), body.agency_ids, asked.month)


@api.offer(
    "GET",
    "/v1/agencies",
    PUBLIC,
    contract.Directory,
    problems.LevelUnknown,
    problems.CursorMalformed,
    problems.CursorExpired,
)
def get_directory(asked: contract.DirectoryPage) -> View:
    """The agencies of a level, by agency_id."""
    return for_everybody.directory(desk(), asked.level, asked.limit, asked.cursor, asked.month)


@api.offer("GET", "/v1/levels", PUBLIC, contract.LadderAnswer)
def get_ladder(asked: contract.OfMonth) -> View:
    """The published ladder: thresholds per channel, and benefits."""
    return for_everybody.ladder(desk(), asked.month)


@api.offer("GET", "/v1/levels/<level>", PUBLIC, contract.LevelAnswer, problems.LevelUnknown)
def get_level(level: contract.LevelInPath, asked: contract.OfMonth) -> View:
    """One level of the published ladder."""
    return for_everybody.level(desk(), level, asked.month)


@api.offer("GET", "/v1/benefits", PUBLIC, contract.Catalogue)
def get_catalogue(asked: contract.OfMonth) -> View:
    """Every benefit, and which levels have it."""
    return for_everybody.catalogue(desk(), asked.month)


@api.offer("GET", "/v1/benefits/<benefit>", PUBLIC, contract.BenefitAnswer, problems.BenefitUnknown)
def get_benefit(benefit: contract.BenefitKey, asked: contract.OfMonth) -> View:
    """One benefit, and which levels have it."""
    return for_everybody.benefit(desk(), benefit, asked.month)


@api.offer("GET", "/v1/publication", PUBLIC, contract.PublicationAnswer)
def get_publication(asked: contract.OfMonth) -> View:
    """What is published, since when, and when levels are next renewed."""
    return for_everybody.publication(desk(), asked.month)


@api.offer("GET", "/healthz", None, contract.Health)
def get_health() -> View:
    """Whether the function runs; it touches nothing else."""
    return {"status": "ok"}


# --- for the agency itself --------------------------------------------------------------------------------------------


@api.offer(
    "GET", "/v1/agencies/<agency_id>/level", AGENCY, contract.OwnView, problems.NotThisAgency, problems.AgencyUnknown
)
def get_own_view(agency_id: contract.AgencyId, asked: contract.OfMonth) -> View:
    """An agency's level with every reason, the gaps to the next one, and advice."""
    return for_agency.own_view(desk(), own(agency_id), asked.month)


@api.offer(
    "GET",
    "/v1/agencies/<agency_id>/history",
    AGENCY,
    contract.History,
    problems.NotThisAgency,
    problems.AgencyUnknown,
    problems.CursorMalformed,
)
def get_history(agency_id: contract.AgencyId, asked: contract.HistoryPage) -> View:
    """An agency's published months, newest first."""
    return for_agency.history(desk(), own(agency_id), asked.limit, asked.cursor, asked.month)


@api.offer(
    "GET",
    "/v1/agencies/<agency_id>/benefits",
    AGENCY,
    contract.Entitlements,
    problems.NotThisAgency,
    problems.AgencyUnknown,
)
def get_entitlements(agency_id: contract.AgencyId, asked: contract.OfMonth) -> View:
    """Every benefit, granted to the agency or not, with the reason."""
    return for_agency.entitlements(desk(), own(agency_id), asked.month)


@api.offer(
    "GET",
    "/v1/agencies/<agency_id>/benefits/<benefit>",
    AGENCY,
    contract.EntitlementAnswer,
    problems.NotThisAgency,
    problems.AgencyUnknown,
    problems.BenefitUnknown,
)
def get_entitlement(agency_id: contract.AgencyId, benefit: contract.BenefitKey, asked: contract.OfMonth) -> View:
    """One benefit, granted to the agency or not, with the reason."""
    return for_agency.entitlement(desk(), own(agency_id), benefit, asked.month)


@api.offer(
    "GET",
    "/v1/agencies/<agency_id>/binding-slots",
    AGENCY,
    contract.BindingSlots,
    problems.NotThisAgency,
    problems.AgencyUnknown,
)
def get_binding_slots(agency_id: contract.AgencyId, asked: contract.OfMonth) -> View:
    """How many more creators of power level 6 and 7 the agency may bind in the coming month."""
    return for_agency.slots(desk(), own(agency_id), asked.month)


# --- serving ----------------------------------------------------------------------------------------------------------

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]

_one_at_a_time = Lock()  # Powertools keeps the current event in a class attribute; a local server has threads


def serving(what: Desk) -> Handler:
    """A handler of API Gateway's HTTP API events (payload 2.0) that answers from this desk."""

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        request_id = event["requestContext"].get("requestId") or getattr(context, "aws_request_id", "")
        method = event["requestContext"]["http"]["method"]
        with _one_at_a_time:
            logger.set_correlation_id(request_id)
            api.context["desk"] = what
            answer = api.resolve(_as_get(event) if method == "HEAD" else event, context)
        if method in ("GET", "HEAD"):
            answer = conditional(event, answer)
        answer["headers"]["X-Request-Id"] = request_id
        return {**answer, "body": "", "isBase64Encoded": False} if method == "HEAD" else answer

    return handler


def _as_get(event: dict[str, Any]) -> dict[str, Any]:
    """A HEAD request as the GET whose headers it asks for."""
    context = event["requestContext"]
    return {**event, "requestContext": {**context, "http": {**context["http"], "method": "GET"}}}
