"""Shows operations the outcome of a check, a run or a decision in the workbook's status tab."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from functions.rating.publication import ledger
from functions.rating.publication.ledger import Entry
from functions.rating.services import Services
from functions.rating.workbook.status import SHOWN_LEDGER, StatusContext, status
from shared.errors import LevelsError, WorkbookUnavailable
from shared.items import Pointer
from shared.months import Month
from shared.observability import logger

LINK_SECONDS = 6 * 3600  # a link ends with the function's credentials, which last about as long
RECENT_MONTHS = 12
OFFERED_RUNS = 20
_WITH_A_REPORT = ("published", "held", "previewed", "rolled_back")


def show_status(services: Services, answer: Mapping[str, Any]) -> None:
    """Write the status tab, or log that it failed: levels don't depend on it."""
    try:
        services.workbook.show_status(lambda language: status(answer, _context(services, answer), language))
    except WorkbookUnavailable as error:
        logger.warning("the status tab could not be written", cause=str(error))


def _held_lines(lines: list[Entry]) -> list[Entry]:
    """The lines of runs that wait for a decision. ``lines``: of one or more months, newest first."""
    last: dict[str, Entry] = {}
    for line in lines:
        last.setdefault(line.run, line)
    return [line for line in last.values() if line.action == "held"]


def _recent_lines(services: Services, pointer: Pointer) -> list[Entry]:
    """The ledger of the newest months, newest line first."""
    lines = [line for month in _recent_months(services, pointer) for line in ledger.entries(services.table, str(month))]
    return sorted(lines, key=lambda line: line.at, reverse=True)


def _context(services: Services, answer: Mapping[str, Any]) -> StatusContext:
    """What the status tab shows besides the answer. If the table fails: only the time."""
    at = services.now().astimezone(services.zone)
    try:
        pointer = services.table.pointer()
        lines = _recent_lines(services, pointer)
    except LevelsError as error:  # perhaps the failed command failed because of the table
        logger.warning("the status tab is written without earlier runs", cause=str(error))
        return StatusContext(at)
    waiting = _held_lines(lines)
    report = answer.get("report")
    document = services.reports.document(report) if report and answer["outcome"] in _WITH_A_REPORT else None
    if document is None and waiting and answer["outcome"] not in _WITH_A_REPORT and not answer.get("preview"):
        report = services.reports.url(waiting[0].month, waiting[0].run)
        document = services.reports.document(report)
    if report is None and not answer.get("preview"):
        newest = pointer.current() if pointer.publications else None
        report = services.reports.url(newest.month, newest.run) if newest else None
    return StatusContext(
        at,
        run=document or {},
        link=services.reports.link(report, LINK_SECONDS) if report else None,
        link_until=at + timedelta(seconds=LINK_SECONDS),
        waiting=[asdict(line) for line in waiting],
        ledger=[asdict(line) for line in lines[:SHOWN_LEDGER]],
        earlier=_earlier_runs(pointer, lines),
    )


def _earlier_runs(pointer: Pointer, lines: list[Entry]) -> list[tuple[str, str]]:
    """The runs that were valid once and no longer are, newest first."""
    valid = {publication.run for publication in pointer.publications.values()}
    runs = ((line.month, line.run) for line in lines if line.moves_the_pointer and line.run not in valid)
    return list(dict.fromkeys(runs))[:OFFERED_RUNS]


def _recent_months(services: Services, pointer: Pointer) -> Iterator[Month]:
    """The last 12 months, newest first, from the newest published month or the month that is due."""
    due = Month.of(services.now(), services.zone).plus(-1)
    newest = max([due, *map(Month.parse, pointer.publications)])
    yield from (newest.plus(-back) for back in range(RECENT_MONTHS))
