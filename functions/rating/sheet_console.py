"""Runs what people have ticked in the console tab of the sheet, and writes the answer next to each tick."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from functions.rating.events import Request, parse_event
from functions.rating.services import Services
from functions.rating.status import show_status
from functions.rating.workbook.asks import DECISIONS, Ask, AskRefused
from functions.rating.workbook.source import WorkbookSource
from functions.rating.workbook.status_words import OUTCOMES, failure, one_language
from shared.errors import LevelsError, WorkbookFaulty, WorkbookUnavailable
from shared.observability import logger

Do = Callable[[Request, Services], dict[str, Any]]


def read_asks(workbook: WorkbookSource) -> list[Ask]:
    """The ticked requests; their ticks are removed. Empty if the sheet can't be read: the schedule tries again soon."""
    try:
        return list(workbook.asks())
    except WorkbookUnavailable as error:
        logger.warning("the console tab could not be read", cause=str(error))
        return []


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
    summary: Mapping[str, Any] = {"ask": ask.kind, "outcome": outcome, "by": ask.name}
    logger.info("a request ticked in the sheet is done", **summary)
    return dict(summary)
