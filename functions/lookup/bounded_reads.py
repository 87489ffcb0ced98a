"""Answers that arrive byte by byte are given up in time: botocore's own timeout begins again with each byte."""

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


def bound_reads(client: DynamoDBClient, left: Left) -> None:
    """Have this client stop reading an answer once ``left()``, seconds, is no longer positive.

    It raises what botocore raises for a timeout. botocore has no setting for this; what is replaced is the class of its
    connections' answers, the rest of the connection (TLS, proxies, reuse) stays botocore's.
    """

    class Answer(HTTPResponse):
        def __init__(self, sock: Any, *arguments: Any, **named: Any) -> None:
            super().__init__(_Bounded(sock, left), *arguments, **named)  # type: ignore[arg-type] # it asks for the file

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
    """A socket as http.client uses it to read an answer: it makes a file of it."""

    def __init__(self, sock: Any, left: Left) -> None:
        self._sock = sock
        self._left = left

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Bytes(self._sock, self._sock.makefile(mode, buffering=0), self._left))


class _Bytes(io.RawIOBase):
    """The bytes that a socket receives, each waited for no longer than what is left."""

    def __init__(self, sock: Any, received: Any, left: Left) -> None:
        self._sock = sock
        self._received = received
        self._left = left

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
