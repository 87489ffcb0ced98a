"""An HTTP API's OpenAPI body as the resources that API Gateway makes of it on import.

The emulator doesn't import bodies. The routes, scopes, authorizer and integration are read from the body that the
serverless transform made of template.yaml; what stays unproven is API Gateway's own reading of it.
"""

from __future__ import annotations

import copy
import re
from typing import Any

ANY_METHOD = "x-amazon-apigateway-any-method"


def with_explicit_routes(template: dict[str, Any]) -> dict[str, Any]:
    """The transformed template with the API's body replaced by explicit resources."""
    expanded = copy.deepcopy(template)
    resources = expanded["Resources"]
    body = resources["Api"]["Properties"].pop("Body")
    resources["Api"]["Properties"] = {"Name": "levels", "ProtocolType": "HTTP", "CorsConfiguration": _cors(body)}
    resources["Authorizer"] = _resource("Authorizer", _authorizer(body))
    resources["Integration"] = _resource("Integration", _integration(body))
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


def _integration(body: dict[str, Any]) -> dict[str, Any]:
    """The one integration that all operations name."""
    operations = [operation for methods in body["paths"].values() for operation in methods.values()]
    first, *others = [operation["x-amazon-apigateway-integration"] for operation in operations]
    assert all(other == first for other in others)
    return {
        "IntegrationType": "AWS_PROXY",
        "IntegrationUri": first["uri"],
        "PayloadFormatVersion": first["payloadFormatVersion"],
    }


def _route(key: str, operation: dict[str, Any]) -> dict[str, Any]:
    route = {"RouteKey": key, "Target": {"Fn::Sub": "integrations/${Integration}"}}
    (security,) = operation["security"]
    if "Tokens" in security:
        scopes = security["Tokens"]
        route |= {"AuthorizationType": "JWT", "AuthorizerId": {"Ref": "Authorizer"}, "AuthorizationScopes": scopes}
    return route
