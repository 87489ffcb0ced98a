"""Operations as this API offers them: each with its audience, its manners, and what its description must tell."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from functions.lookup.audience import require_route
from functions.lookup.conditional import as_json, conditional
from functions.lookup.problems import Problem

PUBLIC, AGENCY = "levels.public", "levels.agency"

_PLACEHOLDER = re.compile(r"(<\w+>)")
_Route = TypeVar("_Route", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Operation:
    """What may be asked. ``scope``: what a token must hold, None for no token. ``problems``: refusals of its own."""

    name: str
    method: str
    rule: str
    scope: str | None
    problems: tuple[type[Problem], ...]
    pattern: re.Pattern[str]


class Api(APIGatewayHttpResolver):
    """Powertools' resolver that also knows its operations."""

    def __init__(self) -> None:
        super().__init__(
            enable_validation=True,
            response_validation_error_http_code=500,  # a bad answer is our fault, not the caller's
            serializer=as_json,
            debug=False,
        )
        self.operations: list[Operation] = []

    @staticmethod
    def _compile_regex(rule: str, base_regex: str = r"{}\Z") -> re.Pattern[str]:
        """Whatever stands between two slashes is an id, so that a hostile one is answered like any unknown one."""
        return re.compile(base_regex.format(_PLACEHOLDER.sub(r"(?P\1[^/]+)", rule)))

    def offer(self, method: str, rule: str, scope: str | None, *problems: type[Problem]) -> Callable[[_Route], _Route]:
        """Registers the decorated function for an operation; its docstring is what the description says."""

        def register(route: _Route) -> _Route:
            self.operations.append(Operation(route.__name__, method, rule, scope, problems, self._compile_regex(rule)))
            summary, _, description = (route.__doc__ or "").partition("\n\n")
            documented: dict[str, Any] = {
                "summary": summary.removesuffix("."),
                "description": " ".join(description.split()) or None,
                "operation_id": route.__name__,
            }
            middlewares = [authorized, conditional] if scope else [conditional]
            self.route(rule, method, middlewares=middlewares, **documented)(route)
            return route

        return register

    def methods_at(self, path: str) -> list[str]:
        """The methods that a path takes; none for a path that there is not. A literal path beats one with an id."""
        fitting = [operation for operation in self.operations if operation.pattern.match(path)]
        methods = [o.method for o in fitting if o.rule == path] or [o.method for o in fitting]
        return [*methods, *(["HEAD"] if "GET" in methods else []), "OPTIONS"] if methods else []


def authorized(
    app: APIGatewayHttpResolver, next_middleware: Callable[[APIGatewayHttpResolver], Response[object]]
) -> Response[object]:
    """Lets through what came by the very route for which the gateway checked the token."""
    event = app.current_event
    require_route(event.raw_event, event.path, authorized_only=app.context["desk"].authorized_routes_only)
    return next_middleware(app)
