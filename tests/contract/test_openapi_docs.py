"""docs/api.md: every operation is shown, with what the handler answers today, and every refusal is listed."""

from __future__ import annotations

from functions.lookup import problems
from functions.lookup.api import api
from functions.lookup.problems import Problem
from tools.docs.api_docs import PATH, requests_in, with_answers

PAGE = PATH.read_text(encoding="utf-8")


def test_the_answers_shown_are_those_of_the_handler() -> None:
    assert with_answers(PAGE) == PAGE, "run: make docs"


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
