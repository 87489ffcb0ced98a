"""What people decide about runs: publish a held one, go back to an earlier one, recompute one to the byte."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from functions.rating.compute import compute, inputs_of
from functions.rating.extracts.month import NotReady
from functions.rating.parts import Parts
from functions.rating.publication import ledger, publish
from functions.rating.publication.release import expiry, keep_news, load_record, publish_record, tell_what_is_untold
from functions.rating.record import RunRecord
from functions.rating.result import result
from shared.errors import RunUnknown
from shared.months import Month
from shared.table import Publication, key, key_of


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decided, and why; both go into the ledger."""

    by: str
    reason: str


def accept(parts: Parts, run: str, decision: Decision) -> dict[str, Any]:
    """Publish exactly the run that a guardrail held. Raises RunUnknown when it is not held."""
    record = load_record(parts, run)
    valid = parts.table.pointer().publications.get(record.month)
    if valid and valid.run == run:
        return _already_valid(parts, valid, record)
    if not ledger.is_held(parts.table, record.month, run):
        raise RunUnknown(f"run {run} of {record.month} is not held, so there is nothing to accept")
    keep_news(parts, record, valid, parts.table.standings(run))
    publish_record(parts, record, "accepted", valid, by=decision.by, reason=decision.reason)
    return result("published", record.month, record, report=parts.reports.url(record.month, run))


def roll_back(parts: Parts, run: str, decision: Decision) -> dict[str, Any]:
    """Make an earlier publication of a month the valid one again. Raises RunUnknown when it never was published."""
    record = load_record(parts, run)
    pointer = parts.table.pointer()
    valid = pointer.publications.get(record.month)
    published = [
        line for line in ledger.entries(parts.table, record.month) if line.run == run and line.action != "held"
    ]
    if not valid or not published:
        raise RunUnknown(f"run {run} was never the valid one of {record.month}, so there is nothing to go back to")
    if valid.run == run:
        return _already_valid(parts, valid, record)
    at = parts.now().isoformat(timespec="microseconds")
    keep_news(parts, record, valid, parts.table.standings(run), occasion=at)
    line = ledger.Entry(
        at=at,
        action="rolled_back",
        month=record.month,
        run=run,
        rulebook=published[-1].rulebook,
        code_version=parts.code_version,
        replaced=valid.run,
        by=decision.by,
        reason=decision.reason,
    )
    publication = Publication(record.month, run, line.rulebook, line.at, "rolled_back")
    publish.move_pointer(parts.table, pointer, publication, line)
    parts.announcer.send(run, valid.run)
    return result("rolled_back", record.month, record, report=parts.reports.url(record.month, run), replaced=valid.run)


def verify(parts: Parts, run: str) -> dict[str, Any]:
    """Recompute a run from its recorded inputs and compare every item to the byte; ``differences`` says where."""
    record = load_record(parts, run)
    month = Month.parse(record.month)
    differences = _changed_inputs(parts, month, record)
    if not differences:
        differences = _changed_items(parts, month, record)
    return result(
        "differs" if differences else "verified",
        record.month,
        record,
        report=parts.reports.url(record.month, run),
        differences=differences[:100],
    )


def _already_valid(parts: Parts, valid: Publication, record: RunRecord) -> dict[str, Any]:
    """Nothing is left to decide; the news may have been left untold."""
    tell_what_is_untold(parts, valid)
    url = parts.reports.url(record.month, record.run)
    return result("unchanged", record.month, record, report=url, inputs_changed=False)


def _changed_inputs(parts: Parts, month: Month, record: RunRecord) -> list[str]:
    inventory = parts.extracts.find(month)
    if isinstance(inventory, NotReady):
        return [f"the extracts of {month} are no longer there: {', '.join(inventory.missing)}"]
    now = {(i.key, i.etag) for i in inputs_of(inventory)}
    then = {(i.key, i.etag) for i in record.inputs}
    return sorted(f"{key} is no longer what the run read" for key, _ in then - now) + sorted(
        f"{key} was not there when the run read" for key, _ in now - then
    )


def _changed_items(parts: Parts, month: Month, record: RunRecord) -> list[str]:
    inventory = parts.extracts.find(month)
    if isinstance(inventory, NotReady):
        return [f"the extracts of {month} are no longer there: {', '.join(inventory.missing)}"]
    computed = compute(parts, month, parts.table.rulebook(record.rulebook), inventory, record.compared_with)
    with parts.stages.stage("compare") as facts:
        expected = {
            key_of(item): item for item in publish.items_of(computed.ratings, computed.record, expiry(parts, month))
        }
        stored = {key_of(item): item for item in parts.table.get_many([key(*names) for names in expected])}
        differences = [" ".join(names) for names, item in expected.items() if stored.get(names) != item]
        facts["differences"] = len(differences)
    return differences
