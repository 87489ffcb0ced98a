"""Rewrites the transformed template for the emulator.

The emulator does not read the OpenAPI body of an HTTP API. Here the body becomes the resources that API Gateway makes
from it, so routes, scopes, authorizer and integration are those of template.yaml. API Gateway's own reading of the body
is not tested.
"""

from __future__ import annotations

import copy
import re
from typing import Any

ANY_METHOD = "x-amazon-apigateway-any-method"
SPLIT = {"WorkbookInS3": True, "WorkbookInGoogle": False}
"""Conditions with Fn::Split, which the emulator does not know, and their values: these tests have a workbook in S3."""


def for_emulator(template: dict[str, Any]) -> dict[str, Any]:
    """The template with the API's body as explicit resources."""
    expanded = copy.deepcopy(template)
    resources = expanded["Resources"]
    conditions = expanded["Conditions"]
    assert SPLIT.keys() == {name for name, condition in conditions.items() if "Fn::Split" in str(condition)}
    for name, holds in SPLIT.items():
        conditions[name] = {"Fn::Equals": ["yes", "yes" if holds else "no"]}
    body = resources["Api"]["Properties"].pop("Body")
    body["paths"] = {path: found["Fn::If"][1] if "Fn::If" in found else found for path, found in body["paths"].items()}
    resources["Api"]["Properties"] = {"Name": "levels", "ProtocolType": "HTTP", "CorsConfiguration": _cors(body)}
    resources["Authorizer"] = _resource("Authorizer", _authorizer(body))
    for name, integration in _integrations(body).items():
        resources[name] = _resource("Integration", integration)
    for path, methods in body["paths"].items():
        for method, operation in methods.items():
            key = "$default" if path == "/$default" else f"{_verb(method)} {path}"
            resources["Route" + re.sub(r"\W|_", "", key.title())] = _resource("Route", _route(key, operation))
    return expanded


def _resource(kind: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {"Type": f"AWS::ApiGatewayV2::{kind}", "Properties": {"ApiId": {"Ref": "Api"}, **properties}}


def _verb(method: str) -> str:
    return "ANY" if method == ANY_METHOD else method.upper()


def _cors(body: dict[str, Any]) -> dict[str, Any]:
    configured = body["x-amazon-apigateway-cors"]
    origins = configured["allowOrigins"]  # the transform inlines the parameter, here as its text
    return {
        "AllowOrigins": origins.split(",") if isinstance(origins, str) else origins,
        "AllowMethods": configured["allowMethods"],
        "AllowHeaders": configured["allowHeaders"],
    }


def _authorizer(body: dict[str, Any]) -> dict[str, Any]:
    configured = body["components"]["securitySchemes"]["Tokens"]["x-amazon-apigateway-authorizer"]
    tokens = configured["jwtConfiguration"]
    return {
        "Name": "Tokens",
        "AuthorizerType": "JWT",
        "IdentitySource": [configured["identitySource"]],
        "JwtConfiguration": {"Audience": tokens["audience"], "Issuer": tokens["issuer"]},
    }


def _integrations(body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """An integration for each function that operations use, by its logical id."""
    operations = [operation for methods in body["paths"].values() for operation in methods.values()]
    found = [operation["x-amazon-apigateway-integration"] for operation in operations]
    return {
        _integration_of(one): {
            "IntegrationType": "AWS_PROXY",
            "IntegrationUri": {"Fn::Sub": _as_text(one["uri"]["Fn::Sub"])},
            "PayloadFormatVersion": one["payloadFormatVersion"],
        }
        for one in found
    }


def _integration_of(integration: dict[str, Any]) -> str:
    function = re.search(r"(Lookup|Operations)Function", _as_text(integration["uri"]["Fn::Sub"]))
    assert function, integration
    return f"{function[1]}Integration"


def _as_text(substituted: str | list[Any]) -> str:
    """The text of an Fn::Sub whose own variables, which are references, are replaced by these."""
    if isinstance(substituted, str):
        return substituted
    text, variables = substituted
    for name, value in variables.items():
        text = text.replace("${" + name + "}", "${" + value["Ref"] + "}")
    return str(text)


def _route(key: str, operation: dict[str, Any]) -> dict[str, Any]:
    route = {
        "RouteKey": key,
        "Target": {"Fn::Sub": f"integrations/${{{_integration_of(operation['x-amazon-apigateway-integration'])}}}"},
    }
    (security,) = operation["security"]
    if "Tokens" in security:
        scopes = security["Tokens"]
        route |= {"AuthorizationType": "JWT", "AuthorizerId": {"Ref": "Authorizer"}, "AuthorizationScopes": scopes}
    return route
