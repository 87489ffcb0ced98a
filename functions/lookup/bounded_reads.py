"""Ends the reading of an answer when the time is up, even if bytes keep arriving.

botocore's own read timeout starts again with each byte.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any

from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Left = Callable[[], float]


def bound_reads(client: DynamoDBClient, seconds_left: Left) -> None:
    """Stop reading an answer of this client when ``seconds_left()`` is not positive.

    Raises the same error as botocore's timeout. botocore has no setting for this, so the response class of its
    connections is replaced; TLS, proxies and reuse of connections stay botocore's.
    """

    class Answer(HTTPResponse):
        def __init__(self, sock: Any, *arguments: Any, **named: Any) -> None:
            super().__init__(_Bounded(sock, seconds_left), *arguments, **named)  # type: ignore[arg-type] # it asks for the file

    class Connection(AWSHTTPConnection):
        response_class: Any = Answer

    class SecureConnection(AWSHTTPSConnection):
        response_class: Any = Answer

    class Pool(AWSHTTPConnectionPool):
        ConnectionCls = Connection

    class SecurePool(AWSHTTPSConnectionPool):
        ConnectionCls = SecureConnection

    manager: Any = client._endpoint.http_session._manager  # type: ignore[attr-defined]
    manager.pool_classes_by_scheme = {"http": Pool, "https": SecurePool}


class _Bounded:
    """A socket that gives http.client a file with a time limit."""

    def __init__(self, sock: Any, seconds_left: Left) -> None:
        self._sock = sock
        self._left = seconds_left

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Bytes(self._sock, self._sock.makefile(mode, buffering=0), self._left))


class _Bytes(io.RawIOBase):
    """The received bytes of a socket. Waits for the next bytes no longer than the time that is left."""

    def __init__(self, sock: Any, received: Any, seconds_left: Left) -> None:
        self._sock = sock
        self._received = received
        self._left = seconds_left

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        seconds = self._left()
        if seconds <= 0:
            raise TimeoutError("the time for this answer is over")
        self._sock.settimeout(seconds)
        count: int = self._received.readinto(buffer)
        return count

    def close(self) -> None:
        self._received.close()
        super().close()
