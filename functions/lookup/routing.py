"""Operations as this API offers them: each with its audience, what it takes, and what its description must tell.

Powertools routes and catches; the contract's models read what is asked and write the answer. Powertools' own validation
layer would do that too, at a fifth of the time of a whole warm answer and a tenth of the start.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, get_type_hints

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response, content_types
from pydantic_core import to_json

from functions.lookup.contract import Answer
from functions.lookup.problems import Problem
from functions.lookup.request_parsing import read_body, read_query

PUBLIC, AGENCY = "levels.public", "levels.agency"

View = dict[str, Any]

_PLACEHOLDER = re.compile(r"(<\w+>)")
_Route = TypeVar("_Route", bound=Callable[..., View])


@dataclass(frozen=True, slots=True)
class Operation:
    """What may be asked, and how it is answered.

    ``scope``: what a token must hold, None for no token. ``problems``: refusals of its own. ``takes``: the types of its
    path's placeholders, of ``asked`` (its query) and of ``body``.
    """

    name: str
    about: str
    method: str
    rule: str
    scope: str | None
    answer: type[Answer]
    problems: tuple[type[Problem], ...]
    takes: dict[str, Any]
    pattern: re.Pattern[str]


class Api(APIGatewayHttpResolver):
    """Powertools' resolver that also knows its operations."""

    def __init__(self) -> None:
        super().__init__(debug=False)
        self.operations: list[Operation] = []

    @staticmethod
    def _compile_regex(rule: str, base_regex: str = r"{}\Z") -> re.Pattern[str]:
        """Whatever stands between two slashes is an id, so that a hostile one is answered like any unknown one."""
        return re.compile(base_regex.format(_PLACEHOLDER.sub(r"(?P\1[^/]+)", rule)))

    def offer(
        self, method: str, rule: str, scope: str | None, answer: type[Answer], *problems: type[Problem]
    ) -> Callable[[_Route], _Route]:
        """Registers the decorated function for an operation; its docstring is what the description says.

        Besides what stands in the path it may take ``asked``, a model of the query, and ``body``, one of the body.
        What it returns is held against ``answer`` before it is sent, but for an agency's own: that has nothing to hide
        from its reader, tests hold it to its model, and the check would cost a tenth of the time of the whole answer.
        """

        def written(view: View) -> str:
            return to_json(view).decode() if scope == AGENCY else answer(**view).model_dump_json()

        def register(route: _Route) -> _Route:
            takes = get_type_hints(route, include_extras=True)
            pattern = self._compile_regex(rule)
            self.operations.append(
                Operation(route.__name__, route.__doc__ or "", method, rule, scope, answer, problems, takes, pattern)
            )

            def answered(**inputs: Any) -> Response[str]:
                if "asked" in takes:
                    inputs["asked"] = read_query(self.current_event, takes["asked"])
                if "body" in takes:
                    inputs["body"] = read_body(self.current_event, takes["body"])
                return Response(200, content_types.APPLICATION_JSON, written(route(**inputs)))

            self.route(rule, method, operation_id=route.__name__)(answered)
            return route

        return register

    def methods_at(self, path: str) -> list[str]:
        """The methods that a path takes; none for a path that there is not. A literal path beats one with an id."""
        fitting = [operation for operation in self.operations if operation.pattern.match(path)]
        methods = [o.method for o in fitting if o.rule == path] or [o.method for o in fitting]
        return [*methods, *(["HEAD"] if "GET" in methods else []), "OPTIONS"] if methods else []
