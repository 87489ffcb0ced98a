"""The rules: what was measured of one agency, held against a rulebook, gives a rating with every reason. Pure.

Rule numbers in the docstrings are those of docs/rules.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from shared.levels import (
    Change,
    Channel,
    ChannelResult,
    Check,
    Ladder,
    Measure,
    Measured,
    Metric,
    NextLevel,
    Rating,
    Rulebook,
    Standing,
    Status,
)
from shared.months import Month

RULES_VERSION = "1"  # part of every run id: raise it when the same inputs would give another rating

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def rate(measured: Measured, rulebook: Rulebook, month: Month, zone: ZoneInfo, earlier: Standing | None) -> Rating:
    """One agency's rating of one month. ``earlier``: its standing in the newest earlier publication, if any."""
    ladder = rulebook.ladder(str(month))
    metrics = metric_values(measured, rulebook)
    first = first_rated_month(measured.joined_at, rulebook.settings.new_agency_wait_months, zone)
    awaiting = month < first
    computed = None if awaiting else computed_level(metrics, ladder)
    override = rulebook.override(measured.agency_id, str(month))
    status = _status(awaiting, computed, overridden=override is not None)
    level = override.level if override else computed
    return Rating(
        month=str(month),
        measured=measured,
        status=status,
        level=level,
        computed_level=computed,
        first_rating_on=first.renewed_on if status is Status.AWAITING_FIRST_RATING else None,
        previous_level=earlier.level if earlier else None,
        change=change(status, level, earlier),
        metrics=metrics,
        channels=channel_results(metrics, ladder, computed),
        next_level=None if awaiting else next_level(metrics, ladder, computed),
        override=override,
    )


def metric_values(measured: Measured, rulebook: Rulebook) -> dict[str, int]:
    """Every metric of the rulebook (rules 5 and 6): creators as a count, GMV in fen."""
    return {metric.key: _value(measured, metric) for metric in rulebook.metrics}


def _value(measured: Measured, metric: Metric) -> int:
    if metric.measure is Measure.PAID_GMV:
        return measured.paid_gmv
    return sum(count for power, count in enumerate(measured.creators_by_power) if metric.counts(power))


def first_rated_month(joined_at: int, wait_months: int, zone: ZoneInfo) -> Month:
    """The first month for which a new agency is rated (rule 4). ``joined_at``: epoch microseconds."""
    return Month.of(_EPOCH + timedelta(microseconds=joined_at), zone).plus(wait_months - 1)


def computed_level(metrics: Mapping[str, int], ladder: Ladder) -> int | None:
    """The highest level of which some channel passes (rule 2); None when none does."""
    for rung in reversed(ladder.rungs):
        if any(held_against(metrics, channel).passed for channel in rung.channels):
            return rung.level
    return None


def held_against(metrics: Mapping[str, int], channel: Channel) -> ChannelResult:
    """A channel with each of its thresholds beside what the agency has."""
    checks = tuple(Check(t.metric, t.required, metrics[t.metric]) for t in channel.thresholds)
    return ChannelResult(channel.channel, checks)


def channel_results(metrics: Mapping[str, int], ladder: Ladder, level: int | None) -> tuple[ChannelResult, ...]:
    """The channels of a level, in channel order; none for an agency without one."""
    return () if level is None else tuple(held_against(metrics, channel) for channel in ladder.rung(level).channels)


def next_level(metrics: Mapping[str, int], ladder: Ladder, held: int | None) -> NextLevel | None:
    """The level above the computed one (level 1 for the unrated) with the gaps of each channel; None at the top."""
    above = (held or 0) + 1
    if above > len(ladder.rungs):
        return None
    return NextLevel(above, channel_results(metrics, ladder, above))


def change(status: Status, level: int | None, earlier: Standing | None) -> Change | None:
    """The move against the newest earlier publication. Unrated ranks below level 1; None while awaiting."""
    if status is Status.AWAITING_FIRST_RATING:
        return None
    if earlier is None or earlier.status is Status.AWAITING_FIRST_RATING:
        return Change.NEW
    now, before = level or 0, earlier.level or 0
    if now == before:
        return Change.SAME
    return Change.UP if now > before else Change.DOWN


def _status(awaiting: bool, computed: int | None, *, overridden: bool) -> Status:
    if overridden:
        return Status.OVERRIDDEN
    if awaiting:
        return Status.AWAITING_FIRST_RATING
    return Status.BELOW_LADDER if computed is None else Status.RATED
