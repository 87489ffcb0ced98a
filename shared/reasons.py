"""The reasons for a level and the gaps to the next: an agency's metrics compared with a ladder. Pure.

Reasons are computed where they are shown and never stored: they follow from a rating and its publication's rulebook.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from shared.levels import Channel, Ladder, Rating, Rulebook


@dataclass(frozen=True, slots=True)
class Check:
    """One threshold and an agency's value, in creators or fen."""

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
        """How much may be lost with the threshold still met; negative if it is not met."""
        return self.actual - self.required

    @property
    def progress(self) -> Fraction:
        """Actual over required, 0 to 1; 1 if nothing is required."""
        return Fraction(1) if self.met else Fraction(self.actual, self.required)


@dataclass(frozen=True, slots=True)
class ChannelResult:
    """One channel with the checks of its thresholds."""

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
    """The level above, and the gaps of each of its channels."""

    level: int
    channels: tuple[ChannelResult, ...]

    @property
    def nearest_channel(self) -> int:
        """The channel whose smallest progress is highest; of equal ones the first in channel order."""
        return max(self.channels, key=lambda result: (result.progress, -result.channel)).channel


@dataclass(frozen=True, slots=True)
class Reasons:
    """Everything that explains a rating. ``channels``: those of the computed level; empty without one.

    ``next_level``: the level above the computed one; None at the top and while a first rating is awaited.
    """

    channels: tuple[ChannelResult, ...]
    next_level: NextLevel | None


def reasons(rating: Rating, rulebook: Rulebook) -> Reasons:
    """The reasons of a rating, by the rulebook that rated it."""
    ladder = rulebook.ladder(rating.month)
    return Reasons(
        channels=channel_results(rating.metrics, ladder, rating.computed_level),
        next_level=None if rating.awaiting else next_level(rating.metrics, ladder, rating.computed_level),
    )


def channel_result(metrics: Mapping[str, int], channel: Channel) -> ChannelResult:
    """A channel with each of its thresholds and the agency's values."""
    checks = [Check(t.metric, t.required, metrics[t.metric]) for t in channel.thresholds]
    return ChannelResult(channel.channel, tuple(checks))


def channel_results(metrics: Mapping[str, int], ladder: Ladder, level: int | None) -> tuple[ChannelResult, ...]:
    """The results of a level's channels, in channel order; empty if the level is None."""
    return () if level is None else tuple(channel_result(metrics, channel) for channel in ladder.rung(level).channels)


def next_level(metrics: Mapping[str, int], ladder: Ladder, held: int | None) -> NextLevel | None:
    """The level above the computed one (1 for unrated agencies) with the gaps of each channel; None at the top."""
    above = (held or 0) + 1
    if above > len(ladder.rungs):
        return None
    return NextLevel(above, channel_results(metrics, ladder, above))
