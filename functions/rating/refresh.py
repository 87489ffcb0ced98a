"""Texts without waiting for the 3rd: publish changed names and benefits with the levels that are in force.

Whatever rates (ladder, metrics, overrides, waiting time, binding rules) only ever changes with a month's publication.
"""

from __future__ import annotations

from typing import Any

from functions.rating import publish
from functions.rating.explain import comparison
from functions.rating.ledger import Entry
from functions.rating.parts import Parts
from functions.rating.publication import expiry, load_record
from functions.rating.record import RunRecord
from functions.rating.result import result
from functions.rating.rules import rate
from functions.rating.run import dicts, read_rulebook, sound
from shared.content import content_id
from shared.errors import NothingPublished
from shared.levels import Rulebook
from shared.months import Month
from shared.table import Pointer, Publication


def refresh(parts: Parts) -> dict[str, Any]:
    """Compare the sheet with what is in force for the newest published month; publish texts, or say what is pending."""
    pointer = parts.table.pointer()
    try:
        valid = pointer.current()
    except NothingPublished:
        return _checked_before_the_first_month(parts)
    month = Month.parse(valid.month)
    verdict = read_rulebook(parts, month.plus(1))
    rulebook, in_force = sound(verdict), parts.table.rulebook(valid.rulebook)
    record, faults = load_record(parts, valid.run), dicts(verdict.faults)
    report = parts.reports.url(valid.month, valid.run)
    if _what_rates(rulebook, valid.month) != _what_rates(in_force, valid.month):
        return result(
            "pending",
            valid.month,
            record,
            faults=faults,
            report=report,
            effective_month=str(month.plus(1)),
            effective_on=month.plus(1).renewed_on.isoformat(),
            preview=_who_would_move(parts, valid, record, rulebook, in_force),
        )
    if _texts(rulebook) == _texts(in_force):
        return result("unchanged", valid.month, record, faults=faults, report=report, inputs_changed=False)
    _publish_texts(parts, pointer, valid, rulebook)
    return result("refreshed", valid.month, record, rulebook=content_id(rulebook), faults=faults, report=report)


def _checked_before_the_first_month(parts: Parts) -> dict[str, Any]:
    month = Month.of(parts.now(), parts.zone).plus(-1)
    verdict = read_rulebook(parts, month)
    return result("checked", str(month), rulebook=content_id(sound(verdict)), faults=dicts(verdict.faults))


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


def _publish_texts(parts: Parts, seen: Pointer, valid: Publication, rulebook: Rulebook) -> None:
    rulebook_id = publish.keep_rulebook(parts.table, rulebook, expiry(parts, Month.parse(valid.month)))
    line = Entry(
        at=parts.now().isoformat(timespec="microseconds"),
        action="refreshed",
        month=valid.month,
        run=valid.run,
        rulebook=rulebook_id,
        code_version=parts.code_version,
        replaced=valid.run,
    )
    publication = Publication(valid.month, valid.run, rulebook_id, valid.published_at)
    publish.move_pointer(parts.table, seen, publication, line)


def _who_would_move(
    parts: Parts, valid: Publication, record: RunRecord, rulebook: Rulebook, in_force: Rulebook
) -> dict[str, Any]:
    """The published month's agencies, rated again from their stored measurements by the sheet as it is now."""
    with parts.stages.stage("would move") as facts:
        month = Month.parse(valid.month)
        standings = parts.table.standings(valid.run)
        earlier = parts.table.standings(record.compared_with.run) if record.compared_with else {}
        stored = parts.table.ratings((agency_id, valid) for agency_id in standings)
        ratings = [rate(r.measured, rulebook, month, parts.zone, earlier.get(r.agency_id)) for r in stored]
        facts["agencies"] = len(ratings)
    return comparison(ratings, standings, rulebook, in_force)
