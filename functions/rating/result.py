"""The answer of the rating function: one JSON object. Every outcome has the same keys; some add their own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from functions.rating.run.record import RunRecord
from shared.content import canonical_json

Outcome = Literal[
    "published",
    "unchanged",
    "held",
    "previewed",
    "checked",
    "refreshed",
    "pending",
    "rolled_back",
    "verified",
    "differs",
    "repaired",
    "not_ready",
    "measuring",
]


def result(
    outcome: Outcome,
    month: str,
    record: RunRecord | None = None,
    *,
    rulebook: str | None = None,
    faults: Sequence[Mapping[str, Any]] = (),
    report: str | None = None,
    **more: Any,
) -> dict[str, Any]:
    """The answer, ready for JSON. Counts come from the run's record; they are null without a run."""
    answer = {
        "outcome": outcome,
        "month": month,
        "run": record.run if record else None,
        "rulebook": rulebook or (record.rulebook if record else None),
        "agencies": record.agencies if record else None,
        "levels": record.levels if record else None,
        "moves": record.moves if record else None,
        "faults": list(faults),
        "report": report,
        **more,
    }
    return dict(json.loads(canonical_json(answer)))
