"""Portions: things that are better done together while they are small."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Thing = TypeVar("Thing")


def portions(things: Iterable[Thing], weight: Callable[[Thing], int], limit: int) -> Iterator[list[Thing]]:
    """The things in their order, as many at a time as weigh no more than ``limit`` together; a heavier one alone.

    A portion that is full is given out before the next thing is asked for.
    """
    waiting: list[Thing] = []
    total = 0
    for thing in things:
        weighs = weight(thing)
        if waiting and total + weighs > limit:
            yield waiting
            waiting, total = [], 0
        waiting.append(thing)
        total += weighs
        if total >= limit:
            yield waiting
            waiting, total = [], 0
    if waiting:
        yield waiting
