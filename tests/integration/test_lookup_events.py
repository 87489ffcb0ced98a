"""The shipped API events: there is one for each operation, and each is answered with 200."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from functions.lookup.api import api
from local.cloud.gateway import Request, event_for
from tools.docs.example import example_handler

EVENTS = {path.stem: path for path in sorted((Path(__file__).parents[2] / "events").glob("api-*.json"))}


def shipped(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(EVENTS[name].read_text(encoding="utf-8"))
    return event


@pytest.mark.parametrize("name", EVENTS)
def test_a_shipped_event_is_answered(name: str) -> None:
    answer = example_handler()(shipped(name), None)
    assert answer["statusCode"] == 200
    assert answer["headers"]["X-Request-Id"] == "example-request"


def test_every_operation_has_an_event() -> None:
    routes = {shipped(name)["routeKey"].replace("{", "<").replace("}", ">") for name in EVENTS}
    assert routes == {f"{operation.method} {operation.rule}" for operation in api.operations}


@pytest.mark.parametrize("name", EVENTS)
def test_a_shipped_event_has_the_form_of_the_gateways_events(name: str) -> None:
    event = shipped(name)
    target = event["rawPath"] + (f"?{event['rawQueryString']}" if event["rawQueryString"] else "")
    made = event_for(Request(event["requestContext"]["http"]["method"], target, claims={"sub": "x"}))
    for field in ("version", "routeKey", "rawPath", "rawQueryString", "pathParameters", "queryStringParameters"):
        assert event.get(field) == made.get(field), field
    assert event["requestContext"].keys() == made["requestContext"].keys()
