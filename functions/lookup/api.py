"""The API: every operation with its audience, for creators, merchants and the agencies themselves.

A docstring's first line is the operation's summary in config/openapi.json, the rest its description.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any

from functions.lookup import contract, problems, queries
from functions.lookup.authorization import AGENCY, PUBLIC
from functions.lookup.conditional import conditional
from functions.lookup.cursors import Cursors
from functions.lookup.error_handlers import answer_refusals
from functions.lookup.publications import Snapshot
from functions.lookup.routing import Api, Services
from shared.observability import logger

api = Api()
answer_refusals(api)


# --- for everybody ----------------------------------------------------------------------------------------------------


@api.operation("GET", "/v1/agencies/<agency_id>", PUBLIC, problems.AgencyUnknown)
def get_card(snapshot: Snapshot, agency_id: contract.AgencyId) -> contract.CardAnswer:
    """The public card of an agency."""
    return queries.card(snapshot, agency_id)


@api.operation(
    "POST", "/v1/agencies/batch", PUBLIC, problems.BodyMalformed, problems.BodyTooLarge, problems.BodyNotJson
)
def post_batch(snapshot: Snapshot, body: contract.BatchRequest) -> contract.BatchAnswer:
    """The public cards of up to 100 agencies."""
    return queries.batch(snapshot, body.agency_ids)


@api.operation("GET", "/v1/agencies", PUBLIC, problems.LevelUnknown, problems.CursorMalformed, problems.CursorExpired)
def get_directory(snapshot: Snapshot, asked: contract.DirectoryPage, cursors: Cursors) -> contract.DirectoryAnswer:
    """The agencies of a level, sorted by agency_id."""
    position = cursors.directory(asked.cursor) if asked.cursor is not None else None
    began = queries.continued(snapshot, asked, position) if position else snapshot
    return queries.directory(began, asked, cursors, position)


@api.operation("GET", "/v1/levels", PUBLIC)
def get_ladder(snapshot: Snapshot) -> contract.LadderAnswer:
    """The published ladder: thresholds per channel, and benefits."""
    return queries.ladder(snapshot)


@api.operation("GET", "/v1/levels/<level>", PUBLIC, problems.LevelUnknown)
def get_level(snapshot: Snapshot, level: contract.LevelInPath) -> contract.LevelAnswer:
    """One level of the published ladder."""
    return queries.level(snapshot, level)


@api.operation("GET", "/v1/benefits", PUBLIC)
def get_catalogue(snapshot: Snapshot) -> contract.BenefitsAnswer:
    """Every benefit, and which levels have it."""
    return queries.catalogue(snapshot)


@api.operation("GET", "/v1/benefits/<benefit>", PUBLIC, problems.BenefitUnknown)
def get_benefit(snapshot: Snapshot, benefit: contract.BenefitKey) -> contract.BenefitAnswer:
    """One benefit, and which levels have it."""
    return queries.benefit(snapshot, benefit)


@api.operation("GET", "/v1/publication", PUBLIC)
def get_publication(snapshot: Snapshot) -> contract.PublicationAnswer:
    """The valid publication: its month, its run, when it was published, and when levels are next renewed."""
    return queries.publication(snapshot)


@api.operation("GET", "/v1/publications", PUBLIC, problems.CursorMalformed)
def get_publications(
    snapshot: Snapshot, asked: contract.PublicationsPage, cursors: Cursors
) -> contract.PublicationsAnswer:
    """The months that can be read, newest first, with the number of agencies of each level."""
    position = cursors.publications(asked.cursor) if asked.cursor is not None else None
    return queries.publications(snapshot, asked.limit, cursors, position)


@api.operation("GET", "/healthz", None)
def get_health() -> contract.HealthAnswer:
    """Whether the function runs. It reads no table."""
    return {"status": "ok"}


# --- for the agency itself --------------------------------------------------------------------------------------------


@api.operation("GET", "/v1/agencies/<agency_id>/level", AGENCY, problems.NotThisAgency, problems.AgencyUnknown)
def get_own_view(snapshot: Snapshot, agency_id: contract.AgencyId) -> contract.OwnViewAnswer:
    """An agency's level with all reasons, the gaps to the next level, and advice."""
    return queries.own_view(snapshot, agency_id)


@api.operation(
    "GET",
    "/v1/agencies/<agency_id>/history",
    AGENCY,
    problems.NotThisAgency,
    problems.AgencyUnknown,
    problems.CursorMalformed,
)
def get_history(
    snapshot: Snapshot, agency_id: contract.AgencyId, asked: contract.HistoryPage, cursors: Cursors
) -> contract.HistoryAnswer:
    """An agency's published months, newest first."""
    position = cursors.history(asked.cursor) if asked.cursor is not None else None
    return queries.history(snapshot, agency_id, asked.limit, cursors, position)


@api.operation("GET", "/v1/agencies/<agency_id>/benefits", AGENCY, problems.NotThisAgency, problems.AgencyUnknown)
def get_entitlements(snapshot: Snapshot, agency_id: contract.AgencyId) -> contract.EntitlementsAnswer:
    """Every benefit: whether the agency has it, and why or why not."""
    return queries.entitlements(snapshot, agency_id)


@api.operation(
    "GET",
    "/v1/agencies/<agency_id>/benefits/<benefit>",
    AGENCY,
    problems.NotThisAgency,
    problems.AgencyUnknown,
    problems.BenefitUnknown,
)
def get_entitlement(
    snapshot: Snapshot, agency_id: contract.AgencyId, benefit: contract.BenefitKey
) -> contract.EntitlementAnswer:
    """One benefit: whether the agency has it, and why or why not."""
    return queries.entitlement(snapshot, agency_id, benefit)


@api.operation("GET", "/v1/agencies/<agency_id>/binding-slots", AGENCY, problems.NotThisAgency, problems.AgencyUnknown)
def get_binding_slots(snapshot: Snapshot, agency_id: contract.AgencyId) -> contract.BindingSlotsAnswer:
    """How many more creators of power level 6 and 7 the agency may bind in the coming month."""
    return queries.slots(snapshot, agency_id)


# --- serving ----------------------------------------------------------------------------------------------------------

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]

_one_at_a_time = Lock()  # Powertools stores the current event in a class attribute, and the local server has threads


def serving(services: Services, api: Api = api) -> Handler:
    """A handler of API Gateway's HTTP API events (payload 2.0) that answers with these services."""

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        event = _as_received(event, services.base_path)
        request_id = event["requestContext"].get("requestId") or getattr(context, "aws_request_id", "")
        method = event["requestContext"]["http"]["method"]
        with _one_at_a_time:
            services.budget.begin()
            logger.set_correlation_id(request_id)
            api.context["services"] = services
            answer = api.resolve(_as_get(event) if method == "HEAD" else event, context)
        if method in ("GET", "HEAD"):
            answer = conditional(event, answer, services.access.subject(event))
        answer["headers"] |= {"X-Request-Id": request_id, "Vary": "Authorization"}
        return _without_body(answer) if method == "HEAD" else answer

    return handler


def _as_received(event: dict[str, Any], base_path: str) -> dict[str, Any]:
    """The event with headers (possibly none), and without the prefix of a custom domain in its path."""
    path = event["rawPath"]
    if base_path and path.startswith(f"{base_path}/"):
        path = path.removeprefix(base_path)
    return {**event, "headers": event.get("headers") or {}, "rawPath": path}


def _as_get(event: dict[str, Any]) -> dict[str, Any]:
    """A HEAD request as the GET request for the same path."""
    context = event["requestContext"]
    return {**event, "requestContext": {**context, "http": {**context["http"], "method": "GET"}}}


def _without_body(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer to HEAD: the headers of the answer to GET with its length, without its body."""
    if answer["body"]:
        answer["headers"]["Content-Length"] = str(len(answer["body"].encode()))
    return {**answer, "body": "", "isBase64Encoded": False}
