"""What people decide about runs: publish a held one, or go back to an earlier one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from functions.rating.commands.compute import changed_inputs
from functions.rating.publication import ledger
from functions.rating.publication.items import load_record
from functions.rating.publication.ledger import Entry
from functions.rating.result import result
from functions.rating.run.record import RunRecord
from functions.rating.services import Services
from shared.errors import ReportUnwritten, RunSuperseded, RunUnknown
from shared.months import Month
from shared.observability import logger


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decided, and why; both go into the ledger. ``anyway``: they know what has happened since a run was held."""

    by: str
    reason: str
    anyway: bool = False


def accept(services: Services, run: str, decision: Decision) -> dict[str, Any]:
    """Publish exactly the run that a guardrail held. Raises RunUnknown when it is not held, and RunSuperseded."""
    record = load_record(services.table, run)
    held = ledger.held_entry(services.table, record.month, run)  # before the pointer: another accept may be at work
    valid = services.table.pointer().publications.get(record.month)
    if valid and valid.run == run:
        return _already_valid(services, record)
    if held is None:
        raise RunUnknown(f"run {run} of {record.month} is not held, so there is nothing to accept")
    if not decision.anyway:
        _refuse_superseded(services, record, held)
    if not services.publisher.publish(
        record,
        "accepted",
        valid,
        services.table.standings(run),
        expires_at=services.expiry(Month.parse(record.month)),
        by=decision.by,
        reason=decision.reason,
        workbook=held.workbook,
    ):
        return _already_valid(services, record)
    return result("published", record.month, record, report=_report(services, record))


def roll_back(services: Services, run: str, decision: Decision) -> dict[str, Any]:
    """Make an earlier publication of a month the valid one again. Raises RunUnknown when it never was published."""
    record = load_record(services.table, run)
    valid = services.table.pointer().publications.get(record.month)
    lines = ledger.entries(services.table, record.month)
    published = [line for line in lines if line.run == run and line.moves_the_pointer]
    if not valid or not published:
        raise RunUnknown(f"run {run} was never the valid one of {record.month}, so there is nothing to go back to")
    if valid.run == run or not services.publisher.publish(
        record,
        "rolled_back",
        valid,
        services.table.standings(run),
        expires_at=services.expiry(Month.parse(record.month)),
        rulebook=published[-1].rulebook,
        by=decision.by,
        reason=decision.reason,
        workbook=published[-1].workbook,
    ):
        return _already_valid(services, record)
    return result("rolled_back", record.month, record, report=_report(services, record), replaced=valid.run)


def _report(services: Services, record: RunRecord) -> str:
    """The run's report, which says from now on what was decided; so do those of the runs that it replaced.

    What is decided is in force whether or not a report could be written again.
    """
    entries = list(ledger.entries(services.table, record.month))
    replaced = {entry.replaced for entry in entries if entry.run == record.run and entry.replaced}
    for run in {record.run, *replaced}:
        try:
            services.reports.show_decision(record.month, run, entries)
        except ReportUnwritten as error:
            logger.warning("a report could not be written again", cause=str(error))
    return services.reports.url(record.month, record.run)


def _refuse_superseded(services: Services, record: RunRecord, held: Entry) -> None:
    """Raises RunSuperseded when accepting would surprise: other extracts, or another publication, since it was held."""
    lines = ledger.entries(services.table, record.month)
    others = [line for line in lines if line.moves_the_pointer and line.action != "refreshed" and line.run != held.run]
    since = [line for line in others if line.version > held.version]
    found = [f"run {line.run} was {line.action} at {line.at}" for line in since]
    found += changed_inputs(services, record)[:5]
    if found:
        raise RunSuperseded(
            f"run {record.run} of {record.month} was held at {held.at}, and since then: {'; '.join(found)}. Nothing "
            'was published. Run the month again, or accept the run with "anyway": true.'
        )


def _already_valid(services: Services, record: RunRecord) -> dict[str, Any]:
    """Nothing is left to decide."""
    url = services.reports.url(record.month, record.run)
    return result("unchanged", record.month, record, report=url, inputs_changed=False)
