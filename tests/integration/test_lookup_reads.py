"""How few reads an answer takes, that it is of one publication, and what is answered while DynamoDB is down."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.lookup.api import api as declared
from functions.lookup.publications import POINTER_SECONDS
from functions.lookup.routing import Operation
from shared.items import rulebook_key
from shared.levels import Grant
from tests.published import Caller, World, agency, empty_world, path_of, rulebook


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@contextmanager
def published_world() -> Iterator[World]:
    with empty_world() as world:
        world.publish("2026-10", [agency(f"A{n:03d}", four=1) for n in range(150)])
        yield world


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """For tests that do not change it."""
    with published_world() as world:
        yield world


@pytest.fixture
def changing() -> Iterator[World]:
    """For tests that change it."""
    with published_world() as world:
        yield world


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def api(world: World, clock: Clock) -> Caller:
    return world.caller(clock)


WARM_READS = [
    ("/v1/agencies/A000", ["GetItem"]),
    ("/v1/agencies/A000/level", ["GetItem"]),
    ("/v1/agencies/A000/benefits", ["GetItem"]),
    ("/v1/agencies/A000/binding-slots", ["GetItem"]),
    ("/v1/agencies/A000/history", ["BatchGetItem"]),
    ("/v1/agencies?level=1&limit=50", ["GetItem"]),
    ("/v1/levels", []),
    ("/v1/benefits", []),
    ("/v1/publication", []),
    ("/v1/publications", ["BatchGetItem"]),
    ("/healthz", []),
]


@pytest.mark.parametrize(("path", "expected"), WARM_READS)
def test_a_warm_answer_takes_one_read_at_most(world: World, api: Caller, path: str, expected: list[str]) -> None:
    assert api.get("/v1/levels").status == 200
    with world.reads() as reads:
        assert api.get(path).status == 200
    assert reads == expected


def test_a_batch_of_a_hundred_takes_one_read(world: World, api: Caller) -> None:
    assert api.get("/v1/levels").status == 200
    with world.reads() as reads:
        assert len(api.batch([f"A{n:03d}" for n in range(100)]).json["items"]) == 100
    assert reads == ["BatchGetItem"]


def test_unprocessed_keys_are_requested_again(world: World, api: Caller) -> None:
    incomplete_answers = 2
    assert api.get("/v1/levels").status == 200

    def leave_some(parsed: dict[str, Any], **_: Any) -> None:
        nonlocal incomplete_answers
        if incomplete_answers:
            incomplete_answers -= 1
            items = parsed["Responses"][world.table.name]
            parsed["UnprocessedKeys"] = {
                world.table.name: {"Keys": [{k: item[k] for k in ("pk", "sk")} for item in items[1:]]}
            }
            parsed["Responses"][world.table.name] = items[:1]

    with world.hooked("after-call.dynamodb.BatchGetItem", leave_some):
        answer = api.batch(["A003", "A001", "A002"]).json
    assert ([card["agency_id"] for card in answer["items"]], answer["missing"]) == (["A003", "A001", "A002"], [])


def test_keys_that_stay_unprocessed_are_not_called_missing(world: World, api: Caller) -> None:
    def leave_all(parsed: dict[str, Any], **_: Any) -> None:
        for item in parsed["Responses"].pop(world.table.name, []):
            parsed["UnprocessedKeys"] = {world.table.name: {"Keys": [{k: item[k] for k in ("pk", "sk")}]}}

    assert api.get("/v1/levels").status == 200
    with world.hooked("after-call.dynamodb.BatchGetItem", leave_all):
        assert api.batch(["A001"]).status == 503


def test_the_pointer_is_read_again_after_a_few_seconds(changing: World, clock: Clock) -> None:
    api = changing.caller(clock)
    assert api.get("/v1/publication").json["month"] == "2026-10"
    changing.publish("2026-11", [agency("A000", four=1)])
    clock.now += POINTER_SECONDS - 0.1
    assert api.get("/v1/publication").json["month"] == "2026-10"
    clock.now += 0.1
    assert api.get("/v1/publication").json["month"] == "2026-11"


# --- when DynamoDB can't be reached -----------------------------------------------------------------------------------


def test_the_last_known_publication_is_served_and_marked_stale(world: World, api: Caller, clock: Clock) -> None:
    fresh = api.get("/v1/levels")
    clock.now += POINTER_SECONDS
    with world.outage():
        stale = api.get("/v1/levels")
    assert (stale.status, stale.json["stale"]) == (200, True)
    assert stale.json | {"stale": False} == fresh.json
    assert stale.headers["etag"] != fresh.headers["etag"]
    assert api.get("/v1/publication").json["stale"] is True
    clock.now += POINTER_SECONDS
    assert api.get("/v1/levels").headers["etag"] == fresh.headers["etag"]


def test_an_answer_that_needs_a_read_is_503_with_retry_after(world: World, api: Caller, clock: Clock) -> None:
    assert api.get("/v1/agencies/A000").status == 200
    clock.now += POINTER_SECONDS
    with world.outage():
        for path in (
            "/v1/agencies/A000",
            "/v1/agencies/A000/level",
            "/v1/agencies?level=1",
            "/v1/agencies/A000/history",
        ):
            refused = api.get(path)
            assert (refused.status, refused.headers["content-type"]) == (503, "application/problem+json")
            assert int(refused.headers["retry-after"]) > 0
        assert api.batch(["A000"]).status == 503
        assert api.get("/healthz").status == 200


def test_a_cold_instance_answers_503_until_dynamodb_is_back(world: World, api: Caller) -> None:
    with world.outage():
        refused = api.get("/v1/levels")
        assert (refused.status, "dynamodb" in refused.text.lower()) == (503, False)
    assert api.get("/v1/levels").status == 200


def test_not_every_request_tries_to_read_the_pointer_during_an_outage(world: World, api: Caller, clock: Clock) -> None:
    assert api.get("/v1/levels").status == 200
    clock.now += POINTER_SECONDS
    with world.outage(), world.reads() as reads:
        for _ in range(5):
            assert api.get("/v1/levels").json["stale"] is True
    assert len(reads) <= 1


# --- months past their retention --------------------------------------------------------------------------------------


def test_a_month_whose_rulebook_has_expired_is_unknown_and_its_cursors_are_gone(changing: World) -> None:
    api = changing.caller()
    cursor = api.get("/v1/agencies?level=1&limit=1").json["next"]
    old = changing.table.pointer().publications["2026-10"]
    changing.publish("2026-11", [agency("A000", four=1)], rulebook(tips=()))
    changing.table.client.delete_item(
        TableName=changing.table.name, Key={"pk": {"S": f"RULEBOOK#{old.rulebook}"}, "sk": {"S": "RULEBOOK"}}
    )
    later = changing.caller()
    assert later.get("/v1/levels?month=2026-10").status == 404
    assert later.get(f"/v1/agencies?level=1&cursor={cursor}").status == 410
    assert [item["month"] for item in later.get("/v1/agencies/A000/history").json["items"]] == ["2026-11"]


def test_a_month_past_its_retention_is_404_everywhere_while_its_items_are_still_there() -> None:
    """October 2026 is kept for 25 months after its end: until 1 December 2028, Asia/Shanghai."""
    last = datetime(2028, 11, 30, 15, 59, 59, tzinfo=UTC)
    with published_world() as world:
        world.publish("2028-10", [agency("A000", four=1)])
        kept, gone = world.caller(now=lambda: last), world.caller(now=lambda: last + timedelta(seconds=1))
        for operation in declared.operations:
            path = path_of(operation, "A000", level=1)
            if operation.scope and operation.method == "GET" and "publications" not in path:
                month = f"{'&' if '?' in path else '?'}month=2026-10"
                assert kept.get(path + month).status == 200
                refused = gone.get(path + month)
                assert (refused.status, refused.json["type"]) == (404, "urn:problem-type:mcn-levels:unknown-month")
        assert kept.batch(["A000"], "/v1/agencies/batch?month=2026-10").status == 200
        assert gone.batch(["A000"], "/v1/agencies/batch?month=2026-10").status == 404
        for caller, months in ((kept, ["2028-10", "2026-10"]), (gone, ["2028-10"])):
            assert [item["month"] for item in caller.get("/v1/publications").json["items"]] == months
            assert [item["month"] for item in caller.get("/v1/agencies/A000/history").json["items"]] == months
        assert gone.get("/v1/levels").json["month"] == "2028-10"


def test_a_month_past_its_retention_is_404_everywhere_while_its_items_expire_one_by_one() -> None:
    """DynamoDB deletes expired items in any order, within days; the pointer and newer months stay."""
    with published_world() as world:
        old = world.table.pointer().current()
        world.publish("2028-10", [agency("A000", four=1)], rulebook(benefits=()))
        asked = [operation for operation in declared.operations if operation.asked and "month" in fields_of(operation)]
        assert asked
        found = world.table.scan("contains(pk, :run) OR contains(sk, :run)", {":run": old.run})
        expiring = [item for item in found if "AGENCY#A" not in item["pk"]["S"] or "A000" in item["pk"]["S"]]
        expiring.append(rulebook_key(old.rulebook))
        assert len({item["pk"]["S"].partition("#")[0] for item in expiring}) >= 4
        gone = world.caller(now=lambda: datetime(2028, 12, 1, tzinfo=UTC))
        for item in expiring:
            world.table.client.delete_item(TableName=world.table.name, Key={name: item[name] for name in ("pk", "sk")})
            for operation in asked:
                path = path_of(operation, "A000", level=1)
                path += f"{'&' if '?' in path else '?'}month=2026-10"
                body = '{"agency_ids": ["A000"]}' if operation.body else ""
                assert gone.ask(operation.method, path, body=body).status == 404, (item["pk"], operation.name)
            for path in ("/v1/publications", "/v1/agencies/A000/history"):
                assert [one["month"] for one in gone.get(path).json["items"]] == ["2028-10"]


def fields_of(operation: Operation) -> set[str]:
    return set(operation.asked.model_fields) if operation.asked else set()


def test_the_api_answers_503_if_every_month_is_past_its_retention() -> None:
    with published_world() as world:
        api = world.caller(now=lambda: datetime(2031, 1, 1, tzinfo=UTC))
        assert api.get("/v1/levels").status == 503


# --- the list of months -----------------------------------------------------------------------------------------------


def test_the_months_are_listed_newest_first_with_their_counts_of_levels() -> None:
    with published_world() as world:
        newest = world.publish("2026-11", [agency("A", four=1), agency("B", four=5, six=1), agency("U")])
        items = world.caller().get("/v1/publications").json["items"]
    assert [item["month"] for item in items] == ["2026-11", "2026-10"]
    assert (items[0]["run"], items[0]["published_at"]) == (newest.run, "2026-12-03T10:10:00+08:00")
    assert items[0]["levels"] == {"1": 1, "2": 1, "3": 0, "unrated": 1, "awaiting_first_rating": 0}
    assert items[1]["levels"]["1"] == 150


def test_the_list_of_months_is_paged_and_each_month_can_be_read() -> None:
    with published_world() as world:
        for month in ("2026-07", "2026-08", "2026-11"):
            world.publish(month, [agency("A", four=1)])
        api, seen, path = world.caller(), list[str](), "/v1/publications?limit=2"
        while path:
            page = api.get(path).json
            seen += [item["month"] for item in page["items"]]
            path = page["next"] and f"/v1/publications?limit=2&cursor={page['next']}"
        assert seen == ["2026-11", "2026-10", "2026-08", "2026-07"]
        assert all(api.get(f"/v1/levels?month={month}").json["month"] == month for month in seen)


# --- while a month is being published ---------------------------------------------------------------------------------


def test_readers_never_see_a_level_with_the_benefits_of_another_publication(changing: World) -> None:
    """Two states alternate: level 1 without benefits, and level 2 with one. Any other combination is an error."""
    benefits = rulebook().benefits[:1]
    poor = rulebook(benefits=benefits)
    rich = rulebook(benefits=(type(benefits[0])("gift", "礼", "", benefits[0].kind, (Grant(2),)),))
    states = [
        changing.publish("2026-10", [agency("A", four=1)], poor, staged_only=True),
        changing.publish("2026-10", [agency("A", four=5, six=1)], rich, staged_only=True),
    ]
    changing.show(states[0])
    uncached = changing.caller(_racing_clock())
    stop, seen = threading.Event(), list[tuple[Any, ...]]()

    def read() -> None:
        while not stop.is_set():
            view, card = uncached.get("/v1/agencies/A/level").json, uncached.get("/v1/agencies/A").json
            seen.append(
                (view["level"], [benefit["benefit"] for benefit in view["benefits"]], view["publication"]["run"])
            )
            seen.append((card["level"], card["benefits"]))

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for turn in range(12):
        changing.show(states[(turn + 1) % 2])
    stop.set()
    for reader in readers:
        reader.join()
    assert {str(state) for state in seen} <= {
        str((1, [], states[0].run)),
        str((2, ["gift"], states[1].run)),
        str((1, [])),
        str((2, ["礼"])),
    }
    assert {state[0] for state in seen} == {1, 2}


def _racing_clock() -> Clock:
    """A clock with which every request reads the pointer."""

    class Racing(Clock):
        def __call__(self) -> float:
            self.now += 2 * POINTER_SECONDS
            return self.now

    return Racing()
