"""The rating function: reads the event, wires the real services, does what is asked, logs one summary line."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import MetricUnit

from functions.rating.commands.check import check, next_to_rate
from functions.rating.commands.decide import Decision, accept, roll_back
from functions.rating.commands.rate import preview, rate_month
from functions.rating.commands.refresh import refresh
from functions.rating.commands.verify import verify
from functions.rating.events import Request, parse_event
from functions.rating.services import Services
from functions.rating.wiring import wire
from functions.rating.workbook.status import status_rows
from shared.errors import LevelsError, WorkbookFaulty, WorkbookUnavailable
from shared.months import Month
from shared.observability import logger, metrics
from shared.settings import RatingSettings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

listener: Callable[[str, int, int | None], None] | None = None
"""Hears the progress of each stage: stage, done, total. A program that shows it to a person sets it."""


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Do what one event asks; the answer is that of result.py. Raises one error type per cause (shared/errors.py)."""
    metrics.add_metric("Runs", MetricUnit.Count, 1)
    try:
        request, settings = parse_event(event), RatingSettings.from_environment(os.environ)
        services = wire(settings, context, listener)
        answer = _answer(request, services)
    except LevelsError as error:
        name = "WorkbookFaulty" if isinstance(error, WorkbookFaulty) else "RunFailed"
        metrics.add_metric(name, MetricUnit.Count, 1)
        logger.error("run failed", error=type(error).__name__, cause=str(error), request=event)
        raise
    finally:
        gc.unfreeze()  # the ratings: nobody searches for reference cycles among them
    _count(answer, request, services)
    logger.info(
        "run done", **{name: answer[name] for name in ("outcome", "month", "run", "agencies", "moves", "report")}
    )
    return answer


def _answer(request: Request, services: Services) -> dict[str, Any]:
    """What is answered; the status tab says it too."""
    try:
        answer = _do(request, services)
    except WorkbookFaulty as error:
        _show_status({"outcome": "faulty", "faults": error.faults}, services)
        raise
    if request.reads_the_sheet:
        _show_status(answer, services)
    return answer


def _show_status(answer: dict[str, Any], services: Services) -> None:
    """Write the status tab. Levels don't depend on it, so a refusal is logged and no more."""
    rows = status_rows(answer, services.now().astimezone(services.zone))
    try:
        services.workbook.show_status(rows)
    except WorkbookUnavailable as error:
        logger.warning("the status tab could not be written", cause=str(error))


def _do(request: Request, services: Services) -> dict[str, Any]:
    """The one thing that a request asks for."""
    decision = Decision(request.by or "", request.reason or "")
    if request.accept:
        return accept(services, request.accept, decision)
    if request.rollback:
        return roll_back(services, request.rollback, decision)
    if request.verify:
        return verify(services, request.verify)
    if request.mode == "refresh":
        return refresh(services)
    if request.mode == "check":
        return check(services, next_to_rate(services))
    month = request.rating_month(services.zone)
    if request.mode == "preview":
        return preview(services, month)
    return rate_month(services, month, scheduled=request.scheduled_at is not None)


def _count(answer: dict[str, Any], request: Request, services: Services) -> None:
    """Metrics that alarms watch (template.yaml). Published: last month is out, whichever firing brought it."""
    is_out = request.publishes and answer["outcome"] in ("published", "unchanged")
    is_due = answer["month"] == str(Month.of(services.now(), services.zone).plus(-1))
    metrics.add_metric("Published", MetricUnit.Count, int(is_out and is_due))
    metrics.add_metric("Held", MetricUnit.Count, int(answer["outcome"] == "held"))
    if quality := answer.get("quality"):
        bad = sum(sum(dataset["bad_rows"].values()) for dataset in quality["datasets"].values())
        metrics.add_metric("QuarantinedRows", MetricUnit.Count, bad)
