"""Intercepts requests of the rating function to AWS: another action first, or a fault instead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest

Call = Callable[[str], Any]
"""Called with ``service.Operation`` before each attempt to send a request; may raise, or return another response."""


@contextmanager
def on_each_call(call: Call, *, reaches_aws: bool = False) -> Iterator[boto3.Session]:
    """Within the block, ``call`` is called before each request of the rating function's clients, not of the test's.

    ``reaches_aws``: the request is executed although another answer is given, as when an answer is lost.
    """
    with pytest.MonkeyPatch.context() as patch:
        session = boto3.Session()
        patch.setattr(boto3, "DEFAULT_SESSION", session)

        def before_send(event_name: str, request: AWSPreparedRequest, **_: object) -> Any:
            answer = call(event_name.removeprefix("before-send."))
            if answer is not None and not reaches_aws:
                request.url = answer.url  # the emulated AWS sees every request, even one that is answered already
            return answer

        session.events.register_first("before-send", before_send)
        yield session


@contextmanager
def at_call(number: int, happens: Callable[[], None]) -> Iterator[list[str]]:
    """Within the block, ``happens`` runs just before the ``number``-th request. Returns all calls."""
    calls: list[str] = []

    def call(name: str) -> None:
        calls.append(name)
        if len(calls) == number:
            happens()

    with on_each_call(call):
        yield calls


@contextmanager
def before_first(name: str, happens: Callable[[], None]) -> Iterator[list[str]]:
    """Within the block, ``happens`` runs just before the first ``service.Operation``. Returns all calls."""
    calls: list[str] = []

    def call(called: str) -> None:
        calls.append(called)
        if calls.count(name) == 1 and called == name:
            happens()

    with on_each_call(call):
        yield calls
