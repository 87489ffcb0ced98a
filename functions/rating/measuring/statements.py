"""The measuring SQL: its text, the values of its names in one month, and its single statements."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import resources
from string import Template
from zoneinfo import ZoneInfo

from functions.rating.measuring.measured import OTHER_TAGS, TAGS_NAMED
from shared.levels import ASSESSED_POWER
from shared.months import Month


def template(package: str | None, name: str) -> Template:
    """An SQL file of a package, which may lie in a zip."""
    return Template((resources.files(package or "") / f"{name}.sql").read_text(encoding="utf-8"))


BINDINGS = template(__package__, "bindings")


def meant_by(month: Month, zone: ZoneInfo) -> Mapping[str, object]:
    """The values of the names in the SQL that every engine runs."""
    start, end = bounds(month, zone)
    return {
        "widths": ", ".join(f"({1 << level})" for level in range(32)),
        "tags_named": TAGS_NAMED,
        "other_tags": OTHER_TAGS,
        "month_start": start,
        "month_end": end,
        "assessed_power": ASSESSED_POWER.start,
    }


def bounds(month: Month, zone: ZoneInfo) -> tuple[int, int]:
    """A month's first instant and the first instant after it, in epoch microseconds."""
    return _microseconds(month.start(zone).timestamp()), _microseconds(month.end(zone).timestamp())


def statements(sql: str) -> list[str]:
    """The statements of a text, without comment lines."""
    text = re.sub(r"(?m)^--.*\n", "", sql)
    return [statement.strip() for statement in re.split(r";\s*(?:\n|$)", text) if statement.strip()]


def _microseconds(seconds: float) -> int:
    return int(seconds) * 1_000_000
