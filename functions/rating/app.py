"""The rating function: reads the event, wires the real parts, does what is asked, logs one summary line."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools.metrics import MetricUnit
from botocore.config import Config

from functions.rating.corrections import Decision, accept, roll_back, verify
from functions.rating.events import Request, parse_event
from functions.rating.extracts.month import Extracts
from functions.rating.parts import Parts
from functions.rating.publication.announce import Announcer
from functions.rating.publication.publish import WRITERS
from functions.rating.publication.report import Reports
from functions.rating.refresh import refresh
from functions.rating.run import check, preview, rate_month
from functions.rating.stages import Stages
from functions.rating.workbook import sheet
from functions.rating.workbook.description import load_description
from functions.rating.workbook.sheet_status import write_status
from functions.rating.workbook.status import status_rows
from shared.errors import LevelsError, WorkbookFaulty, WorkbookUnavailable
from shared.months import Month
from shared.observability import logger, metrics
from shared.settings import RatingSettings
from shared.table import Table

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

ROOT = Path(__file__).parents[2]
CLIENT = Config(
    retries={"mode": "standard", "max_attempts": 8},
    connect_timeout=5,
    read_timeout=60,
    max_pool_connections=2 * WRITERS,
)

listener: Callable[[str, int, int | None], None] | None = None
"""Hears the progress of each stage: stage, done, total. A program that shows it to a person sets it."""


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Do what one event asks; the answer is that of result.py. Raises one error type per cause (shared/errors.py)."""
    metrics.add_metric("Runs", MetricUnit.Count, 1)
    try:
        request, settings = parse_event(event), RatingSettings.from_environment(os.environ)
        parts = _wire(settings, context)
        answer = _answer(request, parts, settings)
    except LevelsError as error:
        name = "WorkbookFaulty" if isinstance(error, WorkbookFaulty) else "RunFailed"
        metrics.add_metric(name, MetricUnit.Count, 1)
        logger.error("run failed", error=type(error).__name__, cause=str(error), request=event)
        raise
    finally:
        gc.unfreeze()  # the ratings, which were kept from the garbage collector
    _count(answer, request, parts)
    logger.info(
        "run done", **{name: answer[name] for name in ("outcome", "month", "run", "agencies", "moves", "report")}
    )
    return answer


def _answer(request: Request, parts: Parts, settings: RatingSettings) -> dict[str, Any]:
    """What is answered, after the sheet was told too."""
    try:
        answer = _do(request, parts)
    except WorkbookFaulty as error:
        _tell_the_sheet({"outcome": "faulty", "faults": error.faults}, parts, settings)
        raise
    if request.reads_the_sheet:
        _tell_the_sheet(answer, parts, settings)
    return answer


def _tell_the_sheet(answer: dict[str, Any], parts: Parts, settings: RatingSettings) -> None:
    """Write the status tab. Levels don't depend on it, so a refusal is logged and no more."""
    rows = status_rows(answer, parts.now().astimezone(parts.zone))
    try:
        write_status(settings.workbook, rows, parts.description)
    except WorkbookUnavailable as error:
        logger.warning("the status tab could not be written", cause=str(error))


def _do(request: Request, parts: Parts) -> dict[str, Any]:
    """The one thing that a request asks for."""
    decision = Decision(request.by or "", request.reason or "")
    if request.accept:
        return accept(parts, request.accept, decision)
    if request.rollback:
        return roll_back(parts, request.rollback, decision)
    if request.verify:
        return verify(parts, request.verify)
    if request.mode == "refresh":
        return refresh(parts)
    if request.mode == "check":
        return check(parts, _next_to_rate(parts))
    month = request.rating_month(parts.zone)
    if request.mode == "preview":
        return preview(parts, month)
    return rate_month(parts, month, scheduled=request.scheduled_at is not None)


def _next_to_rate(parts: Parts) -> Month:
    """The month whose levels come next: after the newest published one, or else the last that is over."""
    published = parts.table.pointer().publications
    return Month.parse(max(published)).plus(1) if published else Month.of(parts.now(), parts.zone).plus(-1)


def _wire(settings: RatingSettings, context: LambdaContext) -> Parts:
    """The real parts, made anew for each of a month's few invocations."""
    memory = int(context.memory_limit_in_mb) * 1024**2  # AWS gives it as text
    s3 = boto3.client("s3", config=CLIENT)
    table = Table(boto3.client("dynamodb", config=CLIENT), settings.table_name)
    stages = Stages(listener, remaining=lambda: context.get_remaining_time_in_millis() / 1000)
    description = load_description(ROOT / "config" / "workbook.json")
    return Parts(
        read_workbook=lambda: sheet.read(settings.workbook, description.reads),
        description=description,
        extracts=Extracts(s3, settings.extracts, settings.zone, settings.scratch, memory=memory),
        table=table,
        reports=Reports(s3, settings.reports),
        announcer=Announcer(table, boto3.client("events", config=CLIENT), settings.event_bus),
        zone=settings.zone,
        retention_months=settings.retention_months,
        code_version=code_version(),
        now=lambda: datetime.now(UTC),
        stages=stages,
    )


def code_version() -> str:
    """A digest of the code that rates, for the ledger: the same code has the same version on every machine."""
    digest = sha256()
    found = [*ROOT.glob("functions/rating/**/*"), *ROOT.glob("shared/*"), ROOT / "config" / "workbook.json"]
    for path in sorted(found):
        if path.suffix in (".py", ".sql", ".json"):
            digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def _count(answer: dict[str, Any], request: Request, parts: Parts) -> None:
    """Metrics that alarms watch (template.yaml). Published: last month is out, whichever firing brought it."""
    is_out = request.publishes and answer["outcome"] in ("published", "unchanged")
    is_due = answer["month"] == str(Month.of(parts.now(), parts.zone).plus(-1))
    metrics.add_metric("Published", MetricUnit.Count, int(is_out and is_due))
    metrics.add_metric("Held", MetricUnit.Count, int(answer["outcome"] == "held"))
    if quality := answer.get("quality"):
        bad = sum(sum(dataset["bad_rows"].values()) for dataset in quality["datasets"].values())
        metrics.add_metric("QuarantinedRows", MetricUnit.Count, bad)
