"""The month, top to bottom: read the sheet, find the files, rate every agency, stage, audit, publish."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from functions.rating import ledger, publish
from functions.rating.compute import Computed, compute, inputs_of, run_id
from functions.rating.explain import comparison
from functions.rating.extracts import NotReady
from functions.rating.ledger import Entry
from functions.rating.moves import moved, standings_of
from functions.rating.parts import Parts
from functions.rating.record import RunRecord, record_from
from functions.rating.report import Context
from functions.rating.result import result
from functions.rating.rulebook import Fault, Verdict, parse, unknown_overrides
from shared.content import content_id
from shared.errors import MonthNotOver, PublicationConflict, RunUnknown, WorkbookFaulty
from shared.levels import Rulebook
from shared.months import Month
from shared.observability import logger
from shared.table import Pointer, Publication, run_key

PUBLISH_ATTEMPTS = 5


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
    compared_with = pointer.before(str(month))
    run = run_id(month, content_id(rulebook), inputs_of(inventory), compared_with)
    if valid and (scheduled or valid.run == run):
        return _unchanged(parts, valid, verdict, inputs_changed=valid.run != run)
    if ledger.is_held(parts.table, str(month), run):
        return _held(parts, run, verdict)
    computed = compute(parts, month, rulebook, inventory, compared_with)
    faults = verdict.faults + unknown_overrides(verdict, {rating.agency_id for rating in computed.ratings})
    stage_run(parts, computed, pointer)
    in_force = parts.table.rulebook(compared_with.rulebook) if compared_with else None
    report = parts.reports.write(computed, _context(parts, faults, str(month), in_force))
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
        replaced=valid.run if valid else None,
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
    valid, compared_with = pointer.publications.get(str(month)), pointer.before(str(month))
    computed = compute(parts, month, rulebook, inventory, compared_with)
    reference = valid or compared_with
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
        preview=comparison(computed.ratings, computed.earlier, rulebook, in_force),
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


def stage_run(parts: Parts, computed: Computed, pointer: Pointer) -> None:
    """Write all of a run where no reader looks: ratings, directory, record, rulebook, and the news to be told."""
    month, record = str(computed.month), computed.record
    valid = pointer.publications.get(month)
    seen_before = parts.table.standings(valid.run) if valid else computed.earlier
    expires_at = expiry(parts, computed.month)
    news = moved(seen_before, standings_of(computed.ratings))
    items = chain(
        publish.items_of(computed.ratings, record, expires_at),
        parts.announcer.outbox_items(month, record.run, valid.run if valid else None, news, expires_at),
    )
    with parts.stages.stage("stage") as facts:
        publish.keep_rulebook(parts.table, computed.rulebook, expires_at)
        total = len(computed.ratings)
        facts["items"] = publish.stage(parts.table, items, lambda done: parts.stages.progress("stage", done, total))


def publish_record(
    parts: Parts,
    record: RunRecord,
    action: ledger.Action,
    replacing: Publication | None,
    *,
    by: str | None = None,
    reason: str | None = None,
) -> bool:
    """Make a staged run valid and tell the news; False when another run of the same inputs has just done so.

    ``replacing``: what was valid for the month when the run began. Raises PublicationConflict when that, or what the
    run was compared with, is no longer valid.
    """
    line = entry(parts, action, record, replaced=replacing, by=by, reason=reason)
    publication = Publication(record.month, record.run, record.rulebook, line.at)
    with parts.stages.stage("publish"):
        for _ in range(PUBLISH_ATTEMPTS):
            pointer = parts.table.pointer()
            valid = pointer.publications.get(record.month)
            if valid and valid.run == record.run:
                return False
            _refuse_if_moved(pointer, record, replacing)
            try:
                publish.move_pointer(parts.table, pointer, publication, line)
                break
            except PublicationConflict:
                logger.info("pointer moved meanwhile, looking again", month=record.month, run=record.run)
        else:
            raise PublicationConflict(f"month {record.month}: the pointer moved {PUBLISH_ATTEMPTS} times; run it again")
    parts.announcer.send(record.run, line.replaced)
    return True


def entry(
    parts: Parts,
    action: ledger.Action,
    record: RunRecord,
    *,
    replaced: Publication | None = None,
    by: str | None = None,
    reason: str | None = None,
) -> Entry:
    """A ledger line about a run, now."""
    return Entry(
        at=parts.now().isoformat(timespec="microseconds"),
        action=action,
        month=record.month,
        run=record.run,
        rulebook=record.rulebook,
        code_version=parts.code_version,
        replaced=replaced.run if replaced else None,
        by=by,
        reason=reason,
    )


def expiry(parts: Parts, month: Month) -> int:
    """Epoch second after which the table may forget a month's items."""
    return int(month.plus(parts.retention_months).end(parts.zone).timestamp())


def dicts(faults: Sequence[Fault]) -> list[dict[str, Any]]:
    return [fault.as_dict() for fault in faults]


def _context(
    parts: Parts,
    faults: Sequence[Fault],
    month: str,
    in_force: Rulebook | None = None,
    *,
    preview: bool = False,
) -> Context:
    history = tuple(ledger.entries(parts.table, month))
    return Context(faults, parts.stages.seconds, parts.code_version, history, in_force, preview)


def _refuse_before_its_end(parts: Parts, month: Month) -> None:
    ends, now = month.end(parts.zone), parts.now()
    if now < ends:
        raise MonthNotOver(
            f"month {month} ends at {ends.astimezone(parts.zone):%Y-%m-%d %H:%M %Z}, now is "
            f"{now.astimezone(parts.zone):%Y-%m-%d %H:%M}; it can be rated from then on"
        )


def _refuse_if_moved(pointer: Pointer, record: RunRecord, replacing: Publication | None) -> None:
    """A run rests on what was valid when it began: for its own month, and for the month it was compared with."""
    valid, before, compared = pointer.publications.get(record.month), pointer.before(record.month), record.compared_with
    if (valid and valid.run) != (replacing and replacing.run):
        raise PublicationConflict(
            f"month {record.month}: {valid} became valid while run {record.run} was being prepared; nothing was "
            "published by this run. Look at the newer publication, then run the month again if it is still needed."
        )
    if (before and before.run) != (compared and compared.run):
        raise PublicationConflict(
            f"run {record.run} was compared with {compared}, but the newest earlier publication is now {before}; "
            "nothing was published by this run. Run the month again."
        )


def _unchanged(parts: Parts, valid: Publication, verdict: Verdict, *, inputs_changed: bool) -> dict[str, Any]:
    """The month stays as it is; news that an earlier run could not tell is told now."""
    item = parts.table.get(run_key(valid.run))
    last = [
        line
        for line in ledger.entries(parts.table, valid.month)
        if line.run == valid.run and line.at == valid.published_at
    ]
    parts.announcer.send(valid.run, last[-1].replaced if last else None)
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


def load_record(parts: Parts, run: str) -> RunRecord:
    """A run's record. Raises RunUnknown."""
    item = parts.table.get(run_key(run))
    if item is None:
        raise RunUnknown(f"there is no run {run} in table {parts.table.name}; the report of each run names its id")
    return record_from(item)
