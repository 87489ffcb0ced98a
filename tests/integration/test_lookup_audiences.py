"""Who may see what: the agency's own view is its own, and an answer belongs to the route that was authorised."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from functions.lookup import contract, queries
from functions.lookup.api import api as declared
from functions.lookup.error_handlers import answer_refusals
from functions.lookup.publications import Snapshot
from functions.lookup.routing import AGENCY, PUBLIC, Api
from tests.published import Caller, World, agency, empty_world, event, path_of

GETS = [operation for operation in declared.operations if operation.method == "GET"]
OWN_VIEWS = [path_of(operation) for operation in GETS if operation.scope == AGENCY]
FOR_EVERYBODY = [path_of(operation) for operation in GETS if operation.scope == PUBLIC]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with empty_world() as world:
        world.publish("2026-10", [agency("A", four=1), agency("B", four=1)])
        yield world


@pytest.fixture(scope="module")
def api(world: World) -> Caller:
    return world.caller()


@pytest.mark.parametrize("path", OWN_VIEWS)
def test_a_token_of_the_agency_opens_its_own_view(api: Caller, path: str) -> None:
    assert api.get(path, claims={"agency_id": "A", "scope": "levels.agency"}).status == 200


@pytest.mark.parametrize("path", OWN_VIEWS)
def test_a_token_without_an_agency_opens_every_view(api: Caller, path: str) -> None:
    assert api.get(path, claims={"sub": "back office", "scope": "levels.agency"}).status == 200
    assert api.get(path, claims={}).status == 200
    assert api.get(path).status == 200


@pytest.mark.parametrize("claim", ["B", "", "a", "A ", " A", "[A]", "[A B]", "A,B", None, 0, ["A"], {"A": 1}])
@pytest.mark.parametrize("path", OWN_VIEWS)
def test_a_token_of_anything_else_opens_none(api: Caller, path: str, claim: object) -> None:
    answer = api.get(path, claims={"agency_id": claim})
    assert (answer.status, answer.json["type"]) == (403, "urn:problem-type:mcn-levels:not-this-agency")


def test_whether_an_agency_exists_is_not_told_to_another(world: World) -> None:
    api = world.caller()
    assert api.get("/v1/levels").status == 200
    with world.reads() as reads:
        answers = {api.get(f"/v1/agencies/{a}/level", claims={"agency_id": "A"}).text for a in ("B", "Nobody", "%00")}
    assert (len(answers), reads) == (1, [])


@pytest.mark.parametrize("path", FOR_EVERYBODY)
def test_public_answers_are_for_agencies_too(api: Caller, path: str) -> None:
    assert api.get(path, claims={"agency_id": "B"}).status == 200


@pytest.mark.parametrize("authorizer", [None, {}, {"jwt": None}, {"jwt": {}}, {"jwt": {"claims": None}}, {"iam": {}}])
def test_an_authorizer_without_claims_names_no_agency(world: World, authorizer: Any) -> None:
    asked = event("GET", "/v1/agencies/A/level")
    asked["requestContext"]["authorizer"] = authorizer
    assert world.caller().handler(asked, None)["statusCode"] == 200


# --- routes -----------------------------------------------------------------------------------------------------------


def test_the_route_that_was_authorised_is_the_one_that_answers(api: Caller) -> None:
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


@pytest.mark.parametrize("path", [*OWN_VIEWS, *FOR_EVERYBODY])
@pytest.mark.parametrize("route", ["$default", "ANY /{proxy+}"])
def test_behind_an_authorizer_its_open_route_answers_nothing(world: World, path: str, route: str) -> None:
    guarded = world.caller(authorized_routes_only=True)
    answer = guarded.get(path, route=route)
    assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")


def test_behind_an_authorizer_its_open_route_serves_health_and_refusals(world: World) -> None:
    guarded = world.caller(authorized_routes_only=True)
    assert guarded.get("/healthz").status == 200
    assert guarded.get("/nowhere").status == 404
    assert guarded.ask("DELETE", "/v1/levels").status == 405
    assert guarded.ask("OPTIONS", "/v1/levels").status == 204
    assert guarded.get("/v1/levels", route="GET /v1/levels").status == 200


@pytest.mark.parametrize("path", ["/v1/agencies/A/level\n", "/v1/agencies/A/level/", "//v1/levels", "/V1/levels"])
def test_a_path_that_is_almost_one_is_none(api: Caller, path: str) -> None:
    assert api.get(path).status == 404


def test_a_named_stage_is_no_part_of_the_path(world: World) -> None:
    asked = event("GET", "/prod/v1/levels", route="GET /v1/levels")
    asked["requestContext"]["stage"] = "prod"
    assert world.caller().handler(asked, None)["statusCode"] == 200


# --- an operation declares, it can't forget ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def grown() -> Api:
    """An API with one operation for agencies, which itself checks nothing and adds nothing."""
    api = Api()
    answer_refusals(api)

    @api.operation("GET", "/v1/agencies/<agency_id>/again", AGENCY)
    def get_again(snapshot: Snapshot, agency_id: str) -> contract.Card:
        return queries.card(snapshot, agency_id)

    @api.operation("GET", "/v1/talkative", PUBLIC)
    def get_talkative(snapshot: Snapshot) -> contract.Card:
        return {**queries.card(snapshot, "A"), "metrics": {"four": 1}}  # type: ignore[typeddict-unknown-key]

    return api


def test_an_operation_added_today_answers_with_stale_and_reads_the_month_asked_for(world: World, grown: Api) -> None:
    caller = world.caller(api=grown)
    answer = caller.get("/v1/agencies/A/again", claims={"agency_id": "A"})
    assert (answer.json["agency_id"], answer.json["stale"]) == ("A", False)
    assert caller.get("/v1/agencies/A/again?month=1999-01").status == 404


def test_an_operation_added_today_is_guarded(world: World, grown: Api) -> None:
    caller = world.caller(api=grown)
    with world.reads() as reads:
        assert caller.get("/v1/agencies/A/again", claims={"agency_id": "B"}).status == 403
        assert caller.get("/v1/agencies/A/again", route="GET /v1/agencies/{agency_id}").status == 404
        assert world.caller(api=grown, authorized_routes_only=True).get("/v1/agencies/A/again").status == 401
    assert reads == []


def test_an_operation_that_says_more_than_it_declared_says_nothing(world: World, grown: Api) -> None:
    answer = world.caller(api=grown).get("/v1/talkative")
    assert (answer.status, "four" in answer.text) == (500, False)


def test_an_operation_for_agencies_without_an_agency_can_t_be_declared() -> None:
    with pytest.raises(TypeError, match="<agency_id>"):
        Api().operation("GET", "/v1/everything", AGENCY)
