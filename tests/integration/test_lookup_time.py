"""How long a request takes while the table hangs or is slow, over real sockets."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, Literal

import pytest
from botocore.session import get_session

from functions.lookup.api import api as declared
from functions.lookup.api import serving
from functions.lookup.budget import Budget
from functions.lookup.cursors import Cursors
from functions.lookup.publications import POINTER_SECONDS, Publications
from functions.lookup.routing import Operation, Services
from shared.items import key_of
from shared.table import Table
from tests.published import Answered, Caller
from tools.docs.example import NOW, TABLE_NAME, ZONE, InMemory, example_items

CARD = "/v1/agencies/A-0042"
GUARDED = [operation for operation in declared.operations if operation.scope]
WITHOUT_A_READ = {"get_ladder", "get_level", "get_catalogue", "get_benefit", "get_publication"}
DRIP_SECONDS = 0.03
SHORT = 0.6  # seconds: a budget for tests that try every operation; the deployed one is 3
LONGEST = 3.5  # seconds that any answer may take


class Dynamo:
    """DynamoDB's protocol over the example world, on 127.0.0.1. A test can make it slow, or let it never answer."""

    def __init__(self) -> None:
        self.items = InMemory(example_items())
        self.pause: Callable[[dict[str, Any]], float] = lambda _: 0.0
        self.dripping: Literal["", "headers", "body"] = ""
        self.closing = Event()
        self.asked = self.connections = 0
        dynamo = self

        class Answer(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                dynamo.connections += 1

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                dynamo.asked += 1
                if dynamo.closing.wait(dynamo.pause(asked)):
                    return
                found = dynamo.items.batch_get_item if "RequestItems" in asked else dynamo.items.get_item
                content = json.dumps(found(**asked), default=lambda binary: b64encode(binary).decode()).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/x-amz-json-1.0")
                self.send_header("Content-Length", str(len(content)))
                if dynamo.dripping == "headers":
                    self.flush_headers()
                    self.drip(b"X-Long: " + b"x" * 1000)
                    return
                self.end_headers()
                if dynamo.dripping == "body":
                    self.drip(content)
                else:
                    self.wfile.write(content)

            def drip(self, content: bytes) -> None:
                """Sends one byte at a time, each soon after the one before."""
                for byte in content:
                    if dynamo.closing.wait(DRIP_SECONDS):
                        return
                    self.wfile.write(bytes([byte]))

            def log_message(self, *_: Any) -> None:
                """Prints nothing."""

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: Any) -> None:
                """Ignores callers that closed the connection."""

        self.server = Server(("127.0.0.1", 0), Answer)
        self.thread = Thread(target=self.server.serve_forever)
        self.thread.start()

    def hang(self, *, pointer_only: bool = False) -> None:
        def pause(asked: dict[str, Any]) -> float:
            pointer = "Key" in asked and key_of(asked["Key"])[0] == "POINTER"
            return 60.0 if pointer or not pointer_only else 0.0

        self.pause, self.asked = pause, 0

    def be_slow(self, seconds: float) -> None:
        self.pause = lambda _: seconds

    def drip(self, what: Literal["headers", "body"]) -> None:
        self.dripping, self.asked = what, 0

    def recover(self) -> None:
        self.pause = lambda _: 0.0
        self.dripping = ""

    def stop(self) -> None:
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture(scope="module")
def running() -> Iterator[Dynamo]:
    dynamo = Dynamo()
    yield dynamo
    dynamo.stop()


@pytest.fixture
def dynamo(running: Dynamo) -> Dynamo:
    running.recover()
    return running


class Instance:
    """An instance of the function, configured as the deployed one, with a clock that a test can advance."""

    def __init__(self, dynamo: Dynamo, budget: Budget) -> None:
        self.advanced = 0.0
        client: Any = get_session().create_client(
            "dynamodb",
            region_name="cn-north-1",
            endpoint_url=f"http://127.0.0.1:{dynamo.server.server_address[1]}",
            aws_access_key_id="x",
            aws_secret_access_key="x",
            config=budget.config(),
        )
        budget.watch(client)
        table = Table(client, TABLE_NAME, sleep=budget.sleep)
        publications = Publications(table, ZONE, clock=lambda: time.monotonic() + self.advanced, now=lambda: NOW)
        self.caller = Caller(serving(Services(publications, Cursors("secret"), budget=budget)))

    def timed(self, ask: Callable[[Caller], Answered]) -> tuple[Answered, float]:
        began = time.monotonic()
        return ask(self.caller), time.monotonic() - began


def asking(operation: Operation) -> Callable[[Caller], Answered]:
    return lambda caller: caller.operation(operation, "A-0042")


def is_try_again(answer: Answered) -> bool:
    return answer.status == 503 and int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize("operation", GUARDED, ids=lambda operation: operation.name)
def test_a_cold_instance_answers_503_in_time_if_the_table_never_answers(dynamo: Dynamo, operation: Operation) -> None:
    dynamo.hang()
    answer, seconds = Instance(dynamo, Budget(SHORT)).timed(asking(operation))
    assert is_try_again(answer)
    assert seconds < LONGEST
    assert dynamo.asked <= 2


@pytest.mark.parametrize("operation", GUARDED, ids=lambda operation: operation.name)
def test_the_last_known_pointer_is_used_while_the_table_hangs(dynamo: Dynamo, operation: Operation) -> None:
    instance = Instance(dynamo, Budget(SHORT))
    assert instance.caller.get("/v1/levels").status == 200
    dynamo.hang()
    instance.advanced += POINTER_SECONDS
    answer, seconds = instance.timed(asking(operation))
    assert seconds < LONGEST
    assert dynamo.asked <= 3
    if operation.name in WITHOUT_A_READ:
        assert (answer.status, answer.json["stale"]) == (200, True)
    else:
        assert is_try_again(answer)
    dynamo.recover()
    instance.advanced += POINTER_SECONDS
    answer, _ = instance.timed(asking(operation))
    assert (answer.status, answer.json["stale"]) == (200, False)


def test_while_only_the_pointer_hangs_levels_are_served_without_waiting_every_time(dynamo: Dynamo) -> None:
    instance = Instance(dynamo, Budget())
    assert instance.caller.get(CARD).status == 200
    dynamo.hang(pointer_only=True)
    instance.advanced += POINTER_SECONDS
    answer, seconds = instance.timed(lambda caller: caller.get(CARD))
    assert (answer.status, answer.json["stale"]) == (200, True)
    assert seconds < LONGEST
    attempts = dynamo.asked
    for _ in range(5):
        assert instance.caller.get(CARD).json["stale"] is True
    assert dynamo.asked == attempts + 5  # only the card is read, not the pointer


def test_the_pause_before_the_next_attempt_at_the_pointer_starts_when_an_attempt_ends(dynamo: Dynamo) -> None:
    """The attempt takes longer than the pause. A pause that starts with the attempt would make every request wait."""
    instance = Instance(dynamo, Budget(SHORT))
    assert instance.caller.get(CARD).status == 200

    def pause(asked: dict[str, Any]) -> float:
        if "Key" in asked and key_of(asked["Key"])[0] == "POINTER":
            instance.advanced += POINTER_SECONDS + 1
            return 60.0
        return 0.0

    instance.advanced += POINTER_SECONDS
    dynamo.pause, dynamo.asked = pause, 0
    assert instance.caller.get(CARD).json["stale"] is True
    attempts = dynamo.asked
    for _ in range(3):
        assert instance.caller.get(CARD).json["stale"] is True
    assert dynamo.asked == attempts + 3  # only the card is read


def test_the_deployed_budget_ends_within_three_and_a_half_seconds(dynamo: Dynamo) -> None:
    dynamo.hang()
    answer, seconds = Instance(dynamo, Budget()).timed(lambda caller: caller.get(CARD))
    assert is_try_again(answer)
    assert seconds < LONGEST


@pytest.mark.parametrize("path", [CARD, f"{CARD}/history"])
def test_an_answer_comes_in_time_if_each_read_takes_nine_tenths_of_a_second(dynamo: Dynamo, path: str) -> None:
    dynamo.be_slow(0.9)
    instance = Instance(dynamo, Budget())
    answer, seconds = instance.timed(lambda caller: caller.get(path))
    assert seconds < LONGEST
    again, seconds = instance.timed(lambda caller: caller.get(path))
    assert seconds < LONGEST
    assert answer.status == 200 or (is_try_again(answer) and again.status == 200)


@pytest.mark.parametrize("operation", GUARDED, ids=lambda operation: operation.name)
def test_every_operation_answers_in_time_if_each_read_takes_nine_tenths_of_an_attempt(
    dynamo: Dynamo, operation: Operation
) -> None:
    """The budget is a fifth of the deployed one, to be quick. An instance that gave up once still works later."""
    budget = Budget(SHORT)
    instance = Instance(dynamo, budget)
    dynamo.be_slow(0.9 * budget.attempt_seconds)
    for _ in range(3):
        answer, seconds = instance.timed(asking(operation))
        assert seconds < SHORT + 0.5
        assert answer.status == 200 or is_try_again(answer)


@pytest.mark.parametrize("what", ["headers", "body"])
def test_the_budget_ends_answers_that_arrive_byte_by_byte(dynamo: Dynamo, what: Literal["headers", "body"]) -> None:
    dynamo.drip(what)
    instance = Instance(dynamo, Budget())
    answer, seconds = instance.timed(lambda caller: caller.get(CARD))
    assert is_try_again(answer)
    assert seconds < LONGEST
    assert dynamo.asked == 2
    dynamo.recover()
    assert instance.caller.get(CARD).status == 200


@pytest.mark.parametrize("operation", GUARDED, ids=lambda operation: operation.name)
def test_no_operation_waits_longer_than_the_budget_for_slow_bytes(dynamo: Dynamo, operation: Operation) -> None:
    instance = Instance(dynamo, Budget(SHORT))
    assert instance.caller.get("/v1/levels").status == 200
    dynamo.drip("body")
    answer, seconds = instance.timed(asking(operation))
    assert seconds < LONGEST  # all bytes would take 30 seconds and more
    assert answer.status == 200 if operation.name in WITHOUT_A_READ else is_try_again(answer)


def test_answers_within_their_time_share_one_connection(dynamo: Dynamo) -> None:
    connections = dynamo.connections
    instance = Instance(dynamo, Budget())
    for _ in range(5):
        assert instance.caller.get(CARD).status == 200
    assert dynamo.connections == connections + 1
