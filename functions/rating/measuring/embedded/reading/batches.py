"""Batches of small things that are faster to handle together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Thing = TypeVar("Thing")


def batches(things: Iterable[Thing], weight: Callable[[Thing], int], limit: int) -> Iterator[list[Thing]]:
    """The things in order, in batches of at most ``limit`` weight. A heavier thing is a batch of its own.

    A full batch is yielded before the next thing is requested.
    """
    batch: list[Thing] = []
    total = 0
    for thing in things:
        weighs = weight(thing)
        if batch and total + weighs > limit:
            yield batch
            batch, total = [], 0
        batch.append(thing)
        total += weighs
        if total >= limit:
            yield batch
            batch, total = [], 0
    if batch:
        yield batch
