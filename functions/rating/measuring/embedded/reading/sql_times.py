"""A time zone as spans of its local clock, each with one offset: SQL uses them to compute instants."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from shared.months import Month

MICROSECONDS = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = datetime(1800, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_STEP = timedelta(days=7)  # no zone changes its offset twice within a week
_BEFORE_ALL, _AFTER_ALL = -(10**18), 10**18


class Span(NamedTuple):
    """Local clock times with one offset, in microseconds. ``end`` is exclusive."""

    start: int
    end: int
    offset: int


def offset_spans(zone: ZoneInfo, month: Month) -> tuple[Span, ...]:
    """Every span of a zone's clock; those near the month come first.

    A local time that occurs twice or never has the offset from before the change, as Python's fold=0.
    """
    changes = _changes(zone)
    bounds = [_BEFORE_ALL, *(at + max(before, after) for at, before, after in changes), _AFTER_ALL]
    offsets = [_offset(zone, _FIRST), *(after for _, _, after in changes)]
    spans = [Span(start, end, offset) for (start, end), offset in zip(pairwise(bounds), offsets, strict=True)]
    middle = _microseconds(month.start(zone) + timedelta(days=15))
    return tuple(sorted(spans, key=lambda span: max(span.start - middle, middle - span.end)))


@lru_cache
def _changes(zone: ZoneInfo) -> tuple[tuple[int, int, int], ...]:
    """Every change of the offset: the instant, the offset before and after it."""
    return tuple(_find_changes(zone))


def _find_changes(zone: ZoneInfo) -> Iterator[tuple[int, int, int]]:
    instant, before = _FIRST, _offset(zone, _FIRST)
    while instant < _LAST:
        following = instant + _STEP
        after = _offset(zone, following)
        if before != after:
            yield _microseconds(_first_with(zone, after, instant, following)), before, after
        instant, before = following, after


def _first_with(zone: ZoneInfo, offset: int, low: datetime, high: datetime) -> datetime:
    """The first second of (low, high] with this offset."""
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        low, high = (low, middle) if _offset(zone, middle) == offset else (middle, high)
    return high


def _offset(zone: ZoneInfo, instant: datetime) -> int:
    return (instant.astimezone(zone).utcoffset() or timedelta()) // timedelta(microseconds=1)


def _microseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)
