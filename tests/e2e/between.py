"""Between the deployed functions and the emulated AWS: hands requests on, and refuses reads of the table if told to."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

OF_ONE_CONNECTION = ("connection", "keep-alive", "transfer-encoding", "content-length", "date", "server")


@dataclass
class Between:
    """``port``: the emulator's. ``refused``: what a read of the table may not ask for; None refuses nothing."""

    port: int
    refused: bytes | None = None

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        if self.refused is not None and _reads(environ) and self.refused in body:
            start_response("400 Bad Request", [("Content-Type", "application/x-amz-json-1.0")])
            error = {"__type": "com.amazon.coral.service#AccessDeniedException", "message": "told to refuse"}
            return [json.dumps(error).encode()]
        connection = HTTPConnection("127.0.0.1", self.port, timeout=180)
        try:
            connection.request(environ["REQUEST_METHOD"], environ["REQUEST_URI"], body, dict(_headers(environ)))
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        headers = [(name, value) for name, value in answer.getheaders() if name.lower() not in OF_ONE_CONNECTION]
        length = answer.getheader("Content-Length") if environ["REQUEST_METHOD"] == "HEAD" else None
        start_response(f"{answer.status} {answer.reason}", [*headers, ("Content-Length", length or str(len(content)))])
        return [content]

    @contextmanager
    def refusing(self, what: bytes) -> Iterator[None]:
        """Refuse what holds these bytes while the block lasts."""
        self.refused = what
        try:
            yield
        finally:
            self.refused = None


def _reads(environ: dict[str, Any]) -> bool:
    return str(environ.get("HTTP_X_AMZ_TARGET", "")).endswith((".GetItem", ".BatchGetItem", ".Query"))


def _headers(environ: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in environ.items():
        if name.startswith("HTTP_") and name not in ("HTTP_CONNECTION", "HTTP_EXPECT", "HTTP_TRANSFER_ENCODING"):
            yield name.removeprefix("HTTP_").replace("_", "-"), value
    if kind := environ.get("CONTENT_TYPE"):
        yield "Content-Type", kind
