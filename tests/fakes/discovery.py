"""Checks requests and answers with Google's own description of the Sheets API."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import unquote

_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "array": list,
    "object": dict,
}


@dataclass(frozen=True)
class Method:
    """One method of the API, with the path parameters of a request."""

    id: str
    spec: Mapping[str, Any]
    path_parameters: Mapping[str, str]


@cache
def document() -> dict[str, Any]:
    folder = files("googleapiclient.discovery_cache.documents")
    return dict(json.loads((folder / "sheets.v4.json").read_text(encoding="utf-8")))


def method_for(verb: str, path: str) -> Method | None:
    """The method of a verb and a path."""
    for spec in _methods(document()):
        pattern = re.escape(spec["flatPath"]).replace(r"\{", "{").replace(r"\}", "}")
        match = re.fullmatch("/" + re.sub(r"{(\w+)}", r"(?P<\1>[^/:]+)", pattern), path)
        if match and spec["httpMethod"] == verb:
            return Method(spec["id"], spec, {name: unquote(value) for name, value in match.groupdict().items()})
    return None


def fault_of_query(method: Method, query: Mapping[str, list[str]]) -> str | None:
    """What is wrong with the parameters of a request; None if they are as described."""
    known = {**document()["parameters"], **method.spec["parameters"]}
    for name, values in query.items():
        if name not in known:
            return f"unknown parameter {name}"
        if len(values) > 1 and not known[name].get("repeated"):
            return f"parameter {name} is repeated"
        if "enum" in known[name] and not set(values) <= set(known[name]["enum"]):
            return f"parameter {name} can't be {values}"
    return None


def fault_of(value: Any, schema: Mapping[str, Any], path: str = "body") -> str | None:
    """What is wrong with a value by its schema; None if it is as described."""
    if "$ref" in schema:
        return fault_of(value, {"type": "object", **document()["schemas"][schema["$ref"]]}, path)
    kind = schema["type"]
    if kind == "any":
        return None
    if not _is(value, kind):
        return f"{path} is no {kind}: {value!r}"
    if "enum" in schema and value not in schema["enum"]:
        return f"{path} can't be {value!r}"
    if kind == "array":
        items = (fault_of(item, schema["items"], f"{path}[{index}]") for index, item in enumerate(value))
        return next(filter(None, items), None)
    if kind == "object":
        return next(filter(None, (_member(name, member, schema, path) for name, member in value.items())), None)
    return None


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, _TYPES[kind]) and not (isinstance(value, bool) and kind in ("integer", "number"))


def _member(name: str, member: Any, schema: Mapping[str, Any], path: str) -> str | None:
    described = schema.get("properties", {}).get(name) or schema.get("additionalProperties")
    return fault_of(member, described, f"{path}.{name}") if described else f"{path} has no {name}"


def _methods(resource: Mapping[str, Any]) -> list[dict[str, Any]]:
    below = [method for inner in resource.get("resources", {}).values() for method in _methods(inner)]
    return [*resource.get("methods", {}).values(), *below]
