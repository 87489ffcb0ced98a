"""config/openapi-operations.json is generated, valid and routed; every answer of the handler follows it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import Case

from functions.operations.api import SCOPE
from local.cloud.front import front
from local.cloud.template import LOOKUP, OPERATIONS, api_routes
from tests.cloud import small_cloud
from tests.operating import LI, Console
from tools.docs.console_openapi import PATH, text

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

COMMITTED: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))


def test_the_committed_document_is_generated_from_the_code() -> None:
    assert PATH.read_text(encoding="utf-8") == text(), "run: make docs"


def test_it_is_a_valid_openapi_3_1_document() -> None:
    OpenAPIV31SpecValidator(COMMITTED).validate()


def test_every_operation_has_a_route_with_the_one_scope_and_the_other_way_round() -> None:
    described = {(method.upper(), path) for path, methods in COMMITTED["paths"].items() for method in methods}
    routed = {(route.method, route.path): route.scopes for route in api_routes() if route.function == OPERATIONS}
    assert routed.keys() == described
    assert set(routed.values()) == {(SCOPE,)}


class Served:
    """The function as a WSGI application. The tests are made at import; the fixture sets the application afterwards."""

    application: WSGIApplication

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        return self.application({**environ, "HTTP_AUTHORIZATION": "Bearer good"}, start_response)


served = Served()
schema = schemathesis.openapi.from_dict(COMMITTED)
schema.app = served


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder: Path = tmp_path_factory.mktemp("world")
    with small_cloud(folder) as cloud:
        cloud.put_month("2026-04", {"a": (5, 500_000), "b": (3, 20_000)})
        cloud.rate({"month": "2026-04"})
        handler = Console(cloud).handler
        functions = {LOOKUP: handler, OPERATIONS: handler}
        served.application = front(handler, functions, lambda token: dict(LI) if token == "good" else None)
        yield


@schema.parametrize()
@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@pytest.mark.usefixtures("world")
def test_every_answer_follows_the_description_whatever_is_sent(case: Case[Any]) -> None:
    case.call_and_validate()
