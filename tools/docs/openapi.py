"""config/openapi.json, generated from the routes and models of the lookup function: ``python -m tools.docs.openapi``.

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

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema

from functions.lookup import problems
from functions.lookup.api import api
from functions.lookup.authorization import AGENCY, PUBLIC
from functions.lookup.contract import ProblemAnswer
from functions.lookup.problems import Problem
from functions.lookup.routing import Operation
from functions.lookup.sizes import BODY_BYTES
from local.cloud.front import local_claims
from local.cloud.gateway import Request
from local.cloud.template import ROOT
from tools.docs.example import example_answer

PATH = ROOT / "config" / "openapi.json"
REFERENCE = "#/components/schemas/"

DESCRIPTION = """Levels (机构等级) and benefits (权益) of MCN agencies, renewed on the 3rd of every month.

Answers are of one publication: the newest, or that of `?month=YYYY-MM`. Money is yuan text with two decimals, times are
Asia/Shanghai, ids are text. Every 200 to GET carries an `ETag`: send it back in `If-None-Match` for a 304 while nothing
has changed. HEAD is answered wherever GET is. `X-Request-Id` names a request in our logs. Refusals are problem+json
(RFC 9457) in English and Chinese. All names and numbers in the examples are invented."""

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
TOKEN = {
    "type": "openIdConnect",
    "openIdConnectUrl": "https://issuer.example.invalid/.well-known/openid-configuration",
    "description": (
        "A JWT of the issuer that the stack was deployed with (the address here is invented), as bearer token. "
        f"Scope `{PUBLIC}`: cards, directory, ladder, benefits, publication. Scope `{AGENCY}`: an agency's own view; a "
        "token with a claim `agency_id` opens that agency's only."
    ),
}
ALWAYS = (problems.MonthUnknown, problems.Invalid, problems.Unavailable)


def document() -> dict[str, Any]:
    """The description of the API, an OpenAPI 3.1 document."""
    paths: dict[str, Any] = defaultdict(dict)
    for operation in sorted(api.operations, key=lambda operation: operation.rule):
        path = operation.rule.replace("<", "{").replace(">", "}")
        paths[path][operation.method.lower()] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "MCN agency levels", "version": "1", "description": DESCRIPTION},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": _schemas(), "securitySchemes": {"token": TOKEN}},
    }


def _described(operation: Operation) -> dict[str, Any]:
    """One operation: what it takes, what it answers, and how it refuses."""
    summary, _, description = operation.about.partition("\n\n")
    described: dict[str, Any] = {"operationId": operation.name, "summary": summary.removesuffix(".")}
    if description:
        described["description"] = " ".join(description.split())
    if operation.scope:
        described["tags"] = ["agency" if operation.scope == AGENCY else "public"]
        described["security"] = [{"token": [operation.scope]}]
    described["parameters"] = [*_path_parameters(operation), *_query_parameters(operation)]
    request = EXAMPLES[operation.name]
    if body := operation.body:
        content = {"application/json": {"schema": _reference(body), "example": json.loads(request.body)}}
        described["requestBody"] = {"required": True, "content": content}
    answer = {
        "schema": _reference(operation.answer),
        "example": example_answer(replace(request, claims=local_claims("*"))).json(),
    }
    described["responses"] = {
        "200": {
            "description": "The answer.",
            "headers": _headers(tagged=operation.method == "GET"),
            "content": {"application/json": answer},
        }
    } | dict(_refusals(operation))
    return described


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


def _schemas() -> dict[str, Any]:
    """Every model that is asked for or answered."""
    answers = [(operation.answer, "serialization") for operation in api.operations]
    bodies = [(operation.body, "validation") for operation in api.operations if operation.body]
    models: Any = [*answers, *bodies, (ProblemAnswer, "serialization")]
    _, schema = models_json_schema(models, ref_template=f"{REFERENCE}{{model}}")
    definitions: dict[str, Any] = schema["$defs"]
    return definitions


def _reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"{REFERENCE}{model.__name__}"}


def _refusals(operation: Operation) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every other answer to an operation, by status."""
    if operation.method == "GET":
        yield "304", {"description": "The caller's copy is still right.", "headers": _headers(tagged=True)}
    if operation.scope:
        yield "401", {"description": "No token, or one that is not valid. Made by the gateway."}
    possible = {*operation.problems, *(ALWAYS if operation.scope else ()), problems.Unexpected}
    by_status: dict[int, list[Problem]] = {}
    for refusal in REFUSALS:
        if type(refusal) in possible:
            by_status.setdefault(refusal.status.value, []).append(refusal)
    for status, refusals in sorted(by_status.items()):
        yield str(status), _problem(refusals)
    if operation.scope and problems.NotThisAgency not in possible:
        yield "403", {"description": "The token lacks the scope. Made by the gateway."}
    if operation.scope:
        yield "429", {"description": "Too many requests. Made by the gateway."}


def _problem(refusals: list[Problem]) -> dict[str, Any]:
    examples = {refusal.code: {"value": json.loads(refusal.response().body or "")} for refusal in refusals}
    return {
        "description": "; ".join(refusal.title for refusal in refusals) + ".",
        "headers": {
            name: {"schema": {"type": "string"}, "example": value}
            for name, value in refusals[0].headers.items()
            if name == "Retry-After"
        },
        "content": {problems.CONTENT_TYPE: {"schema": _reference(ProblemAnswer), "examples": examples}},
    }


def _headers(tagged: bool) -> dict[str, Any]:
    named = {"X-Request-Id": "Names the request in our logs."}
    if tagged:
        named |= {
            "ETag": "Names these very bytes, for this caller.",
            "Cache-Control": "private, max-age=60",
        }
    return {name: {"description": text, "schema": {"type": "string"}} for name, text in sorted(named.items())}


def text() -> str:
    """The document as it is committed."""
    return json.dumps(document(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
