"""The month, top to bottom: read the sheet, find the files, rate every agency, stage, audit, publish."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from functions.rating.compute import compute, inputs_of, run_id
from functions.rating.computed import Computed
from functions.rating.explain import comparison, in_brief
from functions.rating.extracts.month import NotReady
from functions.rating.moves import Restatement, moved, standings_of
from functions.rating.parts import Parts
from functions.rating.publication import ledger, publish
from functions.rating.publication.release import entry, load_record, publish_record, stage_run, tell_what_is_untold
from functions.rating.publication.report import Context
from functions.rating.record import Compared, record_from
from functions.rating.result import result
from functions.rating.workbook.rulebook import Fault, Verdict, parse, unknown_overrides
from shared.content import content_id
from shared.errors import MonthNotOver, WorkbookFaulty
from shared.levels import Rulebook
from shared.months import Month
from shared.table import Publication, run_key


def rate_month(parts: Parts, month: Month, *, scheduled: bool) -> dict[str, Any]:
    """Rate and publish a month. ``scheduled``: a firing of the schedule, which never replaces what is published."""
    _refuse_before_its_end(parts, month)
    verdict = read_rulebook(parts, month)
    rulebook = sound(verdict)
    pointer = parts.table.pointer()
    valid = pointer.publications.get(str(month))
    inventory = parts.extracts.find(month)
    if isinstance(inventory, NotReady):
        if scheduled and valid:
            return _unchanged(parts, valid, verdict, inputs_changed=True)
        return result("not_ready", str(month), rulebook=content_id(rulebook), missing=list(inventory.missing))
    before = pointer.before(str(month))
    compared_with = Compared.to(before)
    run = run_id(month, content_id(rulebook), inputs_of(inventory), compared_with)
    if valid and (scheduled or valid.run == run):
        return _unchanged(parts, valid, verdict, inputs_changed=valid.run != run)
    if ledger.is_held(parts.table, str(month), run):
        return _held(parts, run, verdict)
    computed = compute(parts, month, rulebook, inventory, compared_with)
    faults = verdict.faults + unknown_overrides(verdict, {rating.agency_id for rating in computed.ratings})
    stage_run(parts, computed, pointer)
    in_force = parts.table.rulebook(before.rulebook) if before else None
    restates = _restatement(parts, computed, valid)
    report = parts.reports.write(computed, _context(parts, faults, str(month), in_force, restates))
    if computed.record.held:
        publish.append(parts.table, entry(parts, "held", computed.record))
        return result("held", str(month), computed.record, faults=dicts(faults), report=report)
    if not publish_record(parts, computed.record, "restated" if valid else "published", valid):
        return result(
            "unchanged", str(month), computed.record, faults=dicts(faults), report=report, inputs_changed=False
        )
    return result(
        "published",
        str(month),
        computed.record,
        faults=dicts(faults),
        report=report,
        replaced=restates.run if restates else None,
        restated=len(restates.moves) if restates else None,
        quality=computed.record.quality,
        stages=parts.stages.seconds,
    )


def preview(parts: Parts, month: Month) -> dict[str, Any]:
    """Rate a month with the sheet as it is and publish nothing: who would move against what is published."""
    _refuse_before_its_end(parts, month)
    verdict = read_rulebook(parts, month)
    rulebook = sound(verdict)
    inventory = parts.extracts.find(month)
    if isinstance(inventory, NotReady):
        return result("not_ready", str(month), rulebook=content_id(rulebook), missing=list(inventory.missing))
    pointer = parts.table.pointer()
    valid, before = pointer.publications.get(str(month)), pointer.before(str(month))
    computed = compute(parts, month, rulebook, inventory, Compared.to(before))
    reference = valid or before
    if valid:
        computed = replace(computed, earlier=parts.table.standings(valid.run))
    in_force = parts.table.rulebook(reference.rulebook) if reference else None
    faults = verdict.faults + unknown_overrides(verdict, {rating.agency_id for rating in computed.ratings})
    return result(
        "previewed",
        str(month),
        computed.record,
        faults=dicts(faults),
        report=parts.reports.write(computed, _context(parts, faults, str(month), in_force, preview=True)),
        preview=in_brief(comparison(computed.ratings, computed.earlier, rulebook, in_force)),
    )


def check(parts: Parts, month: Month) -> dict[str, Any]:
    """The spreadsheet's faults, and nothing else."""
    verdict = read_rulebook(parts, month)
    rulebook = content_id(verdict.rulebook) if verdict.rulebook else None
    return result("checked", str(month), rulebook=rulebook, faults=dicts(verdict.faults), sound=not verdict.errors)


def read_rulebook(parts: Parts, month: Month) -> Verdict:
    """The spreadsheet as it is now, with all its faults. Raises WorkbookUnavailable."""
    with parts.stages.stage("sheet") as facts:
        verdict = parse(parts.read_workbook(), parts.description, month)
        facts["faults"] = len(verdict.faults)
    return verdict


def sound(verdict: Verdict) -> Rulebook:
    """The rulebook of a verdict. Raises WorkbookFaulty with every fault when there is an error among them."""
    if verdict.rulebook is None:
        listed = "\n".join(str(fault) for fault in verdict.errors)
        raise WorkbookFaulty(
            f"the spreadsheet has {len(verdict.errors)} errors; nothing was written:\n{listed}", dicts(verdict.faults)
        )
    return verdict.rulebook


def dicts(faults: Sequence[Fault]) -> list[dict[str, Any]]:
    return [fault.as_dict() for fault in faults]


def _context(
    parts: Parts,
    faults: Sequence[Fault],
    month: str,
    in_force: Rulebook | None,
    restates: Restatement | None = None,
    *,
    preview: bool = False,
) -> Context:
    history = tuple(ledger.entries(parts.table, month))
    return Context(faults, parts.stages.seconds, parts.code_version, history, in_force, restates, preview)


def _restatement(parts: Parts, computed: Computed, valid: Publication | None) -> Restatement | None:
    """What the run changes of the month's publication until now; None when there is none."""
    if valid is None:
        return None
    return Restatement(valid.run, moved(parts.table.standings(valid.run), standings_of(computed.ratings)))


def _refuse_before_its_end(parts: Parts, month: Month) -> None:
    ends, now = month.end(parts.zone), parts.now()
    if now < ends:
        raise MonthNotOver(
            f"month {month} ends at {ends.astimezone(parts.zone):%Y-%m-%d %H:%M %Z}, now is "
            f"{now.astimezone(parts.zone):%Y-%m-%d %H:%M}; it can be rated from then on"
        )


def _unchanged(parts: Parts, valid: Publication, verdict: Verdict, *, inputs_changed: bool) -> dict[str, Any]:
    """The month stays as it is; news that an earlier run could not tell is told now."""
    item = parts.table.get(run_key(valid.run))
    tell_what_is_untold(parts, valid)
    return result(
        "unchanged",
        valid.month,
        record_from(item) if item else None,
        rulebook=valid.rulebook,
        faults=dicts(verdict.faults),
        report=parts.reports.url(valid.month, valid.run),
        inputs_changed=inputs_changed,
    )


def _held(parts: Parts, run: str, verdict: Verdict) -> dict[str, Any]:
    record = load_record(parts, run)
    return result(
        "held", record.month, record, faults=dicts(verdict.faults), report=parts.reports.url(record.month, run)
    )
