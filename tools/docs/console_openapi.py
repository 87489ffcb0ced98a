"""config/openapi-operations.json, the API of the console's function: ``make docs``.

It is separate from config/openapi.json, because developers of other clients don't need it. Paths and models come from
the function's routes; its refusals are added here.
"""

from __future__ import annotations

import inspect
import json
from typing import Any

from pydantic.json_schema import models_json_schema

from functions.operations import problems
from functions.operations.api import SCOPE, app
from functions.operations.contract import ProblemAnswer
from functions.operations.problems import Problem
from local.cloud.template import ROOT

PATH = ROOT / "config" / "openapi-operations.json"
REFERENCE = "#/components/schemas/"
DESCRIPTION = """The API of the console: what operations read, ask for and decide. Every request needs a token with the
scope `levels.operate`.

A POST is answered 202 with a ticket. The rating function does the work; GET the path in `poll` for its result. A
decision contains the pointer of the page on which it was made; it is refused (409) if something was published since.
The ledger gets the name in the token."""
BY_GATEWAY = {
    "401": "No token, or one that is not valid. Made by the gateway.",
    "403": "The token lacks the scope (made by the gateway), or has no name of a person.",
    "429": "Too many requests. Made by the gateway.",
}


def document() -> dict[str, Any]:
    """The description of the console's function, an OpenAPI 3.1 document."""
    routed = json.loads(app.get_openapi_json_schema())
    paths = {
        path: {method: _described(path, method, operation) for method, operation in sorted(methods.items())}
        for path, methods in sorted(routed["paths"].items())
    }
    _, problem = models_json_schema([(ProblemAnswer, "serialization")], ref_template=f"{REFERENCE}{{model}}")
    schemas = {**routed["components"]["schemas"], **problem["$defs"]}
    named = {name: schema for name, schema in sorted(schemas.items()) if not name.endswith("ValidationError")}
    token = {
        "type": "openIdConnect",
        "openIdConnectUrl": "https://issuer.example.invalid/.well-known/openid-configuration",
        "description": f"A JWT of the issuer that the stack was deployed with, with the scope `{SCOPE}`.",
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "MCN agency levels: operations", "version": "1", "description": DESCRIPTION},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": named, "securitySchemes": {"token": token}},
    }


def _described(path: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
    handler = _handler(path, method)
    summary, _, description = inspect.getdoc(handler).partition("\n\n")  # type: ignore[union-attr]
    described: dict[str, Any] = {
        "operationId": handler.__name__,
        "summary": " ".join(summary.split()).removesuffix("."),
        "tags": ["operations"],
        "security": [{"token": [SCOPE]}],
    }
    if description:
        described["description"] = " ".join(description.split())
    described |= {part: operation[part] for part in ("parameters", "requestBody") if part in operation}
    answer = operation["responses"]["200"]["content"]
    done = {"200": "The answer."} if method == "get" else {"202": "Sent; `poll` of the ticket will have the result."}
    responses: dict[str, Any] = {status: {"description": text, "content": answer} for status, text in done.items()}
    responses |= {status: {"description": text} for status, text in BY_GATEWAY.items()}
    responses |= {str(kind.status.value): _problem(kind) for kind in _refusals(path, method)}
    return described | {"responses": dict(sorted(responses.items()))}


def _handler(path: str, method: str) -> Any:
    """The function behind an operation, whose docstring describes it."""
    rule = path.replace("{", "<").replace("}", ">")
    (route,) = [r for r in (*app._static_routes, *app._dynamic_routes) if r.path == rule and r.method == method.upper()]
    return route.func


def _refusals(path: str, method: str) -> list[type[Problem]]:
    found = [problems.Invalid, problems.Unavailable, problems.Unexpected, problems.RouteUnknown]
    if "{" in path:
        found.append(problems.TicketUnknown if "ticket" in path else problems.RunUnknown)
    return [*found, problems.Malformed, problems.BodyNotJson, problems.Stale] if method == "post" else found


def _problem(kind: type[Problem]) -> dict[str, Any]:
    content = {problems.CONTENT_TYPE: {"schema": {"$ref": f"{REFERENCE}{ProblemAnswer.__name__}"}}}
    return {"description": f"{kind.title}.", "content": content}


def text() -> str:
    """The document as it is committed."""
    return json.dumps(document(), ensure_ascii=False, indent=1) + "\n"
