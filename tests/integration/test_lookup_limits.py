"""No caller can make an answer large or expensive: tried with the largest inputs that the gateway accepts."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.lookup.api import api as declared
from functions.lookup.routing import Operation
from functions.lookup.sizes import ANSWER_BYTES, BODY_BYTES
from shared.levels import Benefit, BenefitKind, Grant
from shared.months import Month
from tests.published import Caller, World, agency, empty_world, event, path_of, rulebook

LAMBDA_BYTES = 6_291_556  # of a function's whole result
REFUSAL_BYTES = 10_000
SECONDS = 2.0  # of the processor; a refusal takes milliseconds
MEGABYTES_10, KILOBYTES_10, KILOBYTES_8 = 10 * 1024**2, 10 * 1024, 8 * 1024
MONTHS = [str(Month(2020, 1).plus(n)) for n in range(40)]
BODIES = {
    "ten megabytes of nothing": " " * MEGABYTES_10,
    "ten megabytes that would be valid": '{"agency_ids": ["A"]}'.ljust(MEGABYTES_10),
    "one byte more than may be": '{"agency_ids": ["A"]}'.ljust(BODY_BYTES + 1),
    "wrong entries": json.dumps({"agency_ids": [0] * 30_000}),
    "unknown fields": json.dumps({f"{n:07d}": 0 for n in range(500_000)}),
    "long names": json.dumps({"x" * 30_000: 0, "y" * 30_000: 0}),
    "as many fields as fit": json.dumps({str(n): 0 for n in range(6_000)}),
    "as many entries as fit": json.dumps({"agency_ids": [0] * 20_000}),
    "one long id": json.dumps({"agency_ids": ["x" * 60_000]}),
    "deep": "[" * 60_000,
    "a long number": "1" * 60_000,
}
QUERIES = {
    "many unknown parameters": "&".join(f"{n}=" for n in range(1_500))[:KILOBYTES_8],
    "a long month": "month=" + "1" * KILOBYTES_8,
    "a long cursor": "level=1&cursor=" + "A" * KILOBYTES_8,
    "a long limit": "level=1&limit=" + "9" * KILOBYTES_8,
    "a long name": "x" * KILOBYTES_8 + "=1",
}
GUARDED = [operation for operation in declared.operations if operation.scope]
WITH_BODY = [operation for operation in declared.operations if operation.body]
WITHOUT_BODY = [operation for operation in declared.operations if not operation.body]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Forty months; agency A is in the first and the last of them."""
    with empty_world() as world:
        for month in MONTHS:
            name = "A" if month in (MONTHS[0], MONTHS[-1]) else "B"
            world.publish(month, [agency(name, four=1)])
        yield world


@pytest.fixture(scope="module")
def api(world: World) -> Caller:
    caller = world.caller(retention=100, now=lambda: datetime(2023, 5, 20, tzinfo=UTC))
    assert caller.get("/v1/levels").status == 200
    return caller


def measured(api: Caller, asked: dict[str, Any]) -> tuple[dict[str, Any], int, float]:
    """An answer, the bytes of the function's result, and the CPU seconds that it took."""
    began = time.process_time()
    answer = api.handler(asked, None)
    seconds = time.process_time() - began
    return answer, len(json.dumps(answer, ensure_ascii=False).encode()), seconds


@pytest.mark.parametrize("operation", WITH_BODY, ids=lambda operation: operation.name)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_large_body_is_refused_with_a_short_answer_and_without_a_read(
    world: World, api: Caller, body: str, operation: Operation
) -> None:
    asked = event(operation.method, path_of(operation), body=body)
    with world.reads() as reads:
        answer, size, seconds = measured(api, asked)
    assert (answer["statusCode"] == 413) == (len(body) > BODY_BYTES)
    assert answer["statusCode"] in (200, 400, 413, 422)
    assert size < REFUSAL_BYTES or answer["statusCode"] == 200
    assert reads == []
    assert seconds < SECONDS


@pytest.mark.parametrize("operation", WITHOUT_BODY, ids=lambda operation: operation.name)
def test_a_body_that_an_operation_does_not_read_costs_nothing(api: Caller, operation: Operation) -> None:
    without, _, _ = measured(api, event(operation.method, path_of(operation)))
    answer, _, seconds = measured(api, event(operation.method, path_of(operation), body=" " * MEGABYTES_10))
    assert (answer["statusCode"], answer["body"]) == (without["statusCode"], without["body"])
    assert seconds < SECONDS


def test_the_limit_of_a_body_counts_its_decoded_bytes(api: Caller) -> None:
    fits = json.dumps({"agency_ids": ["A"]}).encode()
    largest = fits + b" " * (BODY_BYTES - len(fits))
    for body in (largest, largest + b" "):
        expected = 200 if len(body) <= BODY_BYTES else 413
        assert api.ask("POST", "/v1/agencies/batch", body=body.decode()).status == expected
        encoded = base64.b64encode(body).decode()
        assert api.ask("POST", "/v1/agencies/batch", body=encoded, is_base64=True).status == expected
    chinese = json.dumps({"agency_ids": ["机" * 30_000]}, ensure_ascii=False)  # 30,000 characters, 90,000 bytes
    assert api.ask("POST", "/v1/agencies/batch", body=chinese).status == 413


def test_an_answer_lists_twenty_faults_at_most(api: Caller) -> None:
    many = api.ask("POST", "/v1/agencies/batch", body=json.dumps({"agency_ids": [0] * 90})).json
    assert len(many["errors"]) == 20
    assert "first 20" in many["detail"]
    few = api.ask("POST", "/v1/agencies/batch", body=json.dumps({"agency_ids": [0] * 20})).json
    assert (len(few["errors"]), "first 20" in few["detail"]) == (20, False)
    long = api.ask("POST", "/v1/agencies/batch", body=json.dumps({"agency_ids": ["A"], "x" * 1_000: 1})).json
    assert len(long["errors"][0]["pointer"]) < 120


@pytest.mark.parametrize("operation", GUARDED, ids=lambda operation: operation.name)
@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_a_long_query_and_long_headers_are_refused_cheaply(
    world: World, api: Caller, operation: Operation, query: str
) -> None:
    path = path_of(operation).partition("?")[0]
    headers = {f"x-{n}": "v" * 1_000 for n in range(9)} | {"if-none-match": ",".join(['"x"'] * 250)}
    asked = event(operation.method, f"{path}?{query}", headers=headers, body='{"agency_ids": ["A"]}')
    with world.reads() as reads:
        answer, size, seconds = measured(api, asked)
    assert answer["statusCode"] in (400, 422)
    assert (size < REFUSAL_BYTES, reads) == (True, [])
    assert seconds < SECONDS


def test_a_short_page_of_history_needs_no_more_reads_than_a_long_one(world: World, api: Caller) -> None:
    with world.reads() as reads:
        page = api.get("/v1/agencies/A/history?limit=1")
    assert [item["month"] for item in page.json["items"]] == [MONTHS[-1]]
    assert len(reads) <= 2  # forty months in steps of 25
    with world.reads() as reads:
        following = api.get(f"/v1/agencies/A/history?limit=1&cursor={page.json['next']}")
    assert [item["month"] for item in following.json["items"]] == [MONTHS[0]]
    assert len(reads) <= 3


# --- the largest answers ----------------------------------------------------------------------------------------------

LONG = "“长\\" * 10_000  # three bytes a character, and two of three characters are escaped twice


@pytest.fixture(scope="module")
def verbose() -> Iterator[Caller]:
    """A hundred agencies of a level whose benefits have very long names."""
    benefit = Benefit("b", LONG, LONG, BenefitKind.FLAG, (Grant(1), Grant(2), Grant(3)))
    benefits = tuple(replace(benefit, key=f"b{n}") for n in range(12))
    with empty_world() as world:
        world.publish("2026-10", [agency(f"A{n:03d}", four=1) for n in range(100)], rulebook(benefits=benefits))
        yield world.caller()


def test_names_of_benefits_count_for_the_size_of_an_answer(verbose: Caller) -> None:
    ids = [f"A{n:03d}" for n in range(100)]
    refused = verbose.batch(ids)
    assert (refused.status, refused.json["errors"][0]["code"]) == (422, "answer-too-long")
    assert verbose.batch(ids[:2]).status == 200

    seen, path = list[str](), "/v1/agencies?level=1&limit=100"
    while path and len(seen) < 20:
        _, size, _ = measured(verbose, event("GET", path))
        assert size < LAMBDA_BYTES
        page = verbose.get(path).json
        seen += [card["agency_id"] for card in page["items"]]
        path = page["next"] and f"/v1/agencies?level=1&limit=100&cursor={page['next']}"
    assert seen == ids[: len(seen)]


@pytest.mark.parametrize("operation", GUARDED, ids=lambda operation: operation.name)
def test_no_answer_is_larger_than_lambda_allows(verbose: Caller, operation: Operation) -> None:
    asked = event(operation.method, path_of(operation, "A000", level=1, benefit="b0"), body='{"agency_ids": ["A000"]}')
    answer, size, _ = measured(verbose, asked)
    assert answer["statusCode"] in (200, 500)
    assert size < LAMBDA_BYTES
    assert answer["statusCode"] == 200 or len(answer["body"]) < ANSWER_BYTES
