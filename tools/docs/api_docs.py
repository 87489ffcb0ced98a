"""Writes the answers in docs/api.md, from the real handler: ``make docs``.

A block of ``sh`` with a curl line is followed by a block of ``json`` with the answer of the example world.
"""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

from local.cloud.front import LOCAL_AGENCY, local_claims
from local.cloud.gateway import Request
from local.cloud.template import ROOT
from tools.docs.example import example_answer

PATH = ROOT / "docs" / "api.md"
WIDTH = 118
_ASKED_AND_ANSWERED = re.compile(r"```sh\n(?P<asked>curl [^\n]+)\n```\n\n```json\n.*?\n```", re.DOTALL)


def with_answers(page: str) -> str:
    """The page with every answer updated."""

    def answered(match: re.Match[str]) -> str:
        answer = pretty(example_answer(request_of(match["asked"])).json())
        return f"```sh\n{match['asked']}\n```\n\n```json\n{answer}\n```"

    return _ASKED_AND_ANSWERED.sub(answered, page)


def requests_in(page: str) -> list[Request]:
    """Every request in the page that is followed by its answer."""
    return [request_of(match["asked"]) for match in _ASKED_AND_ANSWERED.finditer(page)]


def request_of(curl: str) -> Request:
    """The request of a curl line: ``curl -s [-H <header>] [-d <body>] "$API<path>"``."""
    words = shlex.split(curl)
    body = words[words.index("-d") + 1].encode() if "-d" in words else b""
    target = next(word for word in words if word.startswith("$API")).removeprefix("$API")
    headers = [("content-type", "application/json")] if body else []
    named = [words[i + 1].partition(": ") for i, word in enumerate(words) if word == "-H"]
    agency = next((value for name, _, value in named if name == LOCAL_AGENCY), None)
    return Request("POST" if body else "GET", target, headers=headers, body=body, claims=local_claims(agency))


def pretty(value: Any, indent: str = "") -> str:
    """JSON in which every value that fits on a line is on one line."""
    line = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(line) <= WIDTH or not isinstance(value, dict | list):
        return line
    inner = indent + "  "
    if isinstance(value, dict):
        parts = [f"{inner}{json.dumps(name)}: {pretty(part, inner)}" for name, part in value.items()]
        return "{\n" + ",\n".join(parts) + f"\n{indent}}}"
    return "[\n" + ",\n".join(inner + pretty(part, inner) for part in value) + f"\n{indent}]"
