"""Which scope each route needs, as the gateway enforces it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.transformed import paths, properties, template

PUBLIC = (
    "/v1/agencies",
    "/v1/agencies/{agency_id}",
    "/v1/levels",
    "/v1/levels/{level}",
    "/v1/benefits",
    "/v1/benefits/{benefit}",
    "/v1/publication",
    "/v1/publications",
)
AGENCY = (
    "/v1/agencies/{agency_id}/level",
    "/v1/agencies/{agency_id}/history",
    "/v1/agencies/{agency_id}/benefits",
    "/v1/agencies/{agency_id}/benefits/{benefit}",
    "/v1/agencies/{agency_id}/binding-slots",
)

OPERATE = (
    ("get", "months"),
    ("get", "runs"),
    ("get", "runs/{run}"),
    ("get", "ledger"),
    ("get", "workbook"),
    ("get", "tickets/{ticket}"),
    ("post", "runs/{run}/accept"),
    ("post", "runs/{run}/rollback"),
    ("post", "refresh"),
    ("post", "previews"),
    ("post", "checks"),
    ("post", "workbook"),
)


def operations() -> dict[tuple[str, str], dict[str, Any]]:
    return {(method, path): found for path, methods in paths().items() for method, found in methods.items()}


def test_each_route_asks_for_its_scope_and_no_other_route_exists() -> None:
    expected = {(method, path): ["levels.public"] for path in PUBLIC for method in ("get", "head")}
    expected |= {
        (method, path): ["levels.agency", "levels.agency.any"] for path in AGENCY for method in ("get", "head")
    }
    expected[("post", "/v1/agencies/batch")] = ["levels.public"]
    expected |= {(method, f"/v1/operations/{path}"): ["levels.operate"] for method, path in OPERATE}
    guarded = {
        route: found["security"] for route, found in operations().items() if found.get("security") != [{"NONE": []}]
    }
    assert guarded == {route: [{"Tokens": scopes}] for route, scopes in expected.items()}


def test_only_the_health_check_and_unknown_routes_need_no_token() -> None:
    open_routes = [route for route, found in operations().items() if found.get("security") == [{"NONE": []}]]
    assert sorted(open_routes) == [("get", "/healthz"), ("x-amazon-apigateway-any-method", "/$default")]


def test_tokens_are_checked_against_the_issuer_and_audience_given() -> None:
    schemes = properties("Api")["Body"]["components"]["securitySchemes"]
    authorizer = schemes["Tokens"]["x-amazon-apigateway-authorizer"]
    assert authorizer["jwtConfiguration"] == {"issuer": {"Ref": "JwtIssuer"}, "audience": {"Ref": "JwtAudience"}}
    assert authorizer["identitySource"] == "$request.header.Authorization"


def test_issuer_and_audience_have_no_default() -> None:
    assert "Default" not in template()["Parameters"]["JwtIssuer"]
    assert "Default" not in template()["Parameters"]["JwtAudience"]


def test_requests_are_throttled() -> None:
    limits = properties("ApiApiGatewayDefaultStage")["DefaultRouteSettings"]
    assert limits == {
        "ThrottlingRateLimit": {"Ref": "ThrottleRate"},
        "ThrottlingBurstLimit": {"Ref": "ThrottleBurst"},
    }


def test_by_default_no_other_web_page_may_call_the_api() -> None:
    default = template()["Parameters"]["CorsOrigins"]["Default"]
    assert default.endswith(".invalid")
    assert properties("Api")["Body"]["x-amazon-apigateway-cors"]["allowOrigins"] == default


@pytest.mark.parametrize("header", ["authorization", "if-none-match"])
def test_web_pages_may_send_the_headers_that_the_api_reads(header: str) -> None:
    assert header in properties("Api")["Body"]["x-amazon-apigateway-cors"]["allowHeaders"]


def test_the_stage_is_the_default_one_so_paths_have_no_prefix() -> None:
    assert properties("ApiApiGatewayDefaultStage")["StageName"] == "$default"
