"""A fake socket to DynamoDB: botocore, urllib3 and http.client run completely, the kernel does not."""

from __future__ import annotations

import io
import json
import socket
from base64 import b64encode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from botocore.awsrequest import AWSHTTPConnection

from tools.docs.example import InMemory

ENDPOINT = "http://127.0.0.1:9"  # nothing is sent to this address


@contextmanager
def wired(items: Iterable[dict[str, Any]]) -> Iterator[None]:
    """Within the block, every request over plain HTTP is answered from these items."""
    answers = _Answers(InMemory(items))

    def connect(connection: Any) -> None:
        connection.sock = _Socket(answers)

    with patch.object(AWSHTTPConnection, "connect", connect):
        yield


class _Answers:
    """DynamoDB's answers, prepared for each request body, so that a measured call only looks them up."""

    def __init__(self, table: InMemory) -> None:
        self._table = table
        self._made: dict[bytes, bytes] = {}

    def to(self, body: bytes) -> bytes:
        if body not in self._made:
            asked = json.loads(body)
            answer = self._table.batch_get_item(**asked) if "RequestItems" in asked else self._table.get_item(**asked)
            content = json.dumps(answer, default=lambda binary: b64encode(binary).decode()).encode()
            head = (
                f"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {len(content)}\r\n\r\n"
            )
            self._made[body] = head.encode() + content
        return self._made[body]


class _Socket:
    """The part of a socket that http.client and urllib3 use. Its file number is real; nothing ever arrives there."""

    def __init__(self, answers: _Answers) -> None:
        self._answers = answers
        self._quiet, self._other_end = socket.socketpair()
        self._sent = b""

    def sendall(self, data: bytes) -> None:
        self._sent += data

    def makefile(self, *_: Any, **__: Any) -> io.BytesIO:
        body = self._sent.partition(b"\r\n\r\n")[2]
        self._sent = b""
        return io.BytesIO(self._answers.to(body))

    def fileno(self) -> int:
        return self._quiet.fileno()

    def settimeout(self, _: float | None) -> None:
        pass

    def setsockopt(self, *_: Any) -> None:
        pass

    def close(self) -> None:
        self._quiet.close()
        self._other_end.close()
