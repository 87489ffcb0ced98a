"""What people decide about runs: publish a held one, or go back to an earlier one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from functions.rating.publication import ledger
from functions.rating.publication.items import load_record
from functions.rating.publication.publisher import move_pointer
from functions.rating.result import result
from functions.rating.run.record import RunRecord
from functions.rating.services import Services
from shared.errors import ReportUnwritten, RunUnknown
from shared.months import Month
from shared.observability import logger
from shared.table import Publication


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decided, and why; both go into the ledger."""

    by: str
    reason: str


def accept(services: Services, run: str, decision: Decision) -> dict[str, Any]:
    """Publish exactly the run that a guardrail held. Raises RunUnknown when it is not held."""
    record = load_record(services.table, run)
    valid = services.table.pointer().publications.get(record.month)
    if valid and valid.run == run:
        return _already_valid(services, valid, record)
    if not ledger.is_held(services.table, record.month, run):
        raise RunUnknown(f"run {run} of {record.month} is not held, so there is nothing to accept")
    expires_at = services.expiry(Month.parse(record.month))
    services.publisher.write_outbox(record, valid, services.table.standings(run), expires_at)
    services.publisher.publish(record, "accepted", valid, by=decision.by, reason=decision.reason)
    return result("published", record.month, record, report=_report(services, record))


def roll_back(services: Services, run: str, decision: Decision) -> dict[str, Any]:
    """Make an earlier publication of a month the valid one again. Raises RunUnknown when it never was published."""
    record = load_record(services.table, run)
    pointer = services.table.pointer()
    valid = pointer.publications.get(record.month)
    published = [
        line for line in ledger.entries(services.table, record.month) if line.run == run and line.action != "held"
    ]
    if not valid or not published:
        raise RunUnknown(f"run {run} was never the valid one of {record.month}, so there is nothing to go back to")
    if valid.run == run:
        return _already_valid(services, valid, record)
    at = services.now().isoformat(timespec="microseconds")
    expires_at = services.expiry(Month.parse(record.month))
    services.publisher.write_outbox(record, valid, services.table.standings(run), expires_at, occasion=at)
    line = ledger.Entry(
        at=at,
        action="rolled_back",
        month=record.month,
        run=run,
        rulebook=published[-1].rulebook,
        code_version=services.code_version,
        replaced=valid.run,
        by=decision.by,
        reason=decision.reason,
    )
    publication = Publication(record.month, run, line.rulebook, line.at, "rolled_back")
    move_pointer(services.table, pointer, publication, line)
    services.publisher.outbox.send_pending(run, valid.run)
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


def _already_valid(services: Services, valid: Publication, record: RunRecord) -> dict[str, Any]:
    """Nothing is left to decide; events may be unsent."""
    services.publisher.send_pending(valid)
    url = services.reports.url(record.month, record.run)
    return result("unchanged", record.month, record, report=url, inputs_changed=False)
