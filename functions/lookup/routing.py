"""Declared operations. This module enforces what an operation declares, so that no operation can forget it.

An operation declares its scope, its inputs and its answer. Route and agency are checked before anything is read. Then
the operation gets a Snapshot and returns its answer; ``stale`` is added, and the answer is checked before it is sent.

Powertools routes requests and catches errors; the contract's types parse the request and write the answer. Powertools'
own validation would do that too, but it takes a fifth of a warm answer's time and a tenth of the start.
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
    """What operations work with. ``base_path``: the prefix of every path under a custom domain, such as ``/levels``."""

    publications: Publications
    cursors: Cursors
    access: Access = field(default_factory=Access)
    budget: Budget = field(default_factory=Budget)
    base_path: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """One declared operation.

    ``scope``: the scope that a token must have, None if no token is needed. ``problems``: the errors of its own.
    ``asked``: the model of its query, None without a scope. ``takes``: the types of its parameters by name, including
    the placeholders of its path.
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
    """The answer is too long to be sent. The caller can't fix that."""


class Api(APIGatewayHttpResolver):
    """Powertools' resolver with the list of its operations."""

    def __init__(self) -> None:
        super().__init__(debug=False)
        self.operations: list[Operation] = []

    @staticmethod
    def _compile_regex(rule: str, base_regex: str = r"{}\Z") -> re.Pattern[str]:
        """Any text between two slashes is an id, so a hostile id is answered like any unknown one."""
        return re.compile(base_regex.format(_PLACEHOLDER.sub(r"(?P\1[^/]+)", rule)))

    def operation(
        self, method: str, rule: str, scope: str | None, *problems: type[Problem]
    ) -> Callable[[_Route], _Route]:
        """Declares the decorated function as an operation. Its docstring becomes the API's description.

        Its return type is a TypedDict of the contract. It gets the placeholders of its path by name, and any of these
        that it names: ``snapshot`` (of the month in the query), ``asked`` (a model of the query; without it, the query
        may only have a month), ``body`` (a model of the body), ``cursors``. With the scope AGENCY its path contains
        ``<agency_id>``, and a token of another agency is refused.
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
        """The answer of an operation that needs a token, with ``stale``. Raises the refusal if a check fails."""
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
        """The methods of a path; none for an unknown path."""
        methods = [operation.method for operation in self.operations if operation.pattern.match(path)]
        return [*methods, *(["HEAD"] if "GET" in methods else []), "OPTIONS"] if methods else []


def _sent(answer: type, *, stale: bool) -> type[BaseModel]:
    """The answer as JSON, with exactly the fields of the contract."""
    fields = get_type_hints(answer, include_extras=True) | ({"stale": Stale} if stale else {})
    required: dict[str, Any] = {name: (kind, ...) for name, kind in fields.items()}
    return create_model(answer.__name__, __doc__=answer.__doc__, __config__=_SENT, **required)
