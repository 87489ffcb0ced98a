"""Texts without waiting for the 3rd: publish changed names and benefits with the levels that are in force.

Whatever rates (ladder, metrics, overrides, waiting time, binding rules) only ever changes with a month's publication.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from functions.rating.commands.check import dicts, read_rulebook, valid_rulebook
from functions.rating.publication import staging
from functions.rating.publication.items import load_record
from functions.rating.publication.ledger import Entry
from functions.rating.publication.publisher import move_pointer
from functions.rating.result import result
from functions.rating.run.movers import comparison, in_brief
from functions.rating.run.rules import Rules
from functions.rating.services import Services
from shared.content import content_id
from shared.errors import NothingPublished
from shared.levels import Rulebook
from shared.months import Month
from shared.table import Pointer, Publication


def refresh(services: Services) -> dict[str, Any]:
    """Compare the sheet with what is in force for the newest published month; publish texts, or say what is pending."""
    pointer = services.table.pointer()
    try:
        valid = pointer.current()
    except NothingPublished:
        return _checked_before_the_first_month(services)
    month = Month.parse(valid.month)
    verdict = read_rulebook(services, month.plus(1))
    rulebook, in_force = valid_rulebook(verdict), services.table.rulebook(valid.rulebook)
    common = {
        "faults": dicts(verdict.faults),
        "report": services.reports.url(valid.month, valid.run),
        **_what_is_to_come(services, valid, rulebook, in_force),
    }
    record = load_record(services.table, valid.run)
    if _what_rates(rulebook, valid.month) != _what_rates(in_force, valid.month):
        return result("pending", valid.month, record, **common)
    if _texts(rulebook) == _texts(in_force):
        return result("unchanged", valid.month, record, **common, inputs_changed=False)
    _publish_texts(services, pointer, valid, rulebook)
    return result("refreshed", valid.month, record, rulebook=content_id(rulebook), **common)


def _checked_before_the_first_month(services: Services) -> dict[str, Any]:
    month = Month.of(services.now(), services.zone).plus(-1)
    verdict = read_rulebook(services, month)
    return result("checked", str(month), rulebook=content_id(valid_rulebook(verdict)), faults=dicts(verdict.faults))


def _what_rates(rulebook: Rulebook, month: str) -> dict[str, Any]:
    """The part of a rulebook that decides levels and binding slots of a month."""
    try:
        rungs = rulebook.ladder(month).rungs
    except LookupError:
        rungs = ()
    settings = rulebook.settings
    return {
        "metrics": [(m.key, m.measure, m.min_power, m.max_power) for m in rulebook.metrics],
        "rungs": rungs,
        "overrides": sorted((o.agency_id, o.level) for o in rulebook.overrides if o.in_force(month)),
        "wait": settings.new_agency_wait_months,
        "binding": (settings.binding_free_slots, settings.binding_retention_rate),
    }


def _texts(rulebook: Rulebook) -> dict[str, Any]:
    """The part of a rulebook that readers see and that rates nobody."""
    return {
        "levels": rulebook.levels,
        "metrics": [(m.key, m.name, m.unit) for m in rulebook.metrics],
        "benefits": rulebook.benefits,
        "tips": rulebook.tips,
    }


def _publish_texts(services: Services, seen: Pointer, valid: Publication, rulebook: Rulebook) -> None:
    rulebook_id = staging.keep_rulebook(services.table, rulebook, services.expiry(Month.parse(valid.month)))
    line = Entry(
        at=services.now().isoformat(timespec="microseconds"),
        action="refreshed",
        month=valid.month,
        run=valid.run,
        rulebook=rulebook_id,
        code_version=services.code_version,
        replaced=valid.run,
    )
    move_pointer(services.table, seen, replace(valid, rulebook=rulebook_id), line)


def _what_is_to_come(services: Services, valid: Publication, rulebook: Rulebook, in_force: Rulebook) -> dict[str, Any]:
    """From which rating month the sheet rates differently than what is published, and who would move; else nothing.

    A ladder that operations prepared for a later month counts like a change made in place.
    """
    following = Month.parse(valid.month).plus(1)
    prepared = (ladder.effective_month for ladder in rulebook.ladders)
    months = [str(following), *sorted(month for month in prepared if month and month > str(following))]
    published = _what_rates(in_force, valid.month)
    differing = next((month for month in months if _what_rates(rulebook, month) != published), None)
    if differing is None:
        return {}
    return {
        "effective_month": differing,
        "effective_on": Month.parse(differing).renewed_on.isoformat(),
        "preview": _who_would_move(services, valid, _as_of(rulebook, differing, valid.month), in_force),
    }


def _as_of(rulebook: Rulebook, later: str, month: str) -> Rulebook:
    """The rulebook with the ladder and the overrides of a later month in force for ``month``."""
    overrides = (
        replace(override, from_month=None, until_month=month)
        for override in rulebook.overrides
        if override.in_force(later)
    )
    ladder = replace(rulebook.ladder(later), effective_month=None)
    return replace(rulebook, ladders=(ladder,), overrides=tuple(overrides))


def _who_would_move(services: Services, valid: Publication, rulebook: Rulebook, in_force: Rulebook) -> dict[str, Any]:
    """The published month's agencies, rated again from their stored measurements."""
    with services.progress.stage("would move") as facts:
        month, standings = Month.parse(valid.month), services.table.standings(valid.run)
        stored = services.table.ratings((agency_id, valid) for agency_id in standings)
        rules = Rules(rulebook, month, services.zone)
        ratings = [rules.rate(r.measured, standings[r.agency_id]) for r in stored]
        facts["agencies"] = len(ratings)
    return in_brief(comparison(ratings, standings, rulebook, in_force))
