"""The rules: what was measured of one agency, held against a rulebook, gives a rating. Pure.

Rule numbers in the docstrings are those of docs/rules.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from shared.levels import (
    Change,
    Ladder,
    Measure,
    Measured,
    Metric,
    Rating,
    Rulebook,
    Standing,
    Status,
)
from shared.months import Month

RULES_VERSION = "2"  # part of every run id: raise it when the same inputs would give other items

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Rules:
    """A rulebook as it is in force for one month. What is the same for every agency is worked out once."""

    def __init__(self, rulebook: Rulebook, month: Month, zone: ZoneInfo) -> None:
        wait = rulebook.settings.new_agency_wait_months
        self._month = str(month)
        self._zone = zone
        self._wait = wait
        self._awaiting_since = (month.plus(2 - wait).start(zone) - _EPOCH) // timedelta(microseconds=1)
        self._metrics = rulebook.metrics
        self._ladder = rulebook.ladder(self._month)
        self._overrides = {o.agency_id: o for o in reversed(rulebook.overrides) if o.in_force(self._month)}

    def rate(self, measured: Measured, earlier: Standing | None) -> Rating:
        """One agency's rating. ``earlier``: its standing in the newest earlier publication, if any."""
        metrics = metric_values(measured, self._metrics)
        awaiting = measured.joined_at >= self._awaiting_since  # rule 4
        computed = None if awaiting else computed_level(metrics, self._ladder)
        override = self._overrides.get(measured.agency_id)
        status = _status(awaiting, computed, overridden=override is not None)
        level = override.level if override else computed
        first_rating_on = None
        if status is Status.AWAITING_FIRST_RATING:
            first_rating_on = first_rated_month(measured.joined_at, self._wait, self._zone).renewed_on
        return Rating(
            month=self._month,
            measured=measured,
            status=status,
            level=level,
            computed_level=computed,
            first_rating_on=first_rating_on,
            previous_level=earlier.level if earlier else None,
            change=change(status, level, earlier),
            metrics=metrics,
            override=override,
            awaiting=awaiting,
        )


def metric_values(measured: Measured, metrics: Iterable[Metric]) -> dict[str, int]:
    """Every metric (rules 5 and 6): creators as a count, GMV in fen."""
    return {
        metric.key: measured.paid_gmv
        if metric.measure is Measure.PAID_GMV
        else sum(measured.creators_by_power[metric.powers])
        for metric in metrics
    }


def first_rated_month(joined_at: int, wait_months: int, zone: ZoneInfo) -> Month:
    """The first month for which a new agency is rated (rule 4). ``joined_at``: epoch microseconds."""
    return Month.of(_EPOCH + timedelta(microseconds=joined_at), zone).plus(wait_months - 1)


def computed_level(metrics: Mapping[str, int], ladder: Ladder) -> int | None:
    """The highest level of which some channel passes (rule 2); None when none does."""
    for rung in reversed(ladder.rungs):
        for channel in rung.channels:
            for threshold in channel.thresholds:
                if metrics[threshold.metric] < threshold.required:
                    break
            else:
                return rung.level
    return None


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
