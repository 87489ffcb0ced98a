"""Which token may read what: only the agency itself has its own view, and only the authorised route answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from functions.lookup import contract, queries
from functions.lookup.api import api as declared
from functions.lookup.authorization import AGENCY, ANY_AGENCY, PUBLIC, Access
from functions.lookup.error_handlers import answer_refusals
from functions.lookup.publications import Snapshot
from functions.lookup.routing import Api, Operation
from tests.published import Caller, World, agency, empty_world, event, path_of

GETS = [operation for operation in declared.operations if operation.method == "GET"]
OWN_VIEWS = [path_of(operation) for operation in GETS if operation.scope == AGENCY]
GUARDED = [operation for operation in declared.operations if operation.scope]
FOR_EVERYBODY = [path_of(operation) for operation in GETS if operation.scope == PUBLIC]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with empty_world() as world:
        world.publish("2026-10", [agency("A", four=1), agency("B", four=1)])
        yield world


@pytest.fixture(scope="module")
def api(world: World) -> Caller:
    return world.caller()


def of_agency(claim: object, **more: object) -> dict[str, object]:
    """The claims of a token that names an agency."""
    return {"sub": "app", "scope": f"{PUBLIC} {AGENCY}", "agency_id": claim, **more}


WITHOUT_AGENCY = {"sub": "app", "scope": f"{PUBLIC} {AGENCY}"}


@pytest.mark.parametrize("path", OWN_VIEWS)
def test_an_agencys_token_may_read_the_agencys_own_view(api: Caller, path: str) -> None:
    assert api.get(path, claims=of_agency("A")).status == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"scope": ANY_AGENCY},
        {"scope": f"{PUBLIC} {ANY_AGENCY}"},
        {"scp": f"[{AGENCY} {ANY_AGENCY}]"},
        {"scp": [ANY_AGENCY]},
        of_agency("*"),
    ],
)
@pytest.mark.parametrize("path", OWN_VIEWS)
def test_a_token_for_any_agency_may_read_every_own_view(api: Caller, path: str, claims: Any) -> None:
    assert api.get(path, claims=claims).status == 200


@pytest.mark.parametrize("path", OWN_VIEWS)
def test_a_token_without_an_agency_may_read_no_own_view(api: Caller, path: str) -> None:
    for claims in (WITHOUT_AGENCY, of_agency(None), WITHOUT_AGENCY | {"custom:agency_id": "A"}):
        answer = api.get(path, claims=claims)
        assert (answer.status, answer.json["type"]) == (403, "urn:problem-type:mcn-levels:not-this-agency")


@pytest.mark.parametrize("claim", ["B", "", "a", "A ", " A", "[A]", "[A B]", "A,B", "**", 0, ["A"], ["*"], {"A": 1}])
@pytest.mark.parametrize("scope", [f"{PUBLIC} {AGENCY}", ANY_AGENCY])
@pytest.mark.parametrize("path", OWN_VIEWS)
def test_a_token_with_another_claim_may_not_read_the_own_view(
    api: Caller, path: str, claim: object, scope: str
) -> None:
    answer = api.get(path, claims=of_agency(claim, scope=scope))
    assert (answer.status, answer.json["type"]) == (403, "urn:problem-type:mcn-levels:not-this-agency")


def test_the_claim_that_names_the_agency_may_have_another_name(world: World) -> None:
    api = world.caller(access=Access(agency_claim="custom:agency_id"))
    for path in OWN_VIEWS:
        assert api.get(path, claims=WITHOUT_AGENCY | {"custom:agency_id": "A"}).status == 200
        assert api.get(path, claims=of_agency("A")).status == 403


def test_another_agency_cannot_find_out_whether_an_agency_exists(world: World) -> None:
    api = world.caller()
    assert api.get("/v1/levels").status == 200
    with world.reads() as reads:
        answers = {api.get(f"/v1/agencies/{a}/level", claims=of_agency("A")).text for a in ("B", "Nobody", "%00")}
    assert (len(answers), reads) == (1, [])


@pytest.mark.parametrize("path", FOR_EVERYBODY)
def test_an_agencys_token_may_read_public_answers(api: Caller, path: str) -> None:
    assert api.get(path, claims=of_agency("B")).status == 200


@pytest.mark.parametrize("operation", GUARDED, ids=lambda operation: operation.name)
def test_every_operation_requires_its_scope(world: World, operation: Operation) -> None:
    other = PUBLIC if operation.scope == AGENCY else f"{AGENCY} {ANY_AGENCY}"
    api = world.caller()
    with world.reads() as reads:
        for scope in ("", other, "levels", "LEVELS.PUBLIC", "levels.publicity"):
            answer = api.operation(operation, claims={"scope": scope, "agency_id": "A"})
            assert (answer.status, answer.json["type"]) == (403, "urn:problem-type:mcn-levels:missing-scope")
    assert reads == []


@pytest.mark.parametrize("authorizer", [None, {}, {"jwt": None}, {"jwt": {}}, {"jwt": {"claims": None}}, {"iam": {}}])
@pytest.mark.parametrize("operation", GUARDED, ids=lambda operation: operation.name)
def test_a_request_that_no_gateway_has_checked_is_refused(world: World, operation: Operation, authorizer: Any) -> None:
    asked = event(operation.method, path_of(operation), claims=None, body='{"agency_ids": ["A"]}')
    asked["requestContext"]["authorizer"] = authorizer
    with world.reads() as reads:
        answer = world.caller().handler(asked, None)
    assert (answer["statusCode"], answer["headers"]["WWW-Authenticate"], reads) == (401, "Bearer", [])


def test_on_a_developers_machine_a_setting_names_the_caller(world: World) -> None:
    one = world.caller(access=Access(local_caller="A"))
    assert one.get("/v1/agencies/A/level", claims=None).status == 200
    assert one.get("/v1/agencies/B/level", claims=None).status == 403
    assert one.get("/v1/agencies/B", claims=None).status == 200
    everyone = world.caller(access=Access(local_caller="*"))
    assert everyone.get("/v1/agencies/B/level", claims=None).status == 200


def test_the_setting_of_the_local_caller_does_not_extend_a_token(world: World) -> None:
    api = world.caller(access=Access(local_caller="*"))
    assert api.get("/v1/agencies/B/level", claims=of_agency("A")).status == 403
    asked = event("GET", "/v1/levels", claims=None)
    asked["requestContext"]["authorizer"] = {"iam": {"userId": "x"}}
    assert api.handler(asked, None)["statusCode"] == 401


# --- routes -----------------------------------------------------------------------------------------------------------


def test_the_authorised_route_answers(api: Caller) -> None:
    card, own = "GET /v1/agencies/{agency_id}", "GET /v1/agencies/{agency_id}/level"
    assert api.get("/v1/agencies/A", route=card).status == 200
    assert api.get("/v1/agencies/A/level", route=own).status == 200
    assert api.get("/v1/agencies/A/level", route="GET /v1/agencies/A/level").status == 200


@pytest.mark.parametrize(
    "route", ["GET /v1/agencies/{agency_id}", "GET /v1/levels", "GET /v1/agencies/{agency_id}/{x}/y"]
)
def test_a_decoded_slash_does_not_turn_a_card_into_an_own_view(api: Caller, route: str) -> None:
    answer = api.get("/v1/agencies/A/level", route=route, claims={"scope": "levels.public"})
    assert (answer.status, answer.json["type"]) == (404, "urn:problem-type:mcn-levels:unknown-route")


def test_the_open_route_serves_health_and_refusals(world: World) -> None:
    caller = world.caller()
    assert caller.get("/healthz", claims=None).status == 200
    assert caller.get("/nowhere", claims=None).status == 404
    assert caller.ask("DELETE", "/v1/levels", claims=None).status == 405
    assert caller.ask("OPTIONS", "/v1/levels", claims=None).status == 204


@pytest.mark.parametrize("path", ["/v1/agencies/A/level\n", "/v1/agencies/A/level/", "//v1/levels", "/V1/levels"])
def test_a_path_that_is_similar_to_a_route_is_404(api: Caller, path: str) -> None:
    assert api.get(path).status == 404


def test_the_name_of_a_stage_is_removed_from_the_path(world: World) -> None:
    asked = event("GET", "/prod/v1/levels", route="GET /v1/levels")
    asked["requestContext"]["stage"] = "prod"
    assert world.caller().handler(asked, None)["statusCode"] == 200


def test_a_custom_domain_may_add_a_base_path(world: World) -> None:
    mapped = world.caller(base_path="/levels")
    assert mapped.get("/levels/v1/agencies/A/level", route="GET /v1/agencies/{agency_id}/level").status == 200
    assert mapped.get("/levels/healthz").status == 200
    assert mapped.get("/v1/levels", route="GET /v1/levels").status == 200
    assert mapped.get("/levelsv1/levels").status == 404


# --- the declaration of an operation guards it ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def extended() -> Api:
    """An API with two new operations that check nothing themselves; the second returns an undeclared field."""
    api = Api()
    answer_refusals(api)

    @api.operation("GET", "/v1/agencies/<agency_id>/again", AGENCY)
    def get_again(snapshot: Snapshot, agency_id: str) -> contract.CardAnswer:
        return queries.card(snapshot, agency_id)

    @api.operation("GET", "/v1/talkative", PUBLIC)
    def get_talkative(snapshot: Snapshot) -> contract.CardAnswer:
        return {**queries.card(snapshot, "A"), "metrics": {"four": 1}}  # type: ignore[typeddict-unknown-key]

    return api


def test_a_new_operation_answers_with_stale_and_reads_the_requested_month(world: World, extended: Api) -> None:
    caller = world.caller(api=extended)
    answer = caller.get("/v1/agencies/A/again", claims=of_agency("A"))
    assert (answer.json["agency_id"], answer.json["stale"]) == ("A", False)
    assert caller.get("/v1/agencies/A/again?month=1999-01").status == 404


def test_a_new_operation_is_guarded(world: World, extended: Api) -> None:
    caller = world.caller(api=extended)
    with world.reads() as reads:
        assert caller.get("/v1/agencies/A/again", claims=of_agency("B")).status == 403
        assert caller.get("/v1/agencies/A/again", route="GET /v1/agencies/{agency_id}").status == 404
        assert caller.get("/v1/agencies/A/again", claims=None).status == 401
    assert reads == []


def test_an_answer_with_an_undeclared_field_is_not_sent(world: World, extended: Api) -> None:
    answer = world.caller(api=extended).get("/v1/talkative")
    assert (answer.status, "four" in answer.text) == (500, False)


def test_an_operation_for_agencies_without_an_agency_id_cannot_be_declared() -> None:
    with pytest.raises(TypeError, match="<agency_id>"):
        Api().operation("GET", "/v1/everything", AGENCY)
