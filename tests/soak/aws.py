"""DynamoDB, S3 and EventBridge on 127.0.0.1, for functions in other processes, with the faults of the real services."""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.dynamodb import DynamoDB, Refused
from tests.soak.s3 import S3, Answer

WRITES = ("BatchWriteItem", "TransactWriteItems", "PutItem", "UpdateItem", "PutEvents", "PutObject")
TEMPORARY = (
    "a server error before it was done",
    "a server error after it was done",
    "the connection cut before it was done",
    "the connection cut after it was done",
    "throttled",
    "done in part",
)


@dataclass
class Faults:
    """Which requests fail: a ``share`` of all, with a temporary fault; and every request of the operation ``always``.

    ``injected`` counts them by operation and fault.
    """

    chance: random.Random
    share: float = 0.0
    always: str | None = None
    injected: Counter[tuple[str, str]] = field(default_factory=Counter)

    def of(self, operation: str) -> str | None:
        fault = None
        if operation == self.always:
            fault = TEMPORARY[0]
        elif self.chance.random() < self.share:
            fault = self.chance.choice(TEMPORARY)
        if fault:
            self.injected[operation, fault] += 1
        return fault


class Cut(Exception):
    """The connection ends without an answer."""


@dataclass
class Services:
    """The services that the functions use. ``sent``: the events that the bus accepted, in order; some are repeats."""

    dynamodb: DynamoDB
    s3: S3
    faults: Faults
    sent: list[dict[str, Any]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def answer(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Raises Refused, and Cut."""
        with self.lock:
            fault = self.faults.of(operation)
            if fault is None:
                return self._do(operation, asked)
            if fault == "throttled":
                raise self._throttled(operation)
            if fault == "done in part":
                return self._in_part(operation, asked)
            if fault.endswith("after it was done"):
                self._do(operation, asked)
            if fault.startswith("the connection"):
                raise Cut
            raise Refused("InternalServerError", fault)

    def of_s3(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Raises Cut."""
        with self.lock:
            fault = self.faults.of({"PUT": "PutObject", "GET": "GetObject"}[method])
        if fault and fault.startswith("the connection"):
            raise Cut
        if fault and fault != "done in part":
            return Answer(503, {}, b"<Error><Code>SlowDown</Code><Message>too fast</Message></Error>")
        return self.s3.do(method, target, headers, body)

    def _do(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        if operation != "PutEvents":
            return self.dynamodb.do(operation, asked)
        entries = asked["Entries"]
        self.sent += [{"type": entry["DetailType"], **json.loads(entry["Detail"])} for entry in entries]
        return {"FailedEntryCount": 0, "Entries": [{"EventId": str(len(self.sent))} for _ in entries]}

    def _throttled(self, operation: str) -> Refused:
        if operation == "TransactWriteItems":
            reasons = [{"Code": "TransactionConflict"}, {"Code": "None"}]
            return Refused("TransactionCanceledException", "conflict", CancellationReasons=reasons)
        throttled = "ThrottlingException" if operation == "PutEvents" else "ProvisionedThroughputExceededException"
        return Refused(throttled, "too fast")

    def _in_part(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Does the first half of a batch; if an operation cannot be done in part, all of it."""
        if operation == "PutEvents":
            entries = asked["Entries"]
            half = len(entries) // 2
            answers = self._do(operation, {"Entries": entries[:half]})["Entries"] if half else []
            refused = [{"ErrorCode": "ThrottlingException", "ErrorMessage": "too fast"}] * (len(entries) - half)
            return {"FailedEntryCount": len(refused), "Entries": [*answers, *refused]}
        if operation == "BatchWriteItem":
            [(table, requests)] = asked["RequestItems"].items()
            half = len(requests) // 2
            if half:
                self._do(operation, {"RequestItems": {table: requests[:half]}})
            return {"UnprocessedItems": {table: requests[half:]}}
        if operation == "BatchGetItem":
            [(table, wanted)] = asked["RequestItems"].items()
            half = len(wanted["Keys"]) // 2
            found = (
                self._do(operation, {"RequestItems": {table: {**wanted, "Keys": wanted["Keys"][:half]}}})
                if half
                else {}
            )
            unread = {table: {**wanted, "Keys": wanted["Keys"][half:]}}
            return {"Responses": found.get("Responses", {}), "UnprocessedKeys": unread}
        return self._do(operation, asked)


@contextmanager
def serving(services: Services) -> Iterator[str]:
    """The endpoint at which all of these services answer."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # an answer is sent as one packet: the second of two would wait for the first one's receipt

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            target = self.headers.get("X-Amz-Target")
            try:
                if target:
                    answer = _json_answer(services, target.rpartition(".")[2], json.loads(body))
                else:
                    answer = services.of_s3(self.command, self.path, dict(self.headers.items()), body)
            except Cut:
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in {**answer.headers, "Content-Length": str(len(answer.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_PUT = do_POST = answer  # noqa: N815 - the names that the base class looks for

        def handle_expect_100(self) -> bool:
            goes_on = super().handle_expect_100()
            self.wfile.flush()  # the SDK waits for it before it sends an object's content, a second at most
            return goes_on

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Ignores functions that were killed before they got their answer."""

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _json_answer(services: Services, operation: str, asked: dict[str, Any]) -> Answer:
    status = 200
    try:
        answer = services.answer(operation, asked)
    except Refused as refused:
        answer = {"__type": refused.answer["Error"]["Code"], "message": refused.answer["Error"]["Message"]}
        answer |= {name: refused.answer[name] for name in ("CancellationReasons",) if name in refused.answer}
        status = 500 if answer["__type"] == "InternalServerError" else 400
    return Answer(status, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(answer).encode())
