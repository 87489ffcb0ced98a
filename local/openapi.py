"""config/openapi.json, generated from the routes and models of the lookup function: ``python -m local.openapi``.

The resolver describes routes and answers. Added here: who may ask, every refusal, and examples that the handler gave.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

from functions.lookup import problems
from functions.lookup.api import api
from functions.lookup.contract import BatchRequest, ProblemAnswer
from functions.lookup.problems import Problem
from functions.lookup.routing import AGENCY, PUBLIC, Operation
from local.example import example_answer
from local.gateway import Request
from local.template import ROOT

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
    "get_health": Request("GET", "/healthz"),
    "get_own_view": Request("GET", "/v1/agencies/A-0042/level"),
    "get_history": Request("GET", "/v1/agencies/A-0042/history?limit=12"),
    "get_entitlements": Request("GET", "/v1/agencies/A-0042/benefits"),
    "get_entitlement": Request("GET", "/v1/agencies/A-0042/benefits/promotion"),
    "get_binding_slots": Request("GET", "/v1/agencies/A-0042/binding-slots"),
}

REFUSALS: tuple[Problem, ...] = (
    problems.BodyMalformed(),
    problems.CursorMalformed(),
    problems.NotThisAgency(),
    problems.AgencyUnknown("2026-10", "2026-11", date(2026, 12, 3)),
    problems.LevelUnknown(5),
    problems.BenefitUnknown(),
    problems.MonthUnknown("2026-10"),
    problems.CursorExpired(),
    problems.BodyNotJson(),
    problems.Invalid([{"in": "query", "pointer": "#/month", "detail": "String should match the pattern YYYY-MM"}]),
    problems.Unexpected(),
    problems.table_unavailable(),
)
ALWAYS = (problems.MonthUnknown, problems.Invalid, problems.Unavailable)


def document() -> dict[str, Any]:
    """The description of the API, an OpenAPI 3.1 document."""
    described: dict[str, Any] = json.loads(
        api.get_openapi_json_schema(
            title="MCN agency levels", version="1", openapi_version="3.1.0", description=DESCRIPTION
        )
    )
    for operation in api.operations:
        path = operation.rule.replace("<", "{").replace(">", "}")
        _complete(described["paths"][path][operation.method.lower()], operation)
    schemas = described["components"]["schemas"]
    for generated in ("HTTPValidationError", "ValidationError", "ResponseValidationError"):
        del schemas[generated]
    schemas |= _schemas_of(BatchRequest) | _schemas_of(ProblemAnswer)
    described["components"]["securitySchemes"] = {
        "token": {
            "type": "openIdConnect",
            "openIdConnectUrl": "https://issuer.example.invalid/.well-known/openid-configuration",
            "description": (
                "A JWT of the issuer that the stack was deployed with (the address here is invented), as bearer token. "
                f"Scope `{PUBLIC}`: cards, directory, ladder, benefits, publication. Scope `{AGENCY}`: an agency's own "
                "view; a token with a claim `agency_id` opens that agency's only."
            ),
        }
    }
    described["paths"] = dict(sorted(described["paths"].items()))
    return described


def _complete(described: dict[str, Any], operation: Operation) -> None:
    """Adds to an operation what the resolver does not know of it."""
    for parameter in described.get("parameters", ()):
        parameter["schema"] = _plain_schema(parameter["schema"])
    if operation.scope:
        described["security"] = [{"token": [operation.scope]}]
        described["tags"] = ["agency" if operation.scope == AGENCY else "public"]
    request = EXAMPLES[described["operationId"]]
    if request.body:
        schema = {"$ref": f"{REFERENCE}{BatchRequest.__name__}"}
        content = {"application/json": {"schema": schema, "example": json.loads(request.body)}}
        described["requestBody"] = {"required": True, "content": content}
    answer = described["responses"]["200"]
    answer["description"] = "The answer."
    answer["headers"] = _headers(operation.method == "GET")
    answer["content"]["application/json"]["example"] = example_answer(request).json()
    described["responses"] = {"200": answer} | dict(_refusals(operation))


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
        "content": {
            problems.CONTENT_TYPE: {"schema": {"$ref": f"{REFERENCE}{ProblemAnswer.__name__}"}, "examples": examples}
        },
    }


def _headers(tagged: bool) -> dict[str, Any]:
    named = {"X-Request-Id": "Names the request in our logs."}
    if tagged:
        named |= {
            "ETag": "Names these very bytes, for this caller.",
            "Cache-Control": "private, max-age=60",
        }
    return {name: {"description": text, "schema": {"type": "string"}} for name, text in sorted(named.items())}


def _plain_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter's schema without null, which nothing in a URL can be, and with whole numbers whole."""
    optional = [choice for choice in schema.pop("anyOf", ()) if choice != {"type": "null"}]
    described = {**schema, **(optional[0] if optional else {})}
    return {name: int(value) if isinstance(value, float) else value for name, value in described.items()}


def _schemas_of(model: type[BatchRequest | ProblemAnswer]) -> dict[str, Any]:
    schema = model.model_json_schema(ref_template=f"{REFERENCE}{{model}}")
    return {**schema.pop("$defs", {}), model.__name__: schema}


def text() -> str:
    """The document as it is committed."""
    return json.dumps(document(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
