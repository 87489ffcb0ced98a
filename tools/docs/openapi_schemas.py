"""The schemas of an OpenAPI document, as generators of clients understand them, and as they stay true for years.

Answers may gain fields and enumerations may gain values, so neither is closed here; the function itself refuses to send
a field that its contract does not have. A value that stands alone is an ``enum`` of one: ``const`` in a union breaks
generators.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

REFERENCE = "#/components/schemas/"
OPEN = "x-extensible-enum"


def schemas(answers: Sequence[type[BaseModel]], bodies: Sequence[type[BaseModel]]) -> dict[str, Any]:
    """Every model that is answered or asked for, by name."""
    models: Any = [*((model, "serialization") for model in answers), *((model, "validation") for model in bodies)]
    _, schema = models_json_schema(models, ref_template=f"{REFERENCE}{{model}}")
    closed = {model.__name__ for model in bodies}
    return {name: _readable(found, answer=name not in closed) for name, found in schema["$defs"].items()}


def reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"{REFERENCE}{model.__name__}"}


def _readable(schema: dict[str, Any], *, answer: bool) -> dict[str, Any]:
    """A schema without what trips generators, its own title kept."""
    readable: dict[str, Any] = _rewritten(schema, answer=answer)
    return {"title": schema["title"], **readable} if "title" in schema else readable


def _rewritten(found: Any, *, answer: bool) -> Any:
    if isinstance(found, list):
        return [_rewritten(part, answer=answer) for part in found]
    if not isinstance(found, dict):
        return found
    rewritten = {
        name: {field: _rewritten(inner, answer=answer) for field, inner in part.items()}
        if name == "properties"  # a field may be called title
        else _rewritten(part, answer=answer)
        for name, part in found.items()
        if name not in ("title", "const", "enum") and not (answer and (name, part) == ("additionalProperties", False))
    }
    values = found.get("enum") or ([found["const"]] if "const" in found else [])
    if values:
        several = answer and len(values) > 1
        rewritten[OPEN if several else "enum"] = values
    return rewritten
