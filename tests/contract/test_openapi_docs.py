"""docs/api.md shows every operation with the handler's real answer, and lists every refusal."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace

import pytest
from pydantic import TypeAdapter

from functions.lookup import problems
from functions.lookup.api import api
from functions.lookup.problems import Problem
from functions.rating.publication.event_details import DETAILS
from local.cloud.front import local_claims
from local.cloud.gateway import Request
from local.cloud.template import ROOT
from tools.docs.api_docs import PATH, requests_in, with_answers
from tools.docs.event_docs import SCHEMA_PATH, schema, schema_text, with_events
from tools.docs.example import example_answer

PAGE = PATH.read_text(encoding="utf-8")


def test_the_answers_shown_are_those_of_the_handler() -> None:
    assert with_answers(PAGE) == PAGE, "run: make docs"


@pytest.mark.parametrize("page", ["api.md", "deploy.md"])
def test_the_request_that_must_be_refused_is_refused_with_403(page: str) -> None:
    """With a token that has levels.agency but names no agency; in api.md, with the claims of the local front."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    (curl,) = re.findall(r"must answer 403:\n\n```sh\n(.*)\n```", text)
    words = shlex.split(curl)
    target = next(word for word in words if word.startswith("$API")).removeprefix("$API")
    claims = {"scope": "levels.agency"} if "Authorization" in curl else local_claims(None)
    answer = example_answer(Request("GET", target, claims=claims))
    assert answer.status == 403
    with_agency = replace(Request("GET", target), claims={"scope": "levels.agency", "agency_id": target.split("/")[3]})
    assert example_answer(with_agency).status in (200, 404)


def test_the_events_shown_are_those_that_the_rating_function_makes() -> None:
    assert with_events(PAGE) == PAGE, "run: make docs"
    assert SCHEMA_PATH.read_text("utf-8") == schema_text(), "run: make docs"


@pytest.mark.parametrize("name", DETAILS)
def test_an_example_of_an_event_is_valid_by_its_schema_and_has_every_field(name: str) -> None:
    (shown,) = re.findall(rf"^`{name}`: .*\n\n```json\n(.*)\n```", PAGE, re.MULTILINE)
    TypeAdapter(DETAILS[name]).validate_python(json.loads(shown), strict=True)
    described = schema()["$defs"][name]
    assert json.loads(shown).keys() == described["properties"].keys() == set(described["required"])
    for field, definition in described["properties"].items():
        assert definition["description"], field
        assert f"| `{field}` |" in PAGE


def test_every_operation_is_shown() -> None:
    shown = {
        operation.name
        for request in requests_in(PAGE)
        for operation in api.operations
        if operation.method == request.method and operation.pattern.match(request.target.partition("?")[0])
    }
    assert shown == {operation.name for operation in api.operations}


def test_every_refusal_is_listed_with_its_status() -> None:
    refusals = [value for value in vars(problems).values() if isinstance(value, type) and issubclass(value, Problem)]
    for refusal in refusals:
        if refusal is not Problem:
            row = next(line for line in PAGE.splitlines() if f"`{refusal.code}`" in line)
            assert row.startswith(f"| {refusal.status.value} |")
