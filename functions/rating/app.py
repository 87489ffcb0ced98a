"""The rating function: parses the event, builds the services, runs one command and logs one summary line."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import MetricUnit

from functions.rating.commands.check import check, next_to_rate
from functions.rating.commands.decide import Decision, accept, roll_back
from functions.rating.commands.prepared import prepared_beside
from functions.rating.commands.rate import preview, rate_month
from functions.rating.commands.refresh import refresh
from functions.rating.commands.repair import repair
from functions.rating.commands.verify import verify
from functions.rating.console import answered_for_the_console
from functions.rating.events import Request, parse_event
from functions.rating.measuring.totals import StillMeasuring
from functions.rating.monitoring import count_answer, count_failure, refused
from functions.rating.publication import ledger
from functions.rating.result import result
from functions.rating.scratch import WHOLE_OR_NOT, causes_named, run_folder
from functions.rating.services import Services
from functions.rating.sheet_console import claim_asks, do_asks, read_asks
from functions.rating.status import show_status
from functions.rating.versions import show_versions
from functions.rating.wiring import wire, wire_workbook
from shared.errors import EventsUnsent, ItemInvalid, LevelsError, OutOfRoom, ScratchUnusable, WorkbookFaulty
from shared.observability import logger, metrics
from shared.settings import RatingSettings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

IN_THE_LEDGER = ("published", "held", "rolled_back", "refreshed", "repaired")

NOTHING_ASKED = {"outcome": "nothing_asked"}

listener: Callable[[str, int, int | None], None] | None = None
"""Called with the progress of each stage: (stage, done, total). The demo sets it to show a progress bar."""


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Run the command that one event asks for. The answer has the keys of result.py.

    Raises one subclass of LevelsError for each cause (shared/errors.py); what it refuses the console is an answer.
    """
    request, services = None, None
    try:
        settings = RatingSettings.from_environment(os.environ)
        metrics.set_default_dimensions(stack=settings.stack)
        request = parse_event(event)
        ticked = read_asks(wire_workbook(settings)) if request.mode == "console" else []
        nothing_ticked = request.mode == "console" and not ticked
        metrics.add_metric("Runs", MetricUnit.Count, int(not nothing_ticked))
        if nothing_ticked:
            return NOTHING_ASKED
        with run_folder(settings.scratch) as scratch:
            services = wire(settings.model_copy(update={"scratch": scratch}), context, listener)
            if ticked:
                asks = claim_asks(services)
                return {"outcome": "asked", "answers": do_asks(asks, services, _run)} if asks else NOTHING_ASKED
            answer = _run(request, services)
    except LevelsError as error:
        if refused(error, request):
            logger.warning("a request of the console was refused", cause=str(error), request=event)
            return {"outcome": "refused", "error": type(error).__name__, "message": str(error)}
        count_failure(error, event, request, services)
        raise
    finally:
        gc.unfreeze()  # undo the freeze of rate_all
    return answer


def _run(request: Request, services: Services) -> dict[str, Any]:
    """Answer a request. Before and after it, send the events that are still unsent, as far as the bus takes them."""
    if request.sends_events:
        try:
            _send_pending(services)
        except (EventsUnsent, ItemInvalid) as error:
            logger.warning("events of earlier publications are still unsent", cause=str(error))
    answer = answered_for_the_console(request, services, lambda: _answer(request, services))
    count_answer(answer, request, services)
    if request.sends_events:
        metrics.add_metric("EventsSent", MetricUnit.Count, _send_pending(services))
    return answer


def _send_pending(services: Services) -> int:
    """How many events were sent. Raises EventsUnsent, also where the machine refuses: what is published stays so."""
    try:
        with causes_named(services.scratch, "The levels stay published, and the next firing sends the events."):
            return services.publisher.outbox.send_pending(services.progress)
    except (OutOfRoom, ScratchUnusable) as error:
        raise EventsUnsent(str(error)) from error


def _answer(request: Request, services: Services) -> dict[str, Any]:
    """Answer a request and write the same answer to the status tab."""
    if request.uploaded and not services.workbook.owns(*request.uploaded):
        logger.info("what was uploaded is not the workbook", uploaded="/".join(request.uploaded))
        return result("unchanged", str(next_to_rate(services)))
    try:
        with causes_named(services.scratch, WHOLE_OR_NOT):
            answer = _do(request, services)
    except StillMeasuring as running:
        answer = result("measuring", running.month, measurement=running.measurement, job_run=running.run)
    except WorkbookFaulty as error:
        show_status(services, {"outcome": "faulty", "faults": error.faults, "changes": error.changes})
        raise
    except LevelsError as error:
        failed = {"outcome": "failed", "month": request.month, "error": type(error).__name__, "message": str(error)}
        show_status(services, failed)
        raise
    if answer["outcome"] in IN_THE_LEDGER or answer.get("texts_published"):
        show_versions(services)
        services.reports.export_ledger(answer["month"], tuple(ledger.entries(services.table, answer["month"])))
    if request.reads_the_sheet:
        show_status(services, answer)
    elif not request.verify:
        said = {name: value for name, value in answer.items() if name != "faults"}
        show_status(services, {**said, "prepared": prepared_beside(services, None)})
    return answer


def _do(request: Request, services: Services) -> dict[str, Any]:
    """Call the command that a request names."""
    decision = Decision(request.by or "", request.reason or "", request.anyway, request.confirms)
    if request.accept:
        return accept(services, request.accept, decision)
    if request.rollback:
        return roll_back(services, request.rollback, decision)
    if request.verify:
        return verify(services, request.verify)
    if request.mode == "refresh":
        return refresh(services, decision if request.by else None)
    if request.mode == "check":
        return check(services, next_to_rate(services))
    month = request.rating_month(services.zone)
    if request.repair:
        return repair(services, month)
    if request.mode == "preview":
        return preview(services, month)
    if request.job_ended and services.now().astimezone(services.zone).date() < month.renewed_on:
        return result("unchanged", str(month))  # the job was started by a preview; the month is not due yet
    return rate_month(services, month, scheduled=request.scheduled_at is not None)
