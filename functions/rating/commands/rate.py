"""Rates a month, step by step: read the sheet, find the files, rate every agency, stage, check guardrails, publish."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from functions.rating.commands.check import dicts, read_rulebook, valid_rulebook, with_unknown_overrides
from functions.rating.commands.compute import compute, find_extracts, inputs_of, run_id
from functions.rating.commands.past import why_held
from functions.rating.commands.prepared import prepared_beside, read_stored, try_month
from functions.rating.extracts.inventory import NotReady
from functions.rating.measuring.totals import StillMeasuring
from functions.rating.publication import ledger, staging
from functions.rating.publication.items import items_of, load_record
from functions.rating.publication.report import Context
from functions.rating.result import result
from functions.rating.run.computed import Computed
from functions.rating.run.distribution import distributions
from functions.rating.run.movers import comparison, in_brief
from functions.rating.run.record import Compared
from functions.rating.run.standings import Restatement, level_changes, standings_of
from functions.rating.services import Services
from functions.rating.workbook.rulebook import Fault, Verdict, unknown_overrides
from shared.content import content_id
from shared.errors import MonthExpired, MonthNotOver
from shared.items import Publication
from shared.levels import Measured, Rulebook
from shared.months import Month


def rate_month(services: Services, month: Month, *, scheduled: bool) -> dict[str, Any]:
    """Rate and publish a month. ``scheduled``: started by the schedule, which never replaces a publication."""
    _refuse_before_its_end(services, month)
    refuse_expired(services, month)
    verdict = read_rulebook(services, month)
    rulebook = valid_rulebook(verdict)
    services.example.refuse(rulebook, month)
    try:
        answer = _rated(services, month, verdict, rulebook, scheduled=scheduled)
    except StillMeasuring as running:
        answer = _measuring(running, verdict)
    return {**answer, "prepared": prepared_beside(services, verdict)}


def _measuring(running: StillMeasuring, verdict: Verdict) -> dict[str, Any]:
    """The answer while a job measures the month: with what was read in the sheet, like every other answer."""
    return result(
        "measuring",
        running.month,
        faults=dicts(verdict.faults),
        changes=dicts(verdict.changes),
        measurement=running.measurement,
        job_run=running.run,
    )


def _rated(
    services: Services, month: Month, verdict: Verdict, rulebook: Rulebook, *, scheduled: bool
) -> dict[str, Any]:
    pointer = services.table.pointer()
    valid = pointer.publications.get(str(month))
    inventory = find_extracts(services, month)
    if isinstance(inventory, NotReady):
        if scheduled and valid:
            return _unchanged(services, valid, verdict, inputs_changed=True)
        return _not_ready(services, inventory, verdict)
    before = pointer.before(str(month))
    compared_with = Compared.to(before)
    run = run_id(month, content_id(rulebook), inputs_of(inventory), compared_with)
    if valid and (scheduled or valid.run == run):
        return _unchanged(services, valid, verdict, inputs_changed=valid.run != run)
    if ledger.held_entry(services.table, str(month), run):
        return _held(services, run, verdict)
    computed = compute(services, month, rulebook, inventory, compared_with)
    faults = verdict.faults + unknown_overrides(verdict, {rating.agency_id for rating in computed.ratings})
    stage_run(services, computed)
    restates = _restatement(services, computed, valid)
    because = why_held(services, verdict, valid)
    context = _context(services, computed, verdict, faults, reference=before, restates=restates)
    report = services.reports.write(computed, replace(context, held_because=because))
    if computed.record.held or because:
        why = str(because) if because else None
        services.publisher.append(
            "held", computed.record, why, workbook=verdict.stored_as, engine=computed.measured.engine
        )
        return result(
            "held",
            str(month),
            computed.record,
            faults=dicts(faults),
            changes=dicts(verdict.changes),
            report=report,
            held_because=why or computed.record.held_because,
        )
    if not services.publisher.publish(
        computed.record,
        "restated" if valid else "published",
        valid,
        standings_of(computed.ratings),
        expires_at=services.expiry(month),
        workbook=verdict.stored_as,
        engine=computed.measured.engine,
    ):
        return result(
            "unchanged",
            str(month),
            computed.record,
            faults=dicts(faults),
            changes=dicts(verdict.changes),
            report=report,
            inputs_changed=False,
        )
    return result(
        "published",
        str(month),
        computed.record,
        faults=dicts(faults),
        changes=dicts(verdict.changes),
        report=report,
        replaced=restates.run if restates else None,
        restated=len(restates.changes) if restates else None,
        quality=computed.record.quality,
        stages=services.progress.seconds,
    )


def preview(services: Services, month: Month) -> dict[str, Any]:
    """Rate a month with the current sheet and publish nothing: shows whose level would differ.

    The levels are compared with the month's own publication, or else with the newest earlier one. A month that is not
    over is rated with its own ladder and the numbers of the newest measured month (``measured_month``).
    """
    verdict = read_rulebook(services, month)
    rulebook = valid_rulebook(verdict)
    try:
        answer = _previewed(services, month, verdict, rulebook)
    except StillMeasuring as running:
        answer = _measuring(running, verdict)
    return {**answer, "prepared": prepared_beside(services, verdict)}


def _previewed(services: Services, month: Month, verdict: Verdict, rulebook: Rulebook) -> dict[str, Any]:
    if services.now() < month.end(services.zone):
        return _preview_of_a_month_to_come(services, month, rulebook, verdict)
    inventory = find_extracts(services, month)
    if isinstance(inventory, NotReady):
        return _not_ready(services, inventory, verdict)
    pointer = services.table.pointer()
    reference = pointer.publications.get(str(month)) or pointer.before(str(month))
    computed = compute(services, month, rulebook, inventory, Compared.to(reference))
    faults = verdict.faults + unknown_overrides(verdict, {rating.agency_id for rating in computed.ratings})
    context = _context(services, computed, verdict, faults, reference=reference, preview=True)
    moves = comparison(
        computed.ratings, computed.earlier, computed.in_month, context.in_force, context.earlier_measured
    )
    return result(
        "previewed",
        str(month),
        computed.record,
        faults=dicts(faults),
        changes=dicts(verdict.changes),
        report=services.reports.write(computed, context),
        measured_month=str(month),
        preview=in_brief(moves),
        distributions=distributions(computed.ratings, computed.in_month, str(month)),
    )


def _preview_of_a_month_to_come(
    services: Services, month: Month, rulebook: Rulebook, verdict: Verdict
) -> dict[str, Any]:
    valid = services.table.pointer().current()
    stored, in_force = read_stored(services, valid), services.table.rulebook(valid.rulebook)
    tried = try_month(services, stored, rulebook, str(month), in_force)
    faults = verdict.faults + unknown_overrides(verdict, stored.standings.keys())
    return result(
        "previewed",
        str(month),
        rulebook=content_id(rulebook),
        faults=dicts(faults),
        changes=dicts(verdict.changes),
        measured_month=valid.month,
        **tried,
    )


def stage_run(services: Services, computed: Computed) -> int:
    """Write all items of a run before it is published: ratings, directory, record, rulebook. Returns their number."""
    expires_at, total = services.expiry(computed.month), len(computed.ratings)
    with services.progress.stage("stage") as facts:
        staging.keep_rulebook(services.table, computed.rulebook, expires_at)
        items = items_of(computed.ratings, computed.record, expires_at)
        facts["items"] = staging.stage(
            services.table, items, lambda done: services.progress.advance("stage", done, total)
        )
    return int(facts["items"])


def _not_ready(services: Services, waiting: NotReady, verdict: Verdict) -> dict[str, Any]:
    verdict = with_unknown_overrides(services, verdict)
    return result(
        "not_ready",
        str(waiting.month),
        rulebook=content_id(valid_rulebook(verdict)),
        faults=dicts(verdict.faults),
        changes=dicts(verdict.changes),
        missing=list(waiting.missing),
        found=list(waiting.found),
    )


def _context(
    services: Services,
    computed: Computed,
    verdict: Verdict,
    faults: Sequence[Fault],
    *,
    reference: Publication | None,
    restates: Restatement | None = None,
    preview: bool = False,
) -> Context:
    """What the report shows besides the run. ``reference``: the publication that the run was compared with."""
    return Context(
        faults,
        services.progress.seconds,
        services.code_version,
        tuple(ledger.entries(services.table, str(computed.month))),
        services.table.rulebook(reference.rulebook).as_of(reference.month) if reference else None,
        restates,
        preview,
        earlier_measured=_measured_before(services, computed, reference),
        changes=verdict.changes,
        workbook=verdict.stored_as,
    )


def _measured_before(services: Services, computed: Computed, reference: Publication | None) -> dict[str, Measured]:
    """The numbers that each mover had in the publication compared with, by agency_id."""
    if reference is None:
        return {}
    earlier = computed.earlier
    moving = (r.agency_id for r in computed.ratings if (e := earlier.get(r.agency_id)) and e.level != r.level)
    ratings = services.table.ratings((agency_id, reference) for agency_id in moving)
    return {rating.agency_id: rating.measured for rating in ratings}


def _restatement(services: Services, computed: Computed, valid: Publication | None) -> Restatement | None:
    """What the run changes in the month's publication; None if the month is not published yet."""
    if valid is None:
        return None
    return Restatement(valid.run, level_changes(services.table.standings(valid.run), standings_of(computed.ratings)))


def _refuse_before_its_end(services: Services, month: Month) -> None:
    ends, now = month.end(services.zone), services.now()
    if now < ends:
        raise MonthNotOver(
            f"month {month} ends at {ends.astimezone(services.zone):%Y-%m-%d %H:%M %Z}, and now it is "
            f"{now.astimezone(services.zone):%Y-%m-%d %H:%M}. Rate it after its end; preview it until then."
        )


def refuse_expired(services: Services, month: Month) -> None:
    """Raises MonthExpired if the month's retention is over: its items may be deleted already."""
    expires_at = services.expiry(month)
    if services.now().timestamp() >= expires_at:
        raise MonthExpired(
            f"month {month} is past its retention of {services.retention_months} months: its publication is no "
            "longer kept, and new items would be deleted at once. Nothing was read or written. To rate older months, "
            "raise the parameter RetentionMonths (variable RETENTION_MONTHS)."
        )


def _unchanged(services: Services, valid: Publication, verdict: Verdict, *, inputs_changed: bool) -> dict[str, Any]:
    """The answer when the month's publication stays as it is."""
    verdict = with_unknown_overrides(services, verdict)
    return result(
        "unchanged",
        valid.month,
        load_record(services.table, valid.run),
        rulebook=valid.rulebook,
        faults=dicts(verdict.faults),
        changes=dicts(verdict.changes),
        report=services.reports.url(valid.month, valid.run),
        inputs_changed=inputs_changed,
    )


def _held(services: Services, run: str, verdict: Verdict) -> dict[str, Any]:
    """The answer when the run is held already."""
    record, verdict = load_record(services.table, run), with_unknown_overrides(services, verdict)
    return result(
        "held",
        record.month,
        record,
        faults=dicts(verdict.faults),
        changes=dicts(verdict.changes),
        report=services.reports.url(record.month, run),
        held_because=record.held_because,
    )
