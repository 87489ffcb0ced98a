"""Pauses between attempts: random, so that callers who failed together do not come back together."""

from __future__ import annotations

import random
from collections.abc import Iterator


def pauses(first: float, longest: float) -> Iterator[float]:
    """Seconds to wait before each next attempt, without end: up to ``first``, then up to twice as much as before.

    No pause is longer than ``longest``. Who takes them decides when to give up.
    """
    bound = first
    while True:
        yield random.uniform(0, bound)  # noqa: S311 - jitter, not a secret
        bound = min(longest, 2 * bound)
