"""Pauses between attempts. They are random, so that callers who failed together do not retry together."""

from __future__ import annotations

import random
from collections.abc import Iterator


def pauses(first: float, longest: float) -> Iterator[float]:
    """Endless pauses in seconds: at most ``first``, then at most twice as long each time.

    No pause is longer than ``longest``. The caller decides when to give up.
    """
    bound = first
    while True:
        yield random.uniform(0, bound)  # noqa: S311 - jitter, not a secret
        bound = min(longest, 2 * bound)
