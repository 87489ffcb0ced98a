"""Runs what people have ticked in the console tab of the sheet, and writes the answer next to each tick."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from functions.rating.events import Request, parse_event
from functions.rating.services import Services
from functions.rating.status import show_status
from functions.rating.workbook.asks import DECISIONS, Ask, AskRefused
from functions.rating.workbook.source import WorkbookSource
from functions.rating.workbook.status_words import OUTCOMES, failure, one_language
from shared.errors import LevelsError, WorkbookFaulty, WorkbookUnavailable
from shared.items import key
from shared.observability import logger
from shared.table import Table, table_errors

Do = Callable[[Request, Services], dict[str, Any]]


LEASE = timedelta(minutes=10)  # longer than Google takes to be read and unticked with every attempt
LEASE_KEY = key("CONSOLE", "CONSOLE")


def read_asks(workbook: WorkbookSource) -> list[Ask]:
    """The ticked requests. Empty if the sheet can't be read: the schedule tries again soon."""
    try:
        return list(workbook.asks())
    except WorkbookUnavailable as error:
        logger.warning("the console tab could not be read", cause=str(error))
        return []


def claim_asks(services: Services) -> list[Ask]:
    """The ticked requests; their ticks are removed. Of two invocations at once only one gets a tick.

    The sheet knows no conditional write, so a lease in the table decides, and the ticks are read again under it. Empty
    if another invocation holds the lease or the sheet can't be changed. Raises TableUnavailable.
    """
    ends = _take_lease(services.table, services.now())
    if ends is None:
        logger.info("another invocation is reading the ticks")
        return []
    try:
        asks = list(services.workbook.asks())
        if asks:
            services.workbook.claim(asks)
    except WorkbookUnavailable as error:
        logger.warning("the ticks could not be removed", cause=str(error))
        return []
    finally:
        _end_lease(services.table, ends)
    return asks


def _take_lease(table: Table, now: datetime) -> str | None:
    """The second in which the lease ends, None if it is another's."""
    ends = str(int((now + LEASE).timestamp()))
    with table_errors(table.name), suppress(table.client.exceptions.ConditionalCheckFailedException):
        table.client.put_item(
            TableName=table.name,
            Item=LEASE_KEY | {"expires_at": {"N": ends}},
            ConditionExpression="attribute_not_exists(pk) OR expires_at <= :now",
            ExpressionAttributeValues={":now": {"N": str(int(now.timestamp()))}},
        )
        return ends
    return None


def _end_lease(table: Table, ends: str) -> None:
    """End the lease, unless it has expired and another invocation has taken it."""
    with table_errors(table.name), suppress(table.client.exceptions.ConditionalCheckFailedException):
        table.client.update_item(
            TableName=table.name,
            Key=LEASE_KEY,
            UpdateExpression="SET expires_at = :ended",
            ConditionExpression="expires_at = :ends",
            ExpressionAttributeValues={":ended": {"N": "0"}, ":ends": {"N": ends}},
        )


def do_asks(asks: list[Ask], services: Services, do: Do) -> list[dict[str, Any]]:
    """Run the requests in order; returns kind, outcome and name of each, for the log.

    ``do`` runs one request and writes the status tab.
    """
    return [_do_and_answer(ask, services, do) for ask in asks]


def _do_and_answer(ask: Ask, services: Services, do: Do) -> dict[str, Any]:
    try:
        outcome, why, refused = str(do(parse_event(ask.event()), services)["outcome"]), "", False
    except AskRefused as error:
        outcome, why, refused = "refused", one_language(str(error), ask.language), True
        show_status(services, {"outcome": outcome, "error": "AskRefused", "message": str(error)})
    except WorkbookFaulty:
        outcome, why, refused = "faulty", "", False
    except LevelsError as error:
        outcome, why, refused = "failed", failure(type(error).__name__, str(error), ask.language), True
        logger.warning("a request ticked in the sheet failed", ask=ask.kind, cause=str(error))
    done = not refused and ask.kind in DECISIONS
    at = services.now().astimezone(services.zone)
    message = f"{at:%Y-%m-%d %H:%M} {getattr(OUTCOMES[outcome], ask.language)}" + (f"\n{why}" if why else "")
    try:
        services.workbook.answer(ask, message, done=done)
    except WorkbookUnavailable as error:
        logger.warning("the answer could not be written to the console tab", cause=str(error))
    summary: dict[str, Any] = {"ask": ask.kind, "outcome": outcome, "by": ask.name}
    logger.info("a request ticked in the sheet is done", **summary)
    return summary
