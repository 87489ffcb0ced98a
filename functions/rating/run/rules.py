"""The rules: one agency's numbers and a rulebook give a rating. Pure.

Rule numbers in the docstrings are those of docs/rules.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
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

RULES_VERSION = "2"  # part of every run id: raise it when the same inputs give other items

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Rules:
    """A rulebook as it applies to one month. Computes what is the same for every agency only once."""

    def __init__(self, rulebook: Rulebook, month: Month, zone: ZoneInfo) -> None:
        wait = rulebook.settings.new_agency_wait_months
        self._month = str(month)
        self._zone = zone
        self._wait = wait
        self._awaiting_since = (month.plus(2 - wait).start(zone) - _EPOCH) // timedelta(microseconds=1)
        self._metrics = metric_values(rulebook.metrics)
        self._ladder = rulebook.ladder(self._month)
        self._overrides = {o.agency_id: o for o in reversed(rulebook.overrides) if o.in_force(self._month)}

    def rate(self, measured: Measured, earlier: Standing | None) -> Rating:
        """One agency's rating. ``earlier``: its standing in the newest earlier publication, or None."""
        metrics = self._metrics(measured)
        awaiting = measured.joined_at >= self._awaiting_since  # rule 4
        first_rating_on = self._first_rating_on(measured) if awaiting else None
        computed = None if awaiting else computed_level(metrics, self._ladder)
        override = self._overrides.get(measured.agency_id)
        status = _status(awaiting, computed, overridden=override is not None)
        level = override.level if override else computed
        before = earlier.level if earlier else None
        moved = change(status, level, earlier)
        # Positional arguments, in the order of the fields: keyword arguments cost a tenth of the rating's time.
        return Rating(self._month, measured, status, level, computed, first_rating_on, before, moved, metrics, override)

    def _first_rating_on(self, measured: Measured) -> date:
        return first_rated_month(measured.joined_at, self._wait, self._zone).renewed_on


def metric_values(metrics: Iterable[Metric]) -> Callable[[Measured], dict[str, int]]:
    """A function that returns every metric of an agency (rules 5 and 6): creators as a count, GMV in fen."""
    counted = [(metric.key, None if metric.measure is Measure.PAID_GMV else metric.powers) for metric in metrics]

    def values(measured: Measured) -> dict[str, int]:
        creators = measured.creators_by_power
        return {key: measured.paid_gmv if powers is None else sum(creators[powers]) for key, powers in counted}

    return values


def first_rated_month(joined_at: int, wait_months: int, zone: ZoneInfo) -> Month:
    """The first month for which a new agency is rated (rule 4). ``joined_at``: epoch microseconds."""
    return Month.of(_EPOCH + timedelta(microseconds=joined_at), zone).plus(wait_months - 1)


def computed_level(metrics: Mapping[str, int], ladder: Ladder) -> int | None:
    """The highest level with a channel that passes (rule 2); None if no channel passes."""
    for level_rules in reversed(ladder.rungs):
        for channel in level_rules.channels:
            for threshold in channel.thresholds:
                if metrics[threshold.metric] < threshold.required:
                    break
            else:
                return level_rules.level
    return None


def change(status: Status, level: int | None, earlier: Standing | None) -> Change | None:
    """The change since the newest earlier publication. Unrated ranks below level 1. None while awaiting."""
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
