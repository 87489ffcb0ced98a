"""Splits a rulebook into what decides levels and what readers see, which may change any morning. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

from shared.levels import Benefit, Grant, Ladder, Rulebook


def what_rates(rulebook: Rulebook, month: str) -> dict[str, Any]:
    """The part that decides levels and binding slots of a month. Rulebooks with equal parts rate equally."""
    rulebook, settings = rulebook.as_of(month), rulebook.settings
    return {
        "metrics": [(m.key, m.measure, m.min_power, m.max_power) for m in rulebook.metrics],
        "rungs": level_rules_of(rulebook, month),
        "overrides": sorted((o.agency_id, o.level) for o in rulebook.overrides if o.in_force(month)),
        "wait": settings.new_agency_wait_months,
        "binding": (settings.binding_free_slots, settings.binding_retention_rate),
    }


def level_rules_of(rulebook: Rulebook, month: str) -> tuple[Any, ...]:
    """The levels with their thresholds for a month; empty without a ladder."""
    try:
        return rulebook.as_of(month).ladder(month).rungs
    except LookupError:
        return ()


def what_is_shown(rulebook: Rulebook, month: str) -> dict[str, Any]:
    """The part that readers see and that does not decide levels."""
    rulebook = rulebook.as_of(month)
    return {
        "levels": rulebook.levels,
        "metrics": [(m.key, m.name, m.unit) for m in rulebook.metrics],
        "benefits": rulebook.benefits,
        "tips": rulebook.tips,
    }


def with_texts_of(in_force: Rulebook, sheet: Rulebook, *, take_away: bool) -> Rulebook:
    """The rulebook in force with the sheet's names, descriptions, units, tips and benefits.

    ``take_away``: whether what the sheet takes away is taken away here too: benefits that it lowers or removes,
    overrides that it removes, lowers or ends earlier, and guardrails that it switches off. If not, all of it stays.
    """
    levels = {level.level: level for level in sheet.levels}
    metrics = {metric.key: metric for metric in sheet.metrics}
    known = {metric.key for metric in in_force.metrics}
    return replace(
        in_force,
        levels=tuple(
            replace(level, name=levels[level.level].name, description=levels[level.level].description)
            if level.level in levels
            else level
            for level in in_force.levels
        ),
        metrics=tuple(
            replace(metric, name=metrics[metric.key].name, unit=metrics[metric.key].unit)
            if metric.key in metrics
            else metric
            for metric in in_force.metrics
        ),
        benefits=tuple(_benefits(in_force, sheet, take_away=take_away)),
        tips=tuple(tip for tip in sheet.tips if tip.metric in known),
        **(_taken_away(in_force, sheet) if take_away else {}),
    )


def _taken_away(in_force: Rulebook, sheet: Rulebook) -> dict[str, Any]:
    """The overrides in force that the sheet has too, each as far as both go; the guardrails that are on in both."""
    kept = {(one.agency_id, one.from_month): one for one in sheet.overrides}
    pairs = ((one, kept.get((one.agency_id, one.from_month))) for one in in_force.overrides)
    guardrails = (setting.name for setting in fields(in_force.settings) if setting.name.startswith("max_"))
    off: dict[str, Any] = {name: None for name in guardrails if getattr(sheet.settings, name) is None}
    return {
        "overrides": tuple(
            replace(old, level=min(old.level, new.level), until_month=min(old.until_month, new.until_month))
            for old, new in pairs
            if new
        ),
        "settings": replace(in_force.settings, **off),
    }


def as_if_for(rulebook: Rulebook, later: str, month: str) -> Rulebook:
    """The rulebook of a later month, changed to be in force for ``month``.

    With it, the stored numbers of ``month`` can be rated by rules that are prepared for a later month.
    """
    rulebook = rulebook.as_of(later)
    overrides = (
        replace(override, from_month=None, until_month=month)
        for override in rulebook.overrides
        if override.in_force(later)
    )
    ladder: Ladder = replace(rulebook.ladder(later), effective_month=None)
    return replace(
        rulebook,
        levels=tuple(replace(level, from_month=None) for level in rulebook.levels),
        metrics=tuple(replace(metric, from_month=None) for metric in rulebook.metrics),
        benefits=tuple(replace(benefit, from_month=None) for benefit in rulebook.benefits),
        ladders=(ladder,),
        overrides=tuple(overrides),
    )


def _benefits(in_force: Rulebook, sheet: Rulebook, *, take_away: bool) -> Iterator[Benefit]:
    old = {benefit.key: benefit for benefit in in_force.benefits}
    new = {benefit.key: benefit for benefit in sheet.benefits}
    for key in sorted(old.keys() | new.keys()):
        had, has = old.get(key), new.get(key)
        if has and (had is None or take_away):
            grants = tuple(grant for grant in has.grants if grant.level <= len(in_force.levels))
            yield replace(has, grants=grants)
        elif had and has and had.kind is has.kind:
            yield replace(has, grants=tuple(_kept_or_raised(had, has, len(in_force.levels))), from_month=had.from_month)
        elif had and not take_away:
            yield had


def _kept_or_raised(had: Benefit, has: Benefit, levels: int) -> Iterator[Grant]:
    for level in range(1, levels + 1):
        old, new = had.grant(level), has.grant(level)
        if new and (old is None or not lowers(old, new)):
            yield new
        elif old:
            yield old


def lowers(old: Grant, new: Grant) -> bool:
    """Whether a quota is smaller. None is unlimited; it also stands for "no quota" in other kinds of benefits."""
    return new.quota is not None and (old.quota is None or new.quota < old.quota)
