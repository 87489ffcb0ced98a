"""How a month's agencies are spread over each metric, and who sits near which threshold. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from shared.levels import Measure, Metric, Rating, Rulebook

NEAR = (5, 10)  # percent of a threshold
TENTHS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """Agencies with ``at_least`` <= value < ``below``."""

    at_least: int
    below: int
    agencies: int


@dataclass(frozen=True, slots=True)
class Near:
    """The agencies within so many percent of a threshold, on either side."""

    percent: int
    below: int
    at_or_above: int


@dataclass(frozen=True, slots=True)
class ThresholdSeen:
    """One threshold of the ladder: how many agencies meet it, and how many are near."""

    level: int
    channel: int
    required: int
    met_by: int
    near: tuple[Near, ...]


@dataclass(frozen=True, slots=True)
class Cutoff:
    """The threshold that this many agencies would meet."""

    agencies: int
    value: int


@dataclass(frozen=True, slots=True)
class Distribution:
    """One metric over all agencies that are rated: creators, or fen. ``cutoffs``: which value would give how many."""

    metric: str
    agencies: int
    bins: tuple[Bin, ...]
    thresholds: tuple[ThresholdSeen, ...]
    cutoffs: tuple[Cutoff, ...]


def distributions(ratings: Sequence[Rating], rulebook: Rulebook, month: str) -> tuple[Distribution, ...]:
    """Every metric's distribution; agencies that await their first rating are not counted."""
    rated = [rating for rating in ratings if not rating.awaiting]
    return tuple(_distribution(metric, rated, rulebook, month) for metric in rulebook.metrics)


def _distribution(metric: Metric, rated: Sequence[Rating], rulebook: Rulebook, month: str) -> Distribution:
    values = sorted(rating.metrics[metric.key] for rating in rated)
    thresholds = tuple(
        _seen(level.level, channel.channel, threshold.required, values)
        for level in rulebook.ladder(month).rungs
        for channel in level.channels
        for threshold in channel.thresholds
        if threshold.metric == metric.key
    )
    bins, cutoffs = tuple(_bins(values, _unit(metric))), tuple(_cutoffs(values))
    return Distribution(metric.key, len(values), bins, thresholds, cutoffs)


def _cutoffs(values: Sequence[int]) -> Iterator[Cutoff]:
    """The value that each tenth of the agencies has at least, with all that have the same; ``values`` ascend."""
    wanted = {max(1, len(values) * tenth // TENTHS) for tenth in range(1, TENTHS + 1)} if values else set()
    for value in sorted({values[-agencies] for agencies in wanted}, reverse=True):
        yield Cutoff(len(values) - bisect_left(values, value), value)


def _unit(metric: Metric) -> int:
    return 100 if metric.measure is Measure.PAID_GMV else 1


def _bins(values: Sequence[int], unit: int) -> Iterator[Bin]:
    """1, 2, 5, 10, 20, 50 … of the unit (a creator, a yuan), the same whatever the values are, up to the largest.

    The first bin holds what is below one; empty bins before the first and after the last value are left out.
    """
    edges = [0, unit]
    while values and edges[-1] <= values[-1]:
        edges.append(_following(edges[-1] // unit) * unit)
    positions = [bisect_left(values, edge) for edge in edges]
    counts = [following - position for position, following in pairwise(positions)]
    first = next((index for index, count in enumerate(counts) if count), len(counts))
    for index in range(first, len(counts)):
        yield Bin(edges[index], edges[index + 1], counts[index])


def _following(edge: int) -> int:
    """The next of 1, 2, 5, 10 …"""
    return edge * 5 // 2 if str(edge).startswith("2") else edge * 2


def _seen(level: int, channel: int, required: int, values: Sequence[int]) -> ThresholdSeen:
    position = bisect_left(values, required)
    near = tuple(
        Near(
            percent,
            below=position - bisect_left(values, -(-required * (100 - percent) // 100)),
            at_or_above=bisect_left(values, required * (100 + percent) // 100 + 1) - position,
        )
        for percent in NEAR
    )
    return ThresholdSeen(level, channel, required, len(values) - position, near)
