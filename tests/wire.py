"""What happens to requests of the rating function on their way to AWS: other things first, or faults instead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest

Call = Callable[[str], Any]
"""Gets ``service.Operation`` before each attempt to send a request; may raise, or return a response in its place."""


@contextmanager
def on_each_call(call: Call, *, reaches_aws: bool = False) -> Iterator[boto3.Session]:
    """Within the block, the clients that the rating function makes ask ``call`` first; those of the test do not.

    ``reaches_aws``: what the request asks for is done although another answer is given, as when an answer is lost.
    """
    with pytest.MonkeyPatch.context() as patch:
        session = boto3.Session()
        patch.setattr(boto3, "DEFAULT_SESSION", session)

        def before_send(event_name: str, request: AWSPreparedRequest, **_: object) -> Any:
            answer = call(event_name.removeprefix("before-send."))
            if answer is not None and not reaches_aws:
                request.url = answer.url  # the stand-in for AWS looks at every request, also at an answered one
            return answer

        session.events.register_first("before-send", before_send)
        yield session


@contextmanager
def at_call(number: int, happens: Callable[[], None]) -> Iterator[list[str]]:
    """Within the block, something happens just before the ``number``-th request is sent. Gives all calls made."""
    calls: list[str] = []

    def call(name: str) -> None:
        calls.append(name)
        if len(calls) == number:
            happens()

    with on_each_call(call):
        yield calls


@contextmanager
def before_first(name: str, happens: Callable[[], None]) -> Iterator[list[str]]:
    """Within the block, something happens just before the first request of a ``service.Operation``. Gives all calls."""
    calls: list[str] = []

    def call(called: str) -> None:
        calls.append(called)
        if calls.count(name) == 1 and called == name:
            happens()

    with on_each_call(call):
        yield calls
