"""Answers every error as a problem, and logs those that are our fault."""

from __future__ import annotations

from http import HTTPStatus

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from functions.lookup import problems
from functions.lookup.problems import Problem
from functions.lookup.routing import Api
from shared.errors import ItemInvalid, LevelsError, NothingPublished
from shared.observability import count_now, logger


def answer_refusals(api: Api) -> None:
    """Make the API answer every exception, unknown path and unknown method."""

    def unrouted(_: NotFoundError) -> Response[str]:
        methods = sorted(api.methods_at(api.current_event.path))
        if not methods:
            return problems.RouteUnknown().response()
        if api.current_event.http_method == "OPTIONS":
            return Response(HTTPStatus.NO_CONTENT.value, body="", headers={"Allow": ", ".join(methods)})
        return problems.MethodUnknown(methods).response()

    api.not_found(unrouted)
    api.exception_handler(Problem)(Problem.response)
    api.exception_handler(NothingPublished)(_nothing_published)
    api.exception_handler(ItemInvalid)(_unexpected)  # a retry does not help
    api.exception_handler(LevelsError)(_unavailable)
    api.exception_handler(Exception)(_unexpected)


def _nothing_published(_: NothingPublished) -> Response[str]:
    return problems.nothing_published().response()


def _unavailable(error: LevelsError) -> Response[str]:
    logger.error("a request could not be answered", error=str(error))
    count_now("Faults")
    return problems.table_unavailable().response()


def _unexpected(error: Exception) -> Response[str]:
    logger.error("a request failed", exc_info=error)
    count_now("Faults")
    return problems.Unexpected().response()
