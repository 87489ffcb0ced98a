"""The domain's words as frozen values: what operations decide (a Rulebook) and what an agency gets (a Rating).

Money is integer fen. Months are ``YYYY-MM`` text, which compares and sorts correctly. This module computes no ratings
(functions/rating/run/rules.py does) and reads and writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum

from shared.content import added_later

POWER_LEVELS = range(8)  # a creator's power level (带货力等级)
ASSESSED_POWER = range(6, 8)  # the power levels that have binding slots (rule 10)


class Measure(StrEnum):
    """How a metric is measured (统计方式)."""

    CREATOR_COUNT = "creator_count"
    PAID_GMV = "paid_gmv"


class BenefitKind(StrEnum):
    """The type of a benefit's cells: TRUE, a number (or unlimited), or a text."""

    FLAG = "flag"
    QUOTA = "quota"
    TEXT = "text"


class Status(StrEnum):
    """Why an agency has its level, or has none."""

    RATED = "rated"
    BELOW_LADDER = "below_ladder"
    AWAITING_FIRST_RATING = "awaiting_first_rating"
    OVERRIDDEN = "overridden"


class Change(StrEnum):
    """The level against the newest earlier publication."""

    UP = "up"
    DOWN = "down"
    SAME = "same"
    NEW = "new"


# --- what operations decide -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Metric:
    """A number measured for an agency over one month (考核指标).

    ``min_power`` and ``max_power`` (both inclusive): the power levels that a creator_count counts; None for paid_gmv.
    ``from_month``: the first rating month that has the metric; None: every month.
    """

    key: str
    name: str
    measure: Measure
    min_power: int | None
    max_power: int | None
    unit: str
    from_month: str | None = added_later(None)

    @property
    def powers(self) -> slice:
        """The slice of ``creators_by_power`` that a creator_count sums."""
        return slice(self.min_power, None if self.max_power is None else self.max_power + 1)


@dataclass(frozen=True, slots=True)
class Threshold:
    """The least value of one metric (门槛), in creators or fen."""

    metric: str
    required: int


@dataclass(frozen=True, slots=True)
class Channel:
    """A set of thresholds that must all be met (考核通道). Never empty."""

    channel: int
    thresholds: tuple[Threshold, ...]


@dataclass(frozen=True, slots=True)
class Rung:
    """The channels of one level. An agency that passes any one of them passes the level."""

    level: int
    channels: tuple[Channel, ...]


@dataclass(frozen=True, slots=True)
class Ladder:
    """The levels with their channels (等级体系), ascending, in force from ``effective_month`` (None: since ever)."""

    effective_month: str | None
    rungs: tuple[Rung, ...]

    def rung(self, level: int) -> Rung:
        return self.rungs[level - 1]

    @property
    def top(self) -> int:
        """The highest level that some channel leads to; levels above it are not in this ladder."""
        return max((rung.level for rung in self.rungs if rung.channels), default=0)

    def only(self, levels: int, metrics: Set[str]) -> Ladder:
        """The ladder up to a level, with these metrics only. A channel that has only other metrics is left out."""
        rungs = []
        for rung in self.rungs[:levels]:
            known = ((c.channel, tuple(t for t in c.thresholds if t.metric in metrics)) for c in rung.channels)
            rungs.append(Rung(rung.level, tuple(Channel(number, asked) for number, asked in known if asked)))
        return Ladder(self.effective_month, tuple(rungs))


@dataclass(frozen=True, slots=True)
class Level:
    """An agency's rank (1 is the lowest) and its name. ``from_month``: the first rating month that has it."""

    level: int
    name: str
    description: str
    from_month: str | None = added_later(None)


@dataclass(frozen=True, slots=True)
class Grant:
    """What one level gets of a benefit. A level without a grant gets nothing.

    flag: neither field. quota: ``quota`` is the number, None for unlimited. text: ``text``.
    """

    level: int
    quota: int | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Benefit:
    """A benefit that some levels have (权益). Grants ascend by level.

    ``from_month``: the first rating month that has it; None: every month.
    """

    key: str
    name: str
    description: str
    kind: BenefitKind
    grants: tuple[Grant, ...]
    from_month: str | None = added_later(None)

    def grant(self, level: int | None) -> Grant | None:
        """What an agency of this level gets; None for nothing. Unrated agencies get nothing."""
        return next((grant for grant in self.grants if grant.level == level), None)

    @property
    def from_level(self) -> int | None:
        """The lowest level that has it."""
        return self.grants[0].level if self.grants else None


@dataclass(frozen=True, slots=True)
class Tip:
    """How to improve one metric (提升建议)."""

    metric: str
    tip: str
    link: str


@dataclass(frozen=True, slots=True)
class Override:
    """A level set by hand (人工调整) from ``from_month`` (None: since ever) to ``until_month``, both inclusive."""

    agency_id: str
    level: int
    from_month: str | None
    until_month: str
    reason: str
    approved_by: str

    def in_force(self, month: str) -> bool:
        return (self.from_month is None or self.from_month <= month) and month <= self.until_month


@dataclass(frozen=True, slots=True)
class Case:
    """A test written by operations (用例): these metrics must give this level (None: unrated)."""

    case: str
    metrics: Mapping[str, int]
    expected_level: int | None


@dataclass(frozen=True, slots=True)
class RuleSettings:
    """The settings tab. Shares are exact decimals. A guardrail that is None is off."""

    new_agency_wait_months: int = 1
    max_bad_row_share: Decimal = Decimal("0.001")
    max_changed_share: Decimal | None = None
    max_downgraded_share: Decimal | None = None
    max_gmv_change_share: Decimal | None = None
    max_rows_change_share: Decimal | None = None
    binding_free_slots: int = 5
    binding_retention_rate: Decimal = Decimal("0.7")
    min_rows_judged: int = added_later(1000)
    min_used_share: Decimal = added_later(Decimal("0.01"))
    max_one_cause_share: Decimal = added_later(Decimal("0.5"))


@dataclass(frozen=True, slots=True)
class Rulebook:
    """One valid version of the spreadsheet, parsed and frozen. Its tuples are sorted, whatever the order of rows."""

    levels: tuple[Level, ...]
    metrics: tuple[Metric, ...]
    ladders: tuple[Ladder, ...]
    benefits: tuple[Benefit, ...]
    tips: tuple[Tip, ...] = ()
    overrides: tuple[Override, ...] = ()
    cases: tuple[Case, ...] = ()
    settings: RuleSettings = RuleSettings()

    def ladder(self, month: str) -> Ladder:
        """The ladder for a rating month: the newest one effective by then. Raises LookupError if there is none."""
        in_force = [ladder for ladder in self.ladders if (ladder.effective_month or "") <= month]
        if not in_force:
            raise LookupError(f"no ladder is in force for {month}")
        return in_force[-1]

    def as_of(self, month: str) -> Rulebook:
        """The rulebook without the levels, metrics and benefits that begin after a rating month.

        Levels above the highest one that the month's ladder leads to are left out too, and with all of these their
        thresholds, grants and tips. If there are none, it is the same object.
        """
        rows: tuple[Level | Metric | Benefit, ...] = (*self.levels, *self.metrics, *self.benefits)
        in_force = [ladder for ladder in self.ladders if (ladder.effective_month or "") <= month]
        top = in_force[-1].top if in_force else len(self.levels)
        if top >= len(self.levels) and all((row.from_month or "") <= month for row in rows):
            return self
        levels = tuple(level for level in self.levels[:top] if (level.from_month or "") <= month)
        metrics = tuple(metric for metric in self.metrics if (metric.from_month or "") <= month)
        keys = {metric.key for metric in metrics}
        return replace(
            self,
            levels=levels,
            metrics=metrics,
            ladders=tuple(ladder.only(len(levels), keys) for ladder in self.ladders),
            benefits=tuple(
                replace(benefit, grants=tuple(grant for grant in benefit.grants if grant.level <= len(levels)))
                for benefit in self.benefits
                if (benefit.from_month or "") <= month
            ),
            tips=tuple(tip for tip in self.tips if tip.metric in keys),
        )

    def level(self, level: int) -> Level:
        return self.levels[level - 1]

    def metric(self, key: str) -> Metric:
        return next(metric for metric in self.metrics if metric.key == key)


# --- what an agency gets ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Removed:
    """Creators or orders that were removed because of a risk tag. ``amount``: fen, 0 for creators."""

    risk_tag: str
    count: int
    amount: int


@dataclass(frozen=True, slots=True)
class SlotCounts:
    """The counts for binding slots (rule 10), of creators with power 6..7.

    ``bound``: bound at the month's end, flagged or not. ``base``: unflagged, bound at the end of the month before.
    ``kept``: those of the base that have a row of power 6..7 in this month's extract.

    ``base`` and ``kept`` are None if the month before could not be read.
    """

    bound: int
    base: int | None
    kept: int | None


@dataclass(frozen=True, slots=True)
class Measured:
    """The numbers of one agency in one month, before any rule.

    ``joined_at``: epoch microseconds. ``creators_by_power``: unflagged creators bound at the month's end, by power
    0..7. ``paid_gmv``: fen.
    """

    agency_id: str
    name: str
    joined_at: int
    city: str | None = None
    introduction: str | None = None
    logo_url: str | None = None
    creators_by_power: tuple[int, ...] = (0,) * len(POWER_LEVELS)
    paid_gmv: int = 0
    excluded_creators: tuple[Removed, ...] = ()
    excluded_orders: tuple[Removed, ...] = ()
    slots: SlotCounts = SlotCounts(0, None, None)


@dataclass(frozen=True, slots=True)
class Rating:
    """One agency's result of one month. Its reasons follow from it and its rulebook (``shared.reasons``).

    ``level``: the level that the agency has. ``computed_level``: the level by the rules; an override may differ.
    ``first_rating_on``: set while the first rating is awaited (rule 4), even if the level was set by hand. ``metrics``:
    every metric of the rulebook.
    """

    month: str
    measured: Measured
    status: Status
    level: int | None
    computed_level: int | None
    first_rating_on: date | None
    previous_level: int | None
    change: Change | None
    metrics: Mapping[str, int]
    override: Override | None = None

    @property
    def agency_id(self) -> str:
        return self.measured.agency_id

    @property
    def awaiting(self) -> bool:
        """Whether the agency is too new to be rated."""
        return self.first_rating_on is not None


@dataclass(frozen=True, slots=True)
class Standing:
    """What a later month needs of an earlier rating: to say up or down, and to compare totals."""

    status: Status
    level: int | None
    paid_gmv: int = field(default=0)
