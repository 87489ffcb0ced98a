"""The API: every operation with its audience, for creators, merchants and the agencies themselves.

A docstring's first line is the operation's summary in config/openapi.json, the rest its description.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from functions.lookup import contract, for_agency, for_everybody, problems
from functions.lookup.audience import require_own
from functions.lookup.body import read_body
from functions.lookup.desk import Desk
from functions.lookup.refusals import answer_refusals
from functions.lookup.routing import AGENCY, PUBLIC, Api
from shared.observability import logger

AgencyId = Annotated[str, Path(description="机构 ID", json_schema_extra={"pattern": contract.AGENCY_ID_PATTERN})]
Month = Annotated[
    str | None,
    Query(pattern=contract.MONTH_PATTERN, description="Read the publication of this rating month, not the newest."),
]
Limit = Annotated[int, Query(ge=1, le=100, description="At most so many items.")]
Cursor = Annotated[str | None, Query(description="Where to go on: the `next` of the page before, unchanged.")]

api = Api()
answer_refusals(api)


def desk() -> Desk:
    found: Desk = api.context["desk"]
    return found


def own(agency_id: str) -> str:
    require_own(api.current_event.raw_event, agency_id)
    return agency_id


# --- for everybody ----------------------------------------------------------------------------------------------------


@api.offer("GET", "/v1/agencies/<agency_id>", PUBLIC, problems.AgencyUnknown)
def get_card(agency_id: AgencyId, month: Month = None) -> contract.Card:
    """The public card of an agency."""
    return contract.Card(**for_everybody.card(desk(), agency_id, month))


@api.offer("POST", "/v1/agencies/batch", PUBLIC, problems.BodyMalformed, problems.BodyNotJson)
def post_batch(month: Month = None) -> contract.Batch:
    """The public cards of up to 100 agencies."""
    wanted = read_body(api.current_event, contract.BatchRequest)
    return contract.Batch(**for_everybody.batch(desk(), wanted.agency_ids, month))


@api.offer("GET", "/v1/agencies", PUBLIC, problems.LevelUnknown, problems.CursorMalformed, problems.CursorExpired)
def get_directory(
    level: Annotated[int, Query(ge=1)], limit: Limit = 50, cursor: Cursor = None, month: Month = None
) -> contract.Directory:
    """The agencies of a level, by agency_id."""
    return contract.Directory(**for_everybody.directory(desk(), level, limit, cursor, month))


@api.offer("GET", "/v1/levels", PUBLIC)
def get_ladder(month: Month = None) -> contract.LadderAnswer:
    """The published ladder: thresholds per channel, and benefits."""
    return contract.LadderAnswer(**for_everybody.ladder(desk(), month))


@api.offer("GET", "/v1/levels/<level>", PUBLIC, problems.LevelUnknown)
def get_level(level: str, month: Month = None) -> contract.LevelAnswer:
    """One level of the published ladder."""
    return contract.LevelAnswer(**for_everybody.level(desk(), level, month))


@api.offer("GET", "/v1/benefits", PUBLIC)
def get_catalogue(month: Month = None) -> contract.Catalogue:
    """Every benefit, and which levels have it."""
    return contract.Catalogue(**for_everybody.catalogue(desk(), month))


@api.offer("GET", "/v1/benefits/<benefit>", PUBLIC, problems.BenefitUnknown)
def get_benefit(benefit: str, month: Month = None) -> contract.BenefitAnswer:
    """One benefit, and which levels have it."""
    return contract.BenefitAnswer(**for_everybody.benefit(desk(), benefit, month))


@api.offer("GET", "/v1/publication", PUBLIC)
def get_publication(month: Month = None) -> contract.PublicationAnswer:
    """What is published, since when, and when levels are next renewed."""
    return contract.PublicationAnswer(**for_everybody.publication(desk(), month))


@api.offer("GET", "/healthz", None)
def get_health() -> contract.Health:
    """Whether the function runs; it touches nothing else."""
    return contract.Health(status="ok")


# --- for the agency itself --------------------------------------------------------------------------------------------


@api.offer("GET", "/v1/agencies/<agency_id>/level", AGENCY, problems.NotThisAgency, problems.AgencyUnknown)
def get_own_view(agency_id: AgencyId, month: Month = None) -> contract.OwnView:
    """An agency's level with every reason, the gaps to the next one, and advice."""
    return contract.OwnView(**for_agency.own_view(desk(), own(agency_id), month))


@api.offer(
    "GET",
    "/v1/agencies/<agency_id>/history",
    AGENCY,
    problems.NotThisAgency,
    problems.AgencyUnknown,
    problems.CursorMalformed,
)
def get_history(agency_id: AgencyId, limit: Limit = 12, cursor: Cursor = None, month: Month = None) -> contract.History:
    """An agency's published months, newest first."""
    return contract.History(**for_agency.history(desk(), own(agency_id), limit, cursor, month))


@api.offer("GET", "/v1/agencies/<agency_id>/benefits", AGENCY, problems.NotThisAgency, problems.AgencyUnknown)
def get_entitlements(agency_id: AgencyId, month: Month = None) -> contract.Entitlements:
    """Every benefit, granted to the agency or not, with the reason."""
    return contract.Entitlements(**for_agency.entitlements(desk(), own(agency_id), month))


@api.offer(
    "GET",
    "/v1/agencies/<agency_id>/benefits/<benefit>",
    AGENCY,
    problems.NotThisAgency,
    problems.AgencyUnknown,
    problems.BenefitUnknown,
)
def get_entitlement(agency_id: AgencyId, benefit: str, month: Month = None) -> contract.EntitlementAnswer:
    """One benefit, granted to the agency or not, with the reason."""
    return contract.EntitlementAnswer(**for_agency.entitlement(desk(), own(agency_id), benefit, month))


@api.offer("GET", "/v1/agencies/<agency_id>/binding-slots", AGENCY, problems.NotThisAgency, problems.AgencyUnknown)
def get_binding_slots(agency_id: AgencyId, month: Month = None) -> contract.BindingSlots:
    """How many more creators of power level 6 and 7 the agency may bind in the coming month."""
    return contract.BindingSlots(**for_agency.slots(desk(), own(agency_id), month))


# --- serving ----------------------------------------------------------------------------------------------------------

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]

_one_at_a_time = Lock()  # Powertools keeps the current event in a class attribute; a local server has threads


def serving(what: Desk) -> Handler:
    """A handler of API Gateway's HTTP API events (payload 2.0) that answers from this desk."""

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        request_id = event["requestContext"].get("requestId") or getattr(context, "aws_request_id", "")
        asked = event["requestContext"]["http"]["method"]
        with _one_at_a_time:
            logger.set_correlation_id(request_id)
            api.context["desk"] = what
            answer = api.resolve(_as_get(event) if asked == "HEAD" else event, context)
        answer["headers"]["X-Request-Id"] = request_id
        return {**answer, "body": "", "isBase64Encoded": False} if asked == "HEAD" else answer

    return handler


def _as_get(event: dict[str, Any]) -> dict[str, Any]:
    """A HEAD request as the GET whose headers it asks for."""
    context = event["requestContext"]
    return {**event, "requestContext": {**context, "http": {**context["http"], "method": "GET"}}}
