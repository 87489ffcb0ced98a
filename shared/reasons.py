"""Why an agency has its level and what the next one takes: its metrics held against a ladder. Pure.

Worked out where they are shown and never stored: they follow from a rating and the rulebook of its publication.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from shared.levels import Channel, Ladder, Rating, Rulebook


@dataclass(frozen=True, slots=True)
class Check:
    """One threshold held against one agency: creators, or fen."""

    metric: str
    required: int
    actual: int

    @property
    def met(self) -> bool:
        return self.actual >= self.required

    @property
    def missing(self) -> int:
        """How much more is needed; 0 when met."""
        return max(0, self.required - self.actual)

    @property
    def margin(self) -> int:
        """How much may be lost with the threshold still met; negative when it is not met."""
        return self.actual - self.required

    @property
    def progress(self) -> Fraction:
        """Share of the way, 0 to 1; 1 when nothing is required."""
        return Fraction(1) if self.met else Fraction(self.actual, self.required)


@dataclass(frozen=True, slots=True)
class ChannelResult:
    """One channel held against one agency."""

    channel: int
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        return all(check.met for check in self.checks)

    @property
    def progress(self) -> Fraction:
        """The smallest progress of its thresholds."""
        return min(check.progress for check in self.checks)


@dataclass(frozen=True, slots=True)
class NextLevel:
    """The level above, and how far each of its channels is."""

    level: int
    channels: tuple[ChannelResult, ...]

    @property
    def nearest_channel(self) -> int:
        """The channel with the highest smallest progress; ties go to the first in channel order."""
        return max(self.channels, key=lambda result: (result.progress, -result.channel)).channel


@dataclass(frozen=True, slots=True)
class Reasons:
    """All that explains a rating. ``channels`` are those of the computed level, none where there is no such level.

    ``next_level`` is the one above the computed level, None at the top and while a first rating is awaited.
    """

    channels: tuple[ChannelResult, ...]
    next_level: NextLevel | None


def reasons(rating: Rating, rulebook: Rulebook) -> Reasons:
    """The reasons of a rating, by the rulebook that it was made with."""
    ladder = rulebook.ladder(rating.month)
    return Reasons(
        channels=channel_results(rating.metrics, ladder, rating.computed_level),
        next_level=None if rating.awaiting else next_level(rating.metrics, ladder, rating.computed_level),
    )


def held_against(metrics: Mapping[str, int], channel: Channel) -> ChannelResult:
    """A channel with each of its thresholds beside what the agency has."""
    checks = [Check(t.metric, t.required, metrics[t.metric]) for t in channel.thresholds]
    return ChannelResult(channel.channel, tuple(checks))


def channel_results(metrics: Mapping[str, int], ladder: Ladder, level: int | None) -> tuple[ChannelResult, ...]:
    """The channels of a level, in channel order; none for an agency without one."""
    return () if level is None else tuple(held_against(metrics, channel) for channel in ladder.rung(level).channels)


def next_level(metrics: Mapping[str, int], ladder: Ladder, held: int | None) -> NextLevel | None:
    """The level above the computed one (level 1 for the unrated) with the gaps of each channel; None at the top."""
    above = (held or 0) + 1
    if above > len(ladder.rungs):
        return None
    return NextLevel(above, channel_results(metrics, ladder, above))
