"""config/openapi.json, generated from the routes and models of the lookup function: ``make docs``.

Parameters, bodies and answers are the contract's models; examples are what the handler answers in the example world.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

from pydantic import TypeAdapter

from functions.lookup import problems
from functions.lookup.api import api
from functions.lookup.authorization import AGENCY, ANY_AGENCY, PUBLIC
from functions.lookup.contract import GatewayMessage, ProblemAnswer
from functions.lookup.problems import Problem
from functions.lookup.routing import Operation
from functions.lookup.sizes import BODY_BYTES
from local.cloud.front import local_claims
from local.cloud.gateway import Request
from local.cloud.template import ROOT
from tools.docs.example import example_answer
from tools.docs.openapi_schemas import reference, schemas

PATH = ROOT / "config" / "openapi.json"
SERVER = "https://levels.example.invalid"
TAGS = {
    "public": "For creators and merchants: level and basic information.",
    "agency": "Only for the agency itself: reasons, gaps, history, entitlements.",
    "health": "For monitoring.",
}
# The answers that the gateway gives without calling the function, as {"message": …}.
GATEWAY = {
    401: "Unauthorized",
    403: "Forbidden",
    413: "Request Too Large",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The `ETag` of the caller's copy. The answer is 304 while that copy is up to date.",
    "schema": {"type": "string"},
}

DESCRIPTION = """Levels (机构等级) and benefits (权益) of MCN agencies, renewed on the 3rd of every month.

Each answer comes from one publication: the newest, or that of `?month=YYYY-MM`. Money is text in yuan with two
decimals, times are Asia/Shanghai, ids are text. Every 200 to GET has an `ETag`: send it in `If-None-Match`, and the
answer is 304 while nothing has changed. HEAD works wherever GET does. `X-Request-Id` identifies a request in our logs.
Refusals are problem+json (RFC 9457) in English and Chinese; a refusal by the gateway itself has only `message`. New
fields of answers and new values of enumerations (`x-extensible-enum`) may be added without notice: ignore those that
you do not know.

All names and numbers in the examples are invented."""

EXAMPLES: dict[str, Request] = {
    "get_card": Request("GET", "/v1/agencies/A-0042"),
    "post_batch": Request("POST", "/v1/agencies/batch", body=b'{"agency_ids":["A-0042","A-0007","A-9999"]}'),
    "get_directory": Request("GET", "/v1/agencies?level=3&limit=50"),
    "get_ladder": Request("GET", "/v1/levels"),
    "get_level": Request("GET", "/v1/levels/3"),
    "get_catalogue": Request("GET", "/v1/benefits"),
    "get_benefit": Request("GET", "/v1/benefits/training_seats"),
    "get_publication": Request("GET", "/v1/publication"),
    "get_publications": Request("GET", "/v1/publications"),
    "get_health": Request("GET", "/healthz"),
    "get_own_view": Request("GET", "/v1/agencies/A-0042/level"),
    "get_history": Request("GET", "/v1/agencies/A-0042/history?limit=12"),
    "get_entitlements": Request("GET", "/v1/agencies/A-0042/benefits"),
    "get_entitlement": Request("GET", "/v1/agencies/A-0042/benefits/promotion"),
    "get_binding_slots": Request("GET", "/v1/agencies/A-0042/binding-slots"),
}

INVALID: problems.Fault = {
    "in": "query",
    "code": "not-a-month",
    "pointer": "#/month",
    "detail": "Expected a month as YYYY-MM, such as 2026-10.",
    "detail_zh": "须为 YYYY-MM 形式的月份，例如 2026-10。",
}
REFUSALS: tuple[Problem, ...] = (
    problems.BodyMalformed(),
    problems.CursorMalformed(),
    problems.NotAuthorized(),
    problems.ScopeMissing(AGENCY),
    problems.NotThisAgency(),
    problems.AgencyUnknown("2026-10", "2026-11", date(2026, 12, 3)),
    problems.LevelUnknown(5),
    problems.BenefitUnknown(),
    problems.MonthUnknown("2026-10"),
    problems.CursorExpired(),
    problems.BodyTooLarge(BODY_BYTES),
    problems.BodyNotJson(),
    problems.Invalid([INVALID]),
    problems.Unexpected(),
    problems.table_unavailable(),
)
ISSUER = "https://issuer.example.invalid"
SCOPES = {
    PUBLIC: "Cards, directory, ladder, benefits, publications.",
    AGENCY: "The own view of the agency in the token's claim agency_id.",
    ANY_AGENCY: "The own view of any agency.",
}
TOKEN = {
    "type": "oauth2",
    "description": (
        "A JWT of the issuer that the stack was deployed with (the addresses here are invented), as bearer token. With "
        "an agency's id in the claim `agency_id` it may read only that agency's own view; with `*`, every own view."
    ),
    "flows": {
        "clientCredentials": {"tokenUrl": f"{ISSUER}/token", "scopes": SCOPES},
        "authorizationCode": {
            "authorizationUrl": f"{ISSUER}/authorize",
            "tokenUrl": f"{ISSUER}/token",
            "scopes": SCOPES,
        },
    },
}


def document() -> dict[str, Any]:
    """The description of the API, an OpenAPI 3.1 document."""
    paths: dict[str, Any] = defaultdict(dict)
    for operation in sorted(api.operations, key=lambda operation: operation.rule):
        path = operation.rule.replace("<", "{").replace(">", "}")
        paths[path][operation.method.lower()] = _described(operation)
    answers = [operation.answer for operation in api.operations]
    bodies = [operation.body for operation in api.operations if operation.body]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "MCN agency levels",
            "version": "1",
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "contact": {"name": "The team that runs your stack", "url": SERVER},
        },
        "servers": [{"url": SERVER, "description": "Invented. The address of your stack is its output ApiUrl."}],
        "tags": [{"name": name, "description": about} for name, about in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": schemas([*answers, ProblemAnswer, GatewayMessage], bodies),
            "securitySchemes": {"token": TOKEN},
        },
    }


def _described(operation: Operation) -> dict[str, Any]:
    """One operation: what it takes, what it answers, and how it refuses."""
    summary, _, description = operation.about.partition("\n\n")
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": summary.removesuffix("."),
        "description": " ".join(description.split()) or summary,
        "tags": [_tag(operation)],
        "security": [{"token": [scope]} for scope in _scopes(operation)],
        "parameters": [*_path_parameters(operation), *_query_parameters(operation)],
    }
    if operation.method == "GET":
        described["parameters"].append(IF_NONE_MATCH)
    request = EXAMPLES[operation.name]
    if body := operation.body:
        content = {"application/json": {"schema": reference(body), "example": json.loads(request.body)}}
        described["requestBody"] = {"required": True, "content": content}
    answer = {
        "schema": reference(operation.answer),
        "example": example_answer(replace(request, claims=local_claims("*"))).json(),
    }
    described["responses"] = {
        "200": {
            "description": "The answer.",
            "headers": _headers(tagged=operation.method == "GET"),
            "content": {"application/json": answer},
        }
    } | dict(_other_answers(operation))
    return described


def _tag(operation: Operation) -> str:
    return {PUBLIC: "public", AGENCY: "agency", None: "health"}[operation.scope]


def _scopes(operation: Operation) -> list[str]:
    """A token needs one of these; none is needed where there are none."""
    return {PUBLIC: [PUBLIC], AGENCY: [AGENCY, ANY_AGENCY], None: []}[operation.scope]


def _path_parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    for name in re.findall(r"<(\w+)>", operation.rule):
        schema = TypeAdapter(operation.takes[name]).json_schema()
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _query_parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    schema = operation.asked.model_json_schema() if operation.asked else {"properties": {}}
    for name, described in sorted(schema["properties"].items()):
        required = name in schema.get("required", ())
        yield {"name": name, "in": "query", "required": required, "schema": _without_null(described)}


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A query parameter's schema: optional ones are left out, nothing in a URL is null."""
    described = {name: value for name, value in schema.items() if name not in ("anyOf", "title")}
    if described.get("default", ...) is None:
        del described["default"]
    for choice in schema.get("anyOf", ()):
        described |= choice if choice != {"type": "null"} else {}
    return described


def _other_answers(operation: Operation) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every other answer to an operation, by status: the function's problems, and what the gateway says by itself."""
    if operation.method == "GET":
        yield "304", {"description": "The caller's copy is up to date.", "headers": _headers(tagged=True)}
    always = (
        problems.NotAuthorized,
        problems.ScopeMissing,
        problems.MonthUnknown,
        problems.Invalid,
        problems.Unavailable,
    )
    possible = {*operation.problems, *(always if operation.scope else ()), problems.Unexpected}
    by_status: dict[int, list[Problem]] = {}
    for refusal in REFUSALS:
        if type(refusal) in possible:
            by_status.setdefault(refusal.status.value, []).append(refusal)
    by_gateway = {status: message for status, message in GATEWAY.items() if operation.scope or status >= 429}
    for status in sorted(by_status.keys() | by_gateway.keys()):
        yield str(status), _refused(by_status.get(status, []), by_gateway.get(status))


def _refused(refusals: list[Problem], message: str | None) -> dict[str, Any]:
    said = [refusal.title for refusal in refusals] + ([f"{message} (made by the gateway)"] if message else [])
    content: dict[str, Any] = {}
    if refusals:
        examples = {refusal.code: {"value": json.loads(refusal.response().body or "")} for refusal in refusals}
        content[problems.CONTENT_TYPE] = {"schema": reference(ProblemAnswer), "examples": examples}
    if message:
        content["application/json"] = {"schema": reference(GatewayMessage), "example": {"message": message}}
    described: dict[str, Any] = {"description": "; ".join(said) + ".", "content": content}
    if any("Retry-After" in refusal.headers for refusal in refusals):
        wait = {"description": "Seconds to wait before the next try.", "schema": {"type": "integer"}, "example": 30}
        described["headers"] = {"Retry-After": wait}
    return described


def _headers(tagged: bool) -> dict[str, Any]:
    named = {"X-Request-Id": "Identifies the request in our logs."}
    if tagged:
        named |= {
            "ETag": "Identifies the bytes of this answer to this caller.",
            "Cache-Control": "private, max-age=60",
        }
    return {name: {"description": text, "schema": {"type": "string"}} for name, text in sorted(named.items())}


def text() -> str:
    """The document as it is committed."""
    return json.dumps(document(), ensure_ascii=False, indent=1) + "\n"
