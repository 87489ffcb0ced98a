"""Cursors: signed positions of the next page. A caller can send one back but can't make or change one.

A cursor gives no access to anything that its holder could not ask for. The signature turns a wrong cursor into a clear
400.
"""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import astuple, dataclass
from hashlib import sha256
from typing import Any

from functions.lookup.problems import CursorMalformed

SIGNATURE_BYTES = 16


@dataclass(frozen=True, slots=True)
class DirectoryPosition:
    """The next entry in the directory of a level: at ``offset`` on a stored page of a run."""

    month: str
    run: str
    level: int
    page: int
    offset: int


@dataclass(frozen=True, slots=True)
class HistoryPosition:
    """The next entry in an agency's history: the newest month before this one."""

    agency_id: str
    before: str


@dataclass(frozen=True, slots=True)
class PublicationsPosition:
    """The next entry in the list of publications: the newest month before this one."""

    before: str


class Cursors:
    """Writes and reads cursors. ``secret``: the same on every instance of the function."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def write(self, position: DirectoryPosition | HistoryPosition | PublicationsPosition) -> str:
        """The cursor of a position."""
        return self._sealed(json.dumps([type(position).__name__, *astuple(position)], separators=(",", ":")).encode())

    def directory(self, cursor: str) -> DirectoryPosition:
        """A directory's position. Raises CursorMalformed."""
        return DirectoryPosition(*self._opened(cursor, DirectoryPosition))

    def history(self, cursor: str) -> HistoryPosition:
        """A history's position. Raises CursorMalformed."""
        return HistoryPosition(*self._opened(cursor, HistoryPosition))

    def publications(self, cursor: str) -> PublicationsPosition:
        """A position in the list of publications. Raises CursorMalformed."""
        return PublicationsPosition(*self._opened(cursor, PublicationsPosition))

    def _opened(self, cursor: str, kind: type) -> list[Any]:
        try:
            content = urlsafe_b64decode(cursor + "==")[SIGNATURE_BYTES:]
        except ValueError:
            raise CursorMalformed from None
        # Decoding ignores some characters that encoding never writes, so the whole text is compared.
        if not hmac.compare_digest(self._sealed(content).encode(), cursor.encode()):
            raise CursorMalformed
        fields: list[Any] = json.loads(content)
        if fields.pop(0) != kind.__name__:
            raise CursorMalformed
        return fields

    def _sealed(self, content: bytes) -> str:
        signature = hmac.digest(self._secret, content, sha256)[:SIGNATURE_BYTES]
        return urlsafe_b64encode(signature + content).decode().rstrip("=")
