"""Writes what the console shows: the answer to the ticket of a request, and the result of the latest check."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from functions.rating.events import Request
from functions.rating.services import Services
from functions.rating.workbook.changes import changes_id
from functions.rating.workbook.status_words import FAILURES
from shared.errors import ChangesUnseen, LevelsError, TableUnavailable, WorkbookFaulty, WorkbookUnavailable
from shared.months import Month
from shared.observability import logger
from shared.tickets import SHOWN_FAULTS, by_fall, close_ticket, keep_check

_LEFT_OUT = ("preview", "prepared", "quality", "stages", "distributions")  # long, and the report has them
SHOWN_MOVERS = 600


def answered_for_the_console(
    request: Request, services: Services, answer: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """Call ``answer``, write its result or its error for the console, and return the result.

    Raises what ``answer`` raises.
    """
    try:
        answered = answer()
    except WorkbookFaulty as error:
        found = {"faults": error.faults, "changes": error.changes}
        _keep_check(services, {"outcome": "faulty", "month": None, **found})
        _close(request, services, "failed", _error_fields(error) | {"faults": error.faults[:SHOWN_FAULTS]})
        raise
    except ChangesUnseen as error:
        _keep_check(services, error.found)
        _close(request, services, "failed", _error_fields(error))
        raise
    except LevelsError as error:
        _close(request, services, "failed", _error_fields(error))
        raise
    if request.reads_the_sheet:
        _keep_check(services, answered)
    brief = {name: value for name, value in answered.items() if name not in _LEFT_OUT}
    if answered["outcome"] == "previewed" and answered["run"] is None:  # a month to come has no report
        brief["to_come"] = _to_come(answered["month"], answered, SHOWN_MOVERS)
    _close(request, services, "done", brief | {"faults": answered["faults"][:SHOWN_FAULTS]})
    return answered


def _error_fields(error: LevelsError) -> dict[str, Any]:
    """An error as the console shows it: type, message (2,000 characters at most), Chinese message."""
    names = [kind.__name__ for kind in type(error).__mro__]
    in_chinese = next((FAILURES[name] for name in names if name in FAILURES), None)
    return {"error": names[0], "message": str(error)[:2000], "message_zh": in_chinese}


def _close(request: Request, services: Services, state: Any, answer: Mapping[str, Any]) -> None:
    if request.ticket:
        _write_or_log(lambda: close_ticket(services.table, request.ticket or "", state, answer))


def _keep_check(services: Services, answer: Mapping[str, Any]) -> None:
    found = {
        "at": services.now().isoformat(timespec="seconds"),
        "outcome": answer["outcome"],
        "month": answer["month"],
        "effective_month": answer.get("effective_month"),
        "faults": answer["faults"][:SHOWN_FAULTS],
        "unshown_faults": max(0, len(answer["faults"]) - SHOWN_FAULTS),
        "changes": answer.get("changes", [])[:SHOWN_FAULTS],
        "changes_id": changes_id(answer.get("changes", [])),
        "prepared": _prepared(answer.get("prepared", [])),
        "addresses": dict(_addresses(services)) if answer["faults"] or answer.get("changes") else {},
    }
    _write_or_log(lambda: keep_check(services.table, found))


def _prepared(steps: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [_to_come(step["effective_month"], step, SHOWN_MOVERS // len(steps)) for step in steps]


def _to_come(month: str, tried: Mapping[str, Any], most: int) -> dict[str, Any]:
    """What the rules of a month to come would do. ``most``: of its movers, so that they fit into an item of the table.

    Those who fall most come first.
    """
    moves = tried["preview"]
    movers = sorted(moves["movers"], key=by_fall)
    return {
        "month": month,
        "due_on": Month.parse(month).renewed_on.isoformat(),
        **{part: tried[part] for part in ("measured_month", "moves", "level_names")},
        **{part: moves[part] for part in ("matrix", "metrics", "moving")},
        "movers": movers[:most],
    }


def _addresses(services: Services) -> Mapping[str, str]:
    """The web address of each tab. Empty when they can't be read: the console then names cells without a link."""
    try:
        return services.workbook.addresses()
    except WorkbookUnavailable as error:
        logger.warning("the addresses of the tabs could not be read", cause=str(error))
        return {}


def _write_or_log(write: Callable[[], None]) -> None:
    """Write to the table, or log that it failed: levels don't depend on what the console shows."""
    try:
        write()
    except TableUnavailable as error:
        logger.warning("the answer for the console could not be written", cause=str(error))
