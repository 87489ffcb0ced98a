"""Content addressing: one canonical text for a value, and the id computed from it."""

from __future__ import annotations

import json
from dataclasses import field, fields, is_dataclass
from hashlib import sha256
from typing import Any

ID_LENGTH = 20  # hex digits, 80 bits: no collision by chance, and short enough to read out on the phone
_ADDED_LATER = "added_later"


def added_later(default: Any) -> Any:
    """A dataclass field added after values were stored. Ids leave it out at its default, so they stay the same."""
    return field(default=default, metadata={_ADDED_LATER: True})


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces. Dataclasses become objects; a Decimal or a date becomes its text."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_plain)


def content_id(value: Any) -> str:
    """The id of a value: equal values have equal ids, on every machine and in every run."""
    return sha256(canonical_json(value).encode()).hexdigest()[:ID_LENGTH]


def not_content(value: Any) -> set[str]:
    """The fields of a dataclass that were added later and have their default. They are not stored."""
    return {f.name for f in fields(value) if f.metadata.get(_ADDED_LATER) and getattr(value, f.name) == f.default}


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        absent = not_content(value)
        return {f.name: getattr(value, f.name) for f in fields(value) if f.name not in absent}
    return str(value)
