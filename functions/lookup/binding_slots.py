"""Binding slots (rule 10): may an agency bind further creators of power level 6 and 7 in the coming month? Pure.

An agency is assessed when it holds ``binding_free_slots`` or more of them and the month before could be read. Assessed,
it may bind without limit while the share of last month's creators that are still of power 6..7 is at or above
``binding_retention_rate``, and none otherwise. Not assessed, nothing has been found against it: below the free slots it
may fill them, from there on it is not limited.
"""

from __future__ import annotations

from math import ceil

from functions.lookup import contract
from shared.levels import RuleSettings, SlotCounts


def binding_slots(counts: SlotCounts, settings: RuleSettings) -> contract.SlotAllowance:
    """Bound creators, whether they were assessed, the retention behind it, and what may be bound next month.

    ``may_still_drop``: how many more of the kept may leave power 6..7 with the rate still reached; None unassessed.
    """
    reason = _not_assessed(counts, settings)
    return {
        "bound": counts.bound,
        "status": "not_assessed" if reason else "assessed",
        "reason": reason,
        "retention": {
            "base": counts.base,
            "kept": counts.kept,
            "rate": counts.kept / counts.base if counts.base and counts.kept is not None else None,
            "required": float(settings.binding_retention_rate),
        },
        "allowance": _free(counts, settings) if reason else _assessed_allowance(counts, settings),
        "may_still_drop": None if reason else max(0, _spare(counts, settings)),
    }


def _not_assessed(counts: SlotCounts, settings: RuleSettings) -> contract.NotAssessed | None:
    if counts.base is None or counts.kept is None:
        return "no_previous_month"
    return "below_free_slots" if counts.bound < settings.binding_free_slots else None


def _free(counts: SlotCounts, settings: RuleSettings) -> contract.Allowance:
    free = settings.binding_free_slots - counts.bound
    return free if free > 0 else "unlimited"


def _assessed_allowance(counts: SlotCounts, settings: RuleSettings) -> contract.Allowance:
    return "unlimited" if _spare(counts, settings) >= 0 else 0


def _spare(counts: SlotCounts, settings: RuleSettings) -> int:
    """Kept creators beyond those that the rate asks for; negative below it. Exact: the rate is a decimal."""
    base, kept = counts.base or 0, counts.kept or 0
    return kept - ceil(base * settings.binding_retention_rate)
