"""The time budget of one request: if the table hangs, the caller gets 503 long before the gateway gives up.

botocore calls the budget before each attempt to reach the table, and after each failed attempt. One attempt may take a
third of the budget, however slowly its answer arrives, and half of that to connect. An attempt begins only if half of
its time is left. A failed attempt is repeated once, without a pause.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, HTTPClientError

from functions.lookup.bounded_reads import bound_reads

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SECONDS = 3.0
ATTEMPTS = 2
_PAUSE = 0.05
_WORTH_REPEATING = (429, 500, 502, 503, 504)


class BudgetSpent(BotoCoreError):
    """Too little of the request's time is left for another attempt."""

    fmt = "the request has no time left for another attempt"


class Budget:
    """The time budget of the current request. ``seconds``: for the whole request. ``clock``: counts seconds."""

    def __init__(self, seconds: float = SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._clock = clock
        self._ends = self._attempt_ends = clock() + seconds

    @property
    def attempt_seconds(self) -> float:
        return self.seconds / 3

    def begin(self) -> None:
        """Start the budget of a new request."""
        self._ends = self._clock() + self.seconds

    def config(self, **more: Any) -> Config:
        """The configuration of a client whose attempts respect the budget."""
        connect, read = self.attempt_seconds / 2, self.attempt_seconds
        return Config(
            connect_timeout=connect, read_timeout=read, retries={"mode": "standard", "total_max_attempts": 1}, **more
        )

    def watch(self, client: DynamoDBClient) -> None:
        """Make this client respect the budget."""
        client.meta.events.register("before-send.dynamodb", self._before_attempt)
        again: Any = self._after_attempt  # the stubs say wrongly that the return value is ignored
        client.meta.events.register("needs-retry.dynamodb", again)
        bound_reads(client, lambda: self._attempt_ends - self._clock())

    def sleep(self, seconds: float) -> None:
        """Wait, but not longer than the budget."""
        time.sleep(max(0.0, min(seconds, self._left())))

    def _left(self) -> float:
        return self._ends - self._clock()

    def _before_attempt(self, **_: Any) -> None:
        if self._left() < self.attempt_seconds / 2:
            raise BudgetSpent
        self._attempt_ends = min(self._clock() + self.attempt_seconds, self._ends)

    def _after_attempt(self, response: Any, attempts: int, caught_exception: Any, **_: Any) -> float | None:
        """Seconds until the next attempt; None for no other attempt."""
        throttled = response is not None and _is_throttled(response)
        failed = isinstance(caught_exception, HTTPClientError) or throttled
        return random.uniform(0, _PAUSE) if failed and attempts < ATTEMPTS else None  # noqa: S311 - jitter, no secret


def _is_throttled(response: Any) -> bool:
    http, parsed = response
    code = parsed.get("Error", {}).get("Code", "")
    return http.status_code in _WORTH_REPEATING or "Throttl" in code or code == "ProvisionedThroughputExceededException"
