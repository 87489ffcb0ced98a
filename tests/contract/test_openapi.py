"""config/openapi.json is generated from the code, valid and complete; every answer of the handler follows it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import Case

from functions.lookup.api import api
from functions.lookup.authorization import PUBLIC
from local.cloud.front import front
from local.cloud.template import LOOKUP, api_routes
from tests.published import agency, empty_world
from tools.docs.openapi import EXAMPLES, PATH, text

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

COMMITTED: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in COMMITTED["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def test_the_committed_document_is_generated_from_the_code() -> None:
    assert PATH.read_text(encoding="utf-8") == text(), "run: make docs"


def test_it_is_a_valid_openapi_3_1_document() -> None:
    assert COMMITTED["openapi"].startswith("3.1.")
    OpenAPIV31SpecValidator(COMMITTED).validate()


def test_every_operation_has_a_route_of_its_own_in_the_template_and_the_other_way_round() -> None:
    described = {(method, path) for method, path, _ in operations()}
    routes = [route for route in api_routes() if route.function == LOOKUP and route.path != "$default"]
    routed = {(route.method, route.path) for route in routes}
    assert {(method, path) for method, path in routed if method != "HEAD"} == described
    assert {path for method, path in routed if method == "HEAD"} >= {
        path for method, path in described if method == "GET" and path.startswith("/v1/")
    }


def test_every_operation_has_a_summary_an_example_its_scope_and_its_refusals() -> None:
    for method, path, operation in operations():
        assert operation["summary"], path
        assert operation["responses"]["200"]["content"]["application/json"]["example"], path
        if path.startswith("/v1/"):
            assert {"401", "403", "404", "422", "429", "500", "503"} <= operation["responses"].keys(), path
            assert operation["security"], path
        assert ("304" in operation["responses"]) == (method == "GET"), path


def test_every_example_was_answered_with_200() -> None:
    assert set(EXAMPLES) == {operation["operationId"] for _, _, operation in operations()}
    for _, path, operation in operations():
        assert "detail" not in operation["responses"]["200"]["content"]["application/json"]["example"], path


def test_an_agencys_own_routes_need_another_scope_than_public_ones() -> None:
    scopes = {operation.rule: operation.scope for operation in api.operations}
    own = {rule for rule, scope in scopes.items() if scope and scope != PUBLIC}
    assert own == {rule for rule in scopes if rule.startswith("/v1/agencies/<agency_id>/")}
    assert {rule for rule, scope in scopes.items() if scope is None} == {"/healthz"}


# --- schemas that generators of clients accept ------------------------------------------------------------------------


def every_object(node: Any) -> Iterator[dict[str, Any]]:
    """Every object of the document, without the examples, which are answers."""
    if isinstance(node, dict):
        yield node
        for name, value in node.items():
            if name not in ("example", "examples"):
                yield from every_object(value)
    elif isinstance(node, list):
        for value in node:
            yield from every_object(value)


def test_no_schema_says_const_and_no_answer_forbids_more_fields() -> None:
    assert not [one for one in every_object(COMMITTED) if "const" in one]
    schemas = COMMITTED["components"]["schemas"]
    strict = {name for name, schema in schemas.items() if schema.get("additionalProperties") is False}
    bodies = {
        operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        for _, _, operation in operations()
        if "requestBody" in operation
    }
    assert strict == bodies


def test_every_enum_of_an_answer_is_marked_as_open() -> None:
    def closed(schema: dict[str, Any]) -> bool:
        return "enum" in schema and len(schema["enum"]) > 1 and "x-extensible-enum" not in schema

    answers = {name: schema for name, schema in COMMITTED["components"]["schemas"].items() if name != "BatchRequest"}
    assert not [one for one in every_object(answers) if closed(one)]
    assert any("x-extensible-enum" in one for one in every_object(answers))


def test_every_get_takes_if_none_match_and_answers_a_tag() -> None:
    for method, path, operation in operations():
        named = [parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "header"]
        assert named == (["If-None-Match"] if method == "GET" else []), path
        assert ("ETag" in operation["responses"]["200"]["headers"]) == (method == "GET"), path


@pytest.mark.parametrize("status", ["401", "403", "413", "429", "500", "503"])
def test_answers_of_the_gateway_are_described_beside_those_of_the_function(status: str) -> None:
    by_function = {"401", "403", "500", "503"}
    for _, path, operation in operations():
        if not operation["security"]:
            continue
        content = operation["responses"][status]["content"]
        by_gateway = content["application/json"]
        assert by_gateway["schema"]["$ref"].endswith("/GatewayMessage"), path
        assert set(by_gateway["example"]) == {"message"}, path
        expected = {"application/json", *(["application/problem+json"] if status in by_function else [])}
        assert content.keys() - expected <= ({"application/problem+json"} if status == "413" else set()), path
        assert expected <= content.keys(), path


def test_only_the_health_check_needs_no_token() -> None:
    assert [path for _, path, operation in operations() if operation["security"] == []] == ["/healthz"]


def test_names_of_operations_and_schemas_are_readable() -> None:
    names = COMMITTED["components"]["schemas"].keys()
    assert not names & {"Met", "Spare", "Wanted", "Rung"}
    assert all(re.fullmatch("[A-Z][A-Za-z]+", name) for name in names)
    assert all(re.fullmatch("(get|post)(_[a-z]+)+", operation["operationId"]) for _, _, operation in operations())


# --- the handler follows it -------------------------------------------------------------------------------------------


class Served:
    """The API as a WSGI application. The tests are made at import; the fixture sets the application afterwards."""

    application: WSGIApplication

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        return self.application(environ, start_response)


def as_back_office(application: WSGIApplication) -> WSGIApplication:
    """Sends every request as the back office, which may see every agency's own view."""
    return lambda environ, start_response: application({**environ, "HTTP_X_LOCAL_AGENCY": "*"}, start_response)


served = Served()
schema = schemathesis.openapi.from_dict(COMMITTED)
schema.app = served


@pytest.fixture(scope="module")
def published() -> Iterator[None]:
    with empty_world() as world:
        for month in ("2026-09", "2026-10"):
            world.publish(month, [agency(f"A-{n:04d}", four=n, six=n // 4, gmv=n * 99_999) for n in range(1, 60)])
        served.application = as_back_office(front(world.caller().handler))
        yield


@schema.parametrize()
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@pytest.mark.usefixtures("published")
def test_every_answer_follows_the_description_whatever_is_sent(case: Case[Any]) -> None:
    case.call_and_validate()
