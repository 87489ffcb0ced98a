"""The metrics that alarms and the dashboard watch (template.yaml), and the summary line of each run."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit

from functions.rating.events import Request
from functions.rating.services import Services
from shared.errors import (
    ChangesUnseen,
    LevelsError,
    MonthExpired,
    NothingPublished,
    PublicationConflict,
    RunSuperseded,
    RunUnknown,
    WorkbookFaulty,
    WorkbookUnavailable,
)
from shared.months import RENEWAL_DAY, Month
from shared.observability import logger, metrics

NOON = 12
SUMMARY = ("outcome", "month", "run", "agencies", "levels", "moves", "report")
WHY = ("missing", "found", "held_because", "inputs_changed", "differences")
"""What only some outcomes say: why it is that one, and what to look at."""

REFUSALS = (
    ChangesUnseen,
    MonthExpired,
    NothingPublished,
    PublicationConflict,
    RunSuperseded,
    RunUnknown,
    WorkbookFaulty,
)
"""What is the answer to somebody who asks for something that can't be done now. Nothing is broken."""


def count_answer(answer: dict[str, Any], request: Request, services: Services) -> None:
    """Count the outcome of a run and log its summary.

    ``Published`` is 1 when the month that is due is published.
    """
    is_published = request.publishes and answer["outcome"] in ("published", "unchanged")
    due = Month.of(services.now(), services.zone).plus(-1)
    metrics.add_metric("Published", MetricUnit.Count, int(is_published and answer["month"] == str(due)))
    if request.uploaded and not answer.get("valid", True):
        metrics.add_metric("WorkbookFaulty", MetricUnit.Count, 1)  # only the alarm tells the person who uploaded it
    metrics.add_metric("Held", MetricUnit.Count, int(answer["outcome"] == "held"))
    if quality := answer.get("quality"):
        bad = sum(sum(dataset["bad_rows"].values()) for dataset in quality["datasets"].values())
        metrics.add_metric("QuarantinedRows", MetricUnit.Count, bad)
    seconds_left = services.progress.remaining() if services.progress.remaining else None
    if seconds_left is not None and answer["outcome"] in ("published", "held"):
        metrics.add_metric("SecondsLeft", MetricUnit.Seconds, seconds_left)
    _count_overdue(request, services)
    summary = {name: answer[name] for name in SUMMARY} | {name: answer[name] for name in WHY if name in answer}
    logger.info("run done", **summary, stages=services.progress.seconds, seconds_left=seconds_left)


def count_failure(error: LevelsError, event: Any, request: Request | None, services: Services | None) -> None:
    """Count a failed run and log its cause."""
    of_upload = isinstance(error, WorkbookUnavailable) and request is not None and request.uploaded is not None
    faulty = of_upload or isinstance(error, WorkbookFaulty)
    metrics.add_metric("WorkbookFaulty" if faulty else "RunFailed", MetricUnit.Count, 1)
    logger.error("run failed", error=type(error).__name__, cause=str(error), request=event)
    if request and services:
        _count_overdue(request, services)


def refused(error: LevelsError, request: Request | None) -> bool:
    """Whether an error only refuses what somebody asked for in the console, whose ticket says why: no failed run.

    Raised, it would ring the alarm of failed runs, and Lambda would try the same again.
    """
    return request is not None and request.ticket is not None and isinstance(error, REFUSALS)


def _count_overdue(request: Request, services: Services) -> None:
    """Count ``Overdue`` on a scheduled run and on the morning refresh, where the answer is known."""
    scheduled = request.scheduled_at is not None
    if not scheduled and request.mode != "refresh":
        return
    at = (request.scheduled_at or services.now()).astimezone(services.zone)
    try:
        late = overdue(at, services.table.pointer().publications, scheduled=scheduled)
    except LevelsError:  # the pointer can't be read: raise the alarm
        late = True
    if late is not None:
        metrics.add_metric("Overdue", MetricUnit.Count, int(late))


def overdue(at: datetime, published: Collection[str], *, scheduled: bool) -> bool | None:
    """Whether last month should be published by now and is not.

    ``at``: local time. ``published``: months as YYYY-MM. None before noon of the 3rd, when this is not yet decided;
    also None in a stack that is only checked (``scheduled`` False) and has never published a month, since the stack may
    be a few days old.
    """
    if (at.day, at.hour) < (RENEWAL_DAY, NOON) or not (scheduled or published):
        return None
    return str(Month(at.year, at.month).plus(-1)) not in published
