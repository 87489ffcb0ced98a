"""A run's report as the console shows it: amounts as text for people, the most important first. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log
from typing import Any
from urllib.parse import quote

from shared.bilingual import each_language
from shared.levels import Measure
from shared.money import yuan
from shared.tickets import by_fall

SHOWN_MOVERS = 2000

Json = Mapping[str, Any]


def report(document: Json) -> dict[str, Any]:
    """A report.json as the contract's Report, without what changes over time: pointer, standing and ledger."""
    record, moves = document["record"], document["moves"]
    amounts = Amounts(moves["metrics"])
    compared = record["compared_with"]
    return {
        "run": record["run"],
        "month": record["month"],
        "preview": document["preview"],
        "rulebook": record["rulebook"],
        "compared_with_month": compared["month"] if compared else None,
        "compared_with_run": compared["run"] if compared else None,
        "agencies": record["agencies"],
        "levels": record["levels"],
        "moves": record["moves"],
        "order_rows": record["quality"]["order_rows"],
        "held_because": _both(document["held_because"]),
        "guardrails": record["guardrails"],
        "level_names": document["level_names"],
        **_moves(moves),
        "distributions": [_distribution(one, amounts) for one in document["distributions"]],
        "faults": document["faults"],
        "changes": document.get("changes", []),
        "data_warnings": document.get("data_warnings", []),
        "retention_assessed": document.get("retention_assessed", True),
    }


def month_to_come(found: Json) -> dict[str, Any]:
    """What the rules of a month to come would do, as the contract's MonthToCome."""
    return {**found, **_moves(found)}


def _moves(moves: Json) -> dict[str, Any]:
    """Who goes from where to where, and why; those who fall most come first."""
    amounts = Amounts(moves["metrics"])
    return {
        "metrics": [{"metric": m["key"], "name": m["name"], "unit": m["unit"]} for m in moves["metrics"].values()],
        "matrix": [{"before": c["from"], "after": c["to"], "agencies": c["agencies"]} for c in moves["matrix"]],
        "movers": [_mover(mover, amounts) for mover in sorted(moves["movers"], key=by_fall)[:SHOWN_MOVERS]],
        "moving": moves.get("moving", len(moves["movers"])),
    }


def ledger_line(line: Json) -> dict[str, Any]:
    """A line of the ledger; what the system held has no reason of a person, but a sentence in both languages."""
    held = line["action"] == "held" and line["reason"]
    return {**line, "reason": None, "because": _both(line["reason"])} if held else dict(line)


def _both(text: str | Json | None) -> Json | None:
    """A text in both languages; earlier releases kept it as one string."""
    return each_language(text) if isinstance(text, str) else text


class Amounts:
    """A metric's values as text: yuan for money, whole numbers for creators."""

    def __init__(self, metrics: Json) -> None:
        self._money = {key for key, metric in metrics.items() if metric["measure"] == Measure.PAID_GMV}

    def __call__(self, metric: str, value: int) -> int | str:
        return yuan(value) if metric in self._money else value


def linked(found: Sequence[Json], addresses: Mapping[str, str]) -> list[dict[str, Any]]:
    """Faults or changes with a link to their cell, or to their tab if there is no cell."""
    return [{**one, "link": _link(one, addresses)} for one in found]


def _link(one: Json, addresses: Mapping[str, str]) -> str | None:
    address = addresses.get(one["tab"])
    return f"{address}&range={quote(one['cell'])}" if address and one["cell"] else address


def _mover(mover: Json, amounts: Amounts) -> dict[str, Any]:
    decided = mover["decided_by"]
    if decided:
        metric, required, actual = decided["metric"], decided["required"], decided["actual"]
        decided = {
            "metric": metric,
            "required": amounts(metric, required),
            "actual": amounts(metric, actual),
            "share": actual / required if required else None,
        }
    return {"cause": None, "benefits_changed": [], **mover, "decided_by": decided}


def _distribution(one: Json, amounts: Amounts) -> dict[str, Any]:
    metric, bins = one["metric"], one["bins"]
    return {
        "metric": metric,
        "agencies": one["agencies"],
        "bins": [
            {
                "at_least": amounts(metric, b["at_least"]),
                "below": amounts(metric, b["below"]),
                "agencies": b["agencies"],
            }
            for b in bins
        ],
        "thresholds": [
            {
                **seen,
                "required": amounts(metric, seen["required"]),
                "near": [{**near, "agencies": near["below"] + near["at_or_above"]} for near in seen["near"]],
                "position": _position(seen["required"], bins),
            }
            for seen in one["thresholds"]
        ],
        "cutoffs": [{**cutoff, "value": amounts(metric, cutoff["value"])} for cutoff in one.get("cutoffs", [])],
    }


def _position(value: int, bins: Sequence[Json]) -> float | None:
    """The position of a value in the bins: 2.5 is the middle of the third bin, by the ratio of its ends."""
    for index, one in enumerate(bins):
        low, high = one["at_least"], one["below"]
        if low <= value < high:
            return index + (log(value / low) / log(high / low) if low else value / high)
    return None
