"""Batches: things that are better handled together while they are small."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Thing = TypeVar("Thing")


def batches(things: Iterable[Thing], weight: Callable[[Thing], int], limit: int) -> Iterator[list[Thing]]:
    """The things in their order, as many at a time as weigh no more than ``limit`` together; a heavier one alone.

    A full batch is given out before the next thing is asked for.
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
