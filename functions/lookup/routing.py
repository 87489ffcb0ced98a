"""Operations as this API offers them. What an operation declares is enforced here, so that none can forget it.

An operation declares who may ask, what is asked and what is answered. Route and agency are checked before anything is
read; then it is handed a Snapshot and returns its answer, which gets ``stale`` and is checked before it is sent.

Powertools routes and catches; the contract's types read what is asked and write the answer. Powertools' own validation
layer would do that too, at a fifth of the time of a whole warm answer and a tenth of the start.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, get_type_hints

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response, content_types
from pydantic import BaseModel, ConfigDict, create_model

from functions.lookup.authorization import AGENCY, PUBLIC, Access
from functions.lookup.budget import Budget
from functions.lookup.contract import Asked, OfMonth, Stale
from functions.lookup.cursors import Cursors
from functions.lookup.problems import Problem
from functions.lookup.publications import Publications
from functions.lookup.request_parsing import read_body, read_query
from functions.lookup.sizes import ANSWER_BYTES, bytes_in_result

_PLACEHOLDER = re.compile(r"(<\w+>)")
_SENT = ConfigDict(extra="forbid", frozen=True, defer_build=True)
_Route = TypeVar("_Route", bound=Callable[..., Mapping[str, object]])


@dataclass(frozen=True, slots=True)
class Services:
    """What requests are answered with. ``base_path``: what a custom domain puts before every path, like ``/levels``."""

    publications: Publications
    cursors: Cursors
    access: Access = field(default_factory=Access)
    budget: Budget = field(default_factory=Budget)
    base_path: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """What may be asked, and how it is answered.

    ``scope``: what a token must hold, None for no token. ``problems``: refusals of its own. ``asked``: its query, None
    without a scope. ``takes``: the types of its parameters by name, among them its path's placeholders.
    """

    name: str
    about: str
    method: str
    rule: str
    scope: str | None
    answer: type[BaseModel]
    problems: tuple[type[Problem], ...]
    asked: type[Asked] | None
    body: type[BaseModel] | None
    takes: dict[str, Any]
    pattern: re.Pattern[str]


class AnswerTooLarge(Exception):
    """An answer can't be sent; whoever asked can't help it."""


class Api(APIGatewayHttpResolver):
    """Powertools' resolver that also knows its operations."""

    def __init__(self) -> None:
        super().__init__(debug=False)
        self.operations: list[Operation] = []

    @staticmethod
    def _compile_regex(rule: str, base_regex: str = r"{}\Z") -> re.Pattern[str]:
        """Whatever stands between two slashes is an id, so that a hostile one is answered like any unknown one."""
        return re.compile(base_regex.format(_PLACEHOLDER.sub(r"(?P\1[^/]+)", rule)))

    def operation(
        self, method: str, rule: str, scope: str | None, *problems: type[Problem]
    ) -> Callable[[_Route], _Route]:
        """Declares the decorated function as an operation; its docstring is what the description says.

        Its return type is a TypedDict of the contract. It takes the placeholders of its path by their names, and of
        these what it names: ``snapshot`` (of the month that the query asks for), ``asked`` (a model of the query, which
        otherwise may hold a month only), ``body`` (a model of the body), ``cursors``.
        With the scope AGENCY its path holds ``<agency_id>``, and a token of another agency is refused.
        """
        if scope == AGENCY and "<agency_id>" not in rule:
            raise TypeError(f"{method} {rule}: an operation for agencies has <agency_id> in its path")

        def register(route: _Route) -> _Route:
            takes = get_type_hints(route, include_extras=True)
            operation = Operation(
                route.__name__,
                route.__doc__ or "",
                method,
                rule,
                scope,
                _sent(takes.pop("return"), stale=scope is not None),
                problems,
                takes.get("asked", OfMonth) if scope else None,
                takes.get("body"),
                takes,
                self._compile_regex(rule),
            )
            self.operations.append(operation)

            def answered(**inputs: Any) -> Response[str]:
                view = self._guarded(operation, route, inputs) if scope else route()
                text = operation.answer(**view).model_dump_json()
                if bytes_in_result(text.encode()) > ANSWER_BYTES:
                    raise AnswerTooLarge(f"{operation.name}: the answer is longer than a function's result may be")
                return Response(200, content_types.APPLICATION_JSON, text)

            self.route(rule, method, operation_id=operation.name)(answered)
            return route

        return register

    def _guarded(
        self, operation: Operation, route: Callable[..., Mapping[str, object]], inputs: dict[str, Any]
    ) -> dict[str, object]:
        """The view of an operation that wants a token, with ``stale``. Raises what keeps it from being given."""
        services: Services = self.context["services"]
        event = self.current_event
        services.access.require(event.raw_event, event.path, operation.scope or PUBLIC, inputs.get("agency_id"))
        asked = read_query(event, operation.asked or Asked)
        body = read_body(event, operation.body) if operation.body else None
        snapshot = services.publications.snapshot(getattr(asked, "month", None))
        offered = {"snapshot": snapshot, "asked": asked, "body": body, "cursors": services.cursors}
        inputs |= {name: value for name, value in offered.items() if name in operation.takes}
        return {**route(**inputs), "stale": snapshot.stale}

    def methods_at(self, path: str) -> list[str]:
        """The methods that a path takes; none for a path that there is not."""
        methods = [operation.method for operation in self.operations if operation.pattern.match(path)]
        return [*methods, *(["HEAD"] if "GET" in methods else []), "OPTIONS"] if methods else []


def _sent(answer: type, *, stale: bool) -> type[BaseModel]:
    """What is sent as this answer of the contract, and nothing but that."""
    fields = get_type_hints(answer, include_extras=True) | ({"stale": Stale} if stale else {})
    required: dict[str, Any] = {name: (kind, ...) for name, kind in fields.items()}
    return create_model(answer.__name__, __doc__=answer.__doc__, __config__=_SENT, **required)
