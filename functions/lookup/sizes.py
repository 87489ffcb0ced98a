"""How long requests and answers may be, in bytes. A caller never chooses the size or the cost of an answer."""

from __future__ import annotations

from pydantic_core import to_json

BODY_BYTES = 64 * 1024
ANSWER_BYTES = 6_000_000  # Lambda takes 6,291,556 of a whole result: the answer's headers are in there, too
ITEMS_BYTES = 5_000_000  # of a list's items, which leaves room for what stands around them


def bytes_in_result(text: bytes) -> int:
    """The bytes that JSON takes as the body in a function's result, where it is quoted once more."""
    return len(text) + text.count(b'"') + text.count(b"\\")


def bytes_of_item(item: object) -> int:
    """The bytes that one item of a list takes in a function's result."""
    return bytes_in_result(to_json(item)) + 1
