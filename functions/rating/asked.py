"""Does what people have ticked in the console tab of the sheet, and answers beside each tick."""

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


def look(workbook: WorkbookSource) -> list[Ask]:
    """What is ticked, unticked now. A sheet that can't be read now is looked at again minutes later."""
    try:
        return list(workbook.asks())
    except WorkbookUnavailable as error:
        logger.warning("the console tab could not be read", cause=str(error))
        return []


def do_asked(asks: list[Ask], services: Services, do: Do) -> list[dict[str, Any]]:
    """Do one after the other; what came of each, as its row says it. ``do`` writes the status tab itself."""
    return [_done(ask, services, do) for ask in asks]


def _done(ask: Ask, services: Services, do: Do) -> dict[str, Any]:
    try:
        outcome, why, refused = str(do(parse_event(ask.event()), services)["outcome"]), "", False
    except AskRefused as error:
        outcome, why, refused = "refused", one_language(str(error), ask.language), True
        show_status(services, {"outcome": outcome, "error": "AskRefused", "message": str(error)})
    except WorkbookFaulty:
        outcome, why, refused = "faulty", "", False
    except LevelsError as error:
        outcome, why, refused = "failed", failure(type(error).__name__, str(error), ask.language), True
        logger.warning("what was asked in the sheet could not be done", ask=ask.kind, cause=str(error))
    done = not refused and ask.kind in DECISIONS
    at = services.now().astimezone(services.zone)
    said = f"{at:%Y-%m-%d %H:%M} {getattr(OUTCOMES[outcome], ask.language)}" + (f"\n{why}" if why else "")
    try:
        services.workbook.answer(ask, said, done=done)
    except WorkbookUnavailable as error:
        logger.warning("the console tab could not be answered", cause=str(error))
    answered: Mapping[str, Any] = {"ask": ask.kind, "outcome": outcome, "by": ask.name}
    logger.info("asked in the sheet", **answered)
    return dict(answered)
