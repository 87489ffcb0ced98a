"""The largest sizes of requests and answers, in bytes. A caller can't choose the size or cost of an answer."""

from __future__ import annotations

from pydantic_core import to_json

BODY_BYTES = 64 * 1024
ANSWER_BYTES = 6_000_000  # Lambda's limit is 6,291,556 for the whole result, including the answer's headers
ITEMS_BYTES = 5_000_000  # for the items of a list; the rest is for the fields around them


def bytes_in_result(text: bytes) -> int:
    """The bytes of a body in a function's result, where JSON quotes it a second time."""
    return len(text) + text.count(b'"') + text.count(b"\\")


def bytes_of_item(item: object) -> int:
    """The bytes that one item of a list takes in a function's result."""
    return bytes_in_result(to_json(item)) + 1
