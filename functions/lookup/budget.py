"""The time that one request has: a table that hangs is answered 503 long before the gateway or a caller gives up.

botocore asks here before each attempt to reach the table, and after each that failed. An attempt may take a third of
the budget, however slowly its answer arrives, and half of that to connect; it begins only while half of one is left.
One that failed is repeated once, at once.
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
    """Not enough of a request's time is left to ask the table again."""

    fmt = "the request has no time left for another attempt"


class Budget:
    """The time of the request that is being answered. ``seconds``: of the whole request; ``clock`` counts seconds."""

    def __init__(self, seconds: float = SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._clock = clock
        self._ends = self._attempt_ends = clock() + seconds

    @property
    def attempt_seconds(self) -> float:
        return self.seconds / 3

    def begin(self) -> None:
        """A request has arrived."""
        self._ends = self._clock() + self.seconds

    def config(self, **more: Any) -> Config:
        """What a client has to be made with, so that an attempt takes no longer than it may."""
        connect, read = self.attempt_seconds / 2, self.attempt_seconds
        return Config(
            connect_timeout=connect, read_timeout=read, retries={"mode": "standard", "total_max_attempts": 1}, **more
        )

    def watch(self, client: DynamoDBClient) -> None:
        """Have this client keep to the budget."""
        client.meta.events.register("before-send.dynamodb", self._before_attempt)
        again: Any = self._after_attempt  # typed as if botocore did not read what it returns
        client.meta.events.register("needs-retry.dynamodb", again)
        bound_reads(client, lambda: self._attempt_ends - self._clock())

    def sleep(self, seconds: float) -> None:
        """Wait, but not beyond the end of the budget."""
        time.sleep(max(0.0, min(seconds, self._left())))

    def _left(self) -> float:
        return self._ends - self._clock()

    def _before_attempt(self, **_: Any) -> None:
        if self._left() < self.attempt_seconds / 2:
            raise BudgetSpent
        self._attempt_ends = min(self._clock() + self.attempt_seconds, self._ends)

    def _after_attempt(self, response: Any, attempts: int, caught_exception: Any, **_: Any) -> float | None:
        """Seconds until the next attempt, None for no other one."""
        throttled = response is not None and _is_throttled(response)
        failed = isinstance(caught_exception, HTTPClientError) or throttled
        return random.uniform(0, _PAUSE) if failed and attempts < ATTEMPTS else None  # noqa: S311 - jitter, no secret


def _is_throttled(response: Any) -> bool:
    http, parsed = response
    code = parsed.get("Error", {}).get("Code", "")
    return http.status_code in _WORTH_REPEATING or "Throttl" in code or code == "ProvisionedThroughputExceededException"
