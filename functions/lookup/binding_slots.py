"""Binding slots (rule 10): how many creators of power level 6 and 7 an agency may bind in the coming month. Pure.

An agency is assessed if it has ``binding_free_slots`` or more such creators and the month before could be read. An
assessed agency may bind without limit if the share of last month's creators that still have power 6..7 is at least
``binding_retention_rate``, and none otherwise. An agency that is not assessed may fill its free slots; if it has more
creators already, it may bind without limit, since nothing is known against it.
"""

from __future__ import annotations

from math import ceil

from functions.lookup import contract
from shared.levels import RuleSettings, SlotCounts


def binding_slots(counts: SlotCounts, settings: RuleSettings) -> contract.SlotAllowance:
    """Bound creators, whether the agency was assessed, its retention, and what it may bind next month.

    ``may_still_drop``: how many more kept creators may leave power 6..7 before the rate is missed; None if not
    assessed.
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
    """Kept creators beyond the required number; negative if there are too few. Exact: the rate is a decimal."""
    base, kept = counts.base or 0, counts.kept or 0
    return kept - ceil(base * settings.binding_retention_rate)
