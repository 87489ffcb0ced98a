"""The decisions of people: publish a held run, or make an earlier publication valid again."""

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
    """Who decided, and why; the ledger stores both.

    ``anyway``: publish a held run although its extracts or the publication changed since. ``confirms``: the changes of
    the workbook that they saw.
    """

    by: str
    reason: str
    anyway: bool = False
    confirms: str | None = None


def accept(services: Services, run: str, decision: Decision) -> dict[str, Any]:
    """Publish a run that was held. Raises RunUnknown if it is not held, RunSuperseded if it is out of date."""
    record = load_record(services.table, run)
    held = ledger.held_entry(services.table, record.month, run)  # before the pointer: another accept may be running
    valid = services.table.pointer().publications.get(record.month)
    if valid and valid.run == run:
        return _already_valid(services, record)
    if held is None:
        raise RunUnknown(
            f"run {run} of {record.month} is not held, so there is nothing to accept. Take the id of a held run from "
            "the status tab or the ledger."
        )
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
    """Make an earlier publication of a month valid again. Raises RunUnknown if the run was never published."""
    record = load_record(services.table, run)
    valid = services.table.pointer().publications.get(record.month)
    lines = ledger.entries(services.table, record.month)
    published = [line for line in lines if line.run == run and line.moves_the_pointer]
    if not valid or not published:
        raise RunUnknown(
            f"run {run} was never published for {record.month}, so there is nothing to go back to. Take the id of an "
            "earlier publication of the month from the ledger or its report."
        )
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
    """Write the decision into the run's report and into the reports of the runs that it replaced.

    Returns the report's URL. If a report can't be written, that is only logged: the decision is already in force.
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
    """Raises RunSuperseded if the extracts or the month's publication changed since the run was held."""
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
    """The answer for a run that is already valid."""
    url = services.reports.url(record.month, record.run)
    return result("unchanged", record.month, record, report=url, inputs_changed=False)
