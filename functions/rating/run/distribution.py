"""How a month's agencies are distributed over each metric, and how many are near each threshold. Pure."""

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
    """The number of agencies within ``percent`` of a threshold, below it and at or above it."""

    percent: int
    below: int
    at_or_above: int


@dataclass(frozen=True, slots=True)
class ThresholdSeen:
    """One threshold of the ladder: how many agencies meet it, and how many are near it."""

    level: int
    channel: int
    required: int
    met_by: int
    near: tuple[Near, ...]


@dataclass(frozen=True, slots=True)
class Cutoff:
    """A value of the metric, and how many agencies would meet it as a threshold."""

    agencies: int
    value: int


@dataclass(frozen=True, slots=True)
class Distribution:
    """One metric over all rated agencies, in creators or fen.

    ``cutoffs``: for each tenth of the agencies, the threshold that they would meet.
    """

    metric: str
    agencies: int
    bins: tuple[Bin, ...]
    thresholds: tuple[ThresholdSeen, ...]
    cutoffs: tuple[Cutoff, ...]


def distributions(ratings: Sequence[Rating], rulebook: Rulebook, month: str) -> tuple[Distribution, ...]:
    """The distribution of every metric. Agencies that await their first rating are not counted."""
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
    """For each tenth, the value that so many agencies reach; equal values count together. ``values``: ascending."""
    wanted = {max(1, len(values) * tenth // TENTHS) for tenth in range(1, TENTHS + 1)} if values else set()
    for value in sorted({values[-agencies] for agencies in wanted}, reverse=True):
        yield Cutoff(len(values) - bisect_left(values, value), value)


def _unit(metric: Metric) -> int:
    return 100 if metric.measure is Measure.PAID_GMV else 1


def _bins(values: Sequence[int], unit: int) -> Iterator[Bin]:
    """Bins with edges at 1, 2, 5, 10, 20, 50 … units (a creator, a yuan), up to the largest value.

    The first bin holds the values below one unit. Empty bins before the first value are left out.
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
    """The next edge of the sequence 1, 2, 5, 10, 20, 50 …"""
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
