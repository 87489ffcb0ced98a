"""Reads template.yaml for the emulated cloud: the table, and the routes of the API."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
LOOKUP, OPERATIONS = "LookupFunction", "OperationsFunction"


@dataclass(frozen=True, slots=True)
class Route:
    """One route of the HTTP API. ``method`` may be ANY; ``path`` may contain ``{names}`` or be ``$default``.

    ``open``: no token is needed. ``scopes``: a token needs one of them. ``function``: the resource behind the route.
    """

    method: str
    path: str
    open: bool
    scopes: tuple[str, ...] = ()
    function: str = LOOKUP

    @property
    def key(self) -> str:
        """The route's name in events (``routeKey``)."""
        return self.path if self.path == "$default" else f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class TableDefinition:
    """The arguments of DynamoDB's CreateTable and UpdateTimeToLive."""

    create: dict[str, Any]
    expiry: Any


def table_definition() -> TableDefinition:
    """The table's keys, billing and expiry, without its name."""
    properties = _template()["Resources"]["Table"]["Properties"]
    create = {name: properties[name] for name in ("AttributeDefinitions", "KeySchema", "BillingMode")}
    return TableDefinition(create, properties["TimeToLiveSpecification"])


@cache
def cors() -> dict[str, str]:
    """The CORS headers of the API, without the origin."""
    declared = _template()["Resources"]["Api"]["Properties"]["CorsConfiguration"]
    return {
        "access-control-allow-methods": ",".join(declared["AllowMethods"]),
        "access-control-allow-headers": ",".join(declared["AllowHeaders"]),
        "access-control-expose-headers": ",".join(declared["ExposeHeaders"]),
        "access-control-max-age": str(declared["MaxAge"]),
    }


@cache
def api_routes() -> tuple[Route, ...]:
    """Every route of the API, of every function."""
    routes = (route for function in (LOOKUP, OPERATIONS) for route in _routes(function))
    return (*routes, *_open_routes(_template()["Resources"]["Api"]["Properties"]["DefinitionBody"]["paths"]))


def _routes(function: str) -> Iterator[Route]:
    for event in _template()["Resources"].get(function, {}).get("Properties", {}).get("Events", {}).values():
        if event["Type"] == "HttpApi":
            properties = event["Properties"]
            auth = properties.get("Auth", {})
            scopes = tuple(auth.get("AuthorizationScopes", ()))
            yield Route(
                properties["Method"].upper(), properties["Path"], auth.get("Authorizer") == "NONE", scopes, function
            )


def _open_routes(paths: dict[str, Any]) -> Iterator[Route]:
    """The routes without a token, from the API's body; a parameter can remove them."""
    for path, conditional in paths.items():
        _condition, methods, _nothing = conditional["Fn::If"]
        for method in methods:
            verb = "ANY" if method == "x-amazon-apigateway-any-method" else method.upper()
            yield Route(verb, path.removeprefix("/") if path == "/$default" else path, open=True)


@cache
def _template() -> dict[str, Any]:
    template: dict[str, Any] = _Loader((ROOT / "template.yaml").read_text("utf-8")).get_single_data()
    return template


class _Loader(yaml.CSafeLoader):
    """Reads CloudFormation's short forms (``!Ref`` and others) as plain values. In C: ten times as fast."""


def _plain(loader: _Loader, _tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    raise TypeError(f"unknown kind of YAML node: {node!r}")


_Loader.add_multi_constructor("!", _plain)
