"""What each audience may see of a rating and its rulebook. Pure; every function returns a part of the contract.

Creators and merchants see the card, the ladder and the catalogue. The agency sees its own view, entitlements, history
and binding slots (rule 11). GMV is yuan text, counts are whole numbers. Rule numbers are those of docs/rules.md.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from functions.lookup import contract
from shared.bilingual import each_language_of_workbook
from shared.items import Publication
from shared.levels import (
    Benefit,
    BenefitKind,
    Grant,
    Level,
    Measure,
    Rating,
    Removed,
    Rulebook,
    Status,
)
from shared.links import is_https
from shared.money import yuan
from shared.reasons import ChannelResult, Check, NextLevel, reasons


class Face(Protocol):
    """The basic information of an agency, which a rating and a directory entry both have."""

    @property
    def agency_id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def city(self) -> str | None: ...
    @property
    def introduction(self) -> str | None: ...
    @property
    def logo_url(self) -> str | None: ...


# --- for everybody ----------------------------------------------------------------------------------------------------


def card(face: Face, level: int | None, status: Status, month: str, rulebook: Rulebook) -> contract.AgencyCard:
    """An agency as creators and merchants see it. They do not see that a level was set by hand."""
    return {
        "agency_id": face.agency_id,
        "name": face.name,
        "city": face.city,
        "introduction": face.introduction,
        "logo_url": face.logo_url if face.logo_url and is_https(face.logo_url) else None,
        "level": level,
        "level_name": level_name(level, rulebook),
        "status": Status.RATED if status is Status.OVERRIDDEN else status,
        "month": month,
        "benefits": [benefit.name for benefit in rulebook.benefits if benefit.grant(level)],
    }


def ladder(month: str, rulebook: Rulebook) -> contract.LadderAnswer:
    """The levels of a month, lowest first: their thresholds, benefits, and what the metrics mean."""
    return {
        "month": month,
        "levels": [level_of_ladder(level, month, rulebook) for level in rulebook.levels],
        "metrics": [{"metric": m.key, "name": m.name, "unit": m.unit} for m in rulebook.metrics],
    }


def level_of_ladder(level: Level, month: str, rulebook: Rulebook) -> contract.Level:
    """One level. It is reached by any one of its channels; a channel needs all of its thresholds."""
    shown = _Amounts(rulebook)
    return {
        "level": level.level,
        "name": level.name,
        "description": level.description,
        "channels": [
            {
                "channel": channel.channel,
                "thresholds": [
                    {"metric": t.metric, "required": shown(t.metric, t.required)} for t in channel.thresholds
                ],
            }
            for channel in rulebook.ladder(month).rung(level.level).channels
        ],
        "benefits": granted(level.level, rulebook),
    }


def catalogue_entry(benefit: Benefit, rulebook: Rulebook) -> contract.Benefit:
    """A benefit, and the amount that each level has of it."""
    return {
        "benefit": benefit.key,
        "name": benefit.name,
        "description": benefit.description,
        "kind": benefit.kind,
        "from_level": benefit.from_level,
        "levels": [
            {"level": grant.level, "level_name": rulebook.level(grant.level).name, **_extent(benefit, grant)}
            for grant in benefit.grants
        ],
    }


def granted(level: int | None, rulebook: Rulebook) -> list[contract.LevelBenefit]:
    """The benefits of a level, with the amount of each."""
    return [
        {"benefit": benefit.key, "name": benefit.name, "kind": benefit.kind, **_extent(benefit, grant)}
        for benefit in rulebook.benefits
        if (grant := benefit.grant(level))
    ]


def level_name(level: int | None, rulebook: Rulebook) -> str | None:
    return None if level is None else rulebook.level(level).name


# --- for the agency itself --------------------------------------------------------------------------------------------


def own_view(rating: Rating, rulebook: Rulebook, publication: contract.ViewPublication) -> contract.OwnViewAnswer:
    """Everything that an agency sees about its level: reasons, gaps to the next level, benefits, removed rows."""
    shown, why = _Amounts(rulebook), reasons(rating, rulebook)
    return {
        "agency_id": rating.agency_id,
        "name": rating.measured.name,
        "month": rating.month,
        "status": rating.status,
        "level": rating.level,
        "level_name": level_name(rating.level, rulebook),
        "computed_level": rating.computed_level,
        "first_rating_on": rating.first_rating_on if rating.status is Status.AWAITING_FIRST_RATING else None,
        "previous_level": rating.previous_level,
        "change": rating.change,
        "metrics": {metric: shown(metric, value) for metric, value in rating.metrics.items()},
        "channels": [_channel(result, shown) for result in why.channels],
        "next_level": _next_level(why.next_level, rulebook, shown) if why.next_level else None,
        "margin": [_margin(result, shown) for result in why.channels if result.passed],
        "benefits": granted(rating.level, rulebook),
        "tips": _tips(why.next_level, rulebook) if why.next_level else [],
        "excluded": {
            "creators": [{"risk_tag": r.risk_tag, "count": r.count} for r in rating.measured.excluded_creators],
            "orders": [_removed_orders(r) for r in rating.measured.excluded_orders],
        },
        "publication": publication,
    }


def past(rating: Rating, publication: Publication, published_at: datetime, rulebook: Rulebook) -> contract.HistoryMonth:
    """One month of an agency's history. ``published_at``: in the platform's time zone."""
    shown = _Amounts(rulebook)
    return {
        "month": rating.month,
        "run": publication.run,
        "published_at": published_at,
        "action": publication.action,
        "status": rating.status,
        "level": rating.level,
        "level_name": level_name(rating.level, rulebook),
        "computed_level": rating.computed_level,
        "previous_level": rating.previous_level,
        "change": rating.change,
        "metrics": {metric: shown(metric, value) for metric, value in rating.metrics.items()},
    }


def entitlement(benefit: Benefit, rating: Rating) -> contract.Entitlement:
    """Whether an agency has a benefit and how much of it, or why not."""
    grant = benefit.grant(rating.level)
    return {
        "benefit": benefit.key,
        "name": benefit.name,
        "granted": grant is not None,
        "reason": "granted" if grant else _why_not(benefit, rating),
        "kind": benefit.kind,
        **_extent(benefit, grant),
        "from_level": benefit.from_level,
    }


def _why_not(benefit: Benefit, rating: Rating) -> contract.Reason:
    if benefit.from_level is None:
        return "not_offered"
    if rating.status is Status.AWAITING_FIRST_RATING:
        return "awaiting_first_rating"
    if rating.level is None:
        return "unrated"
    return "level_too_low" if rating.level < benefit.from_level else "not_at_this_level"


def _channel(result: ChannelResult, shown: _Amounts) -> contract.ChannelResult:
    return {
        "channel": result.channel,
        "passed": result.passed,
        "thresholds": [{**_required_and_actual(check, shown), "met": check.met} for check in result.checks],
    }


def _next_level(above: NextLevel, rulebook: Rulebook, shown: _Amounts) -> contract.NextLevelGaps:
    return {
        "level": above.level,
        "level_name": rulebook.level(above.level).name,
        "nearest_channel": above.nearest_channel,
        "channels": [
            {
                "channel": result.channel,
                "progress": min(_progress(check) for check in result.checks),
                "gaps": [
                    {
                        **_required_and_actual(check, shown),
                        "missing": shown(check.metric, check.missing),
                        "progress": _progress(check),
                    }
                    for check in result.checks
                ],
            }
            for result in above.channels
        ],
    }


def _progress(check: Check) -> float:
    """The float nearest to the exact share, without computing the exact share, which takes most of the time."""
    return min(1.0, check.actual / check.required) if check.required else 1.0


def _margin(result: ChannelResult, shown: _Amounts) -> contract.ChannelMargin:
    return {
        "channel": result.channel,
        "thresholds": [
            {**_required_and_actual(check, shown), "margin": shown(check.metric, check.margin)}
            for check in result.checks
        ],
    }


def _required_and_actual(check: Check, shown: _Amounts) -> contract.ThresholdCheck:
    return {
        "metric": check.metric,
        "required": shown(check.metric, check.required),
        "actual": shown(check.metric, check.actual),
    }


def _tips(above: NextLevel, rulebook: Rulebook) -> list[contract.Advice]:
    """Advice for every metric that is too low for some channel of the next level (rule 12)."""
    short = {check.metric for result in above.channels for check in result.checks if check.missing}
    return [
        {"metric": tip.metric, "tip": tip.tip, "texts": _both(tip.tip), "link": tip.link or None}
        for tip in rulebook.tips
        if tip.metric in short
    ]


def _both(text: str) -> contract.BothLanguages:
    found = each_language_of_workbook(text)
    return {"zh": found["zh"], "en": found["en"]}


def _removed_orders(removed: Removed) -> contract.RemovedOrders:
    return {"risk_tag": removed.risk_tag, "count": removed.count, "amount": yuan(removed.amount)}


def _extent(benefit: Benefit, grant: Grant | None) -> contract.HowMuch:
    """The amount of a benefit: ``quota`` a number or ``unlimited``, ``text`` from the sheet; null if it has neither."""
    quota: contract.Quota = None
    if grant and benefit.kind is BenefitKind.QUOTA:
        quota = "unlimited" if grant.quota is None else grant.quota
    return {"quota": quota, "text": grant.text if grant else None}


class _Amounts:
    """A metric's value as the API shows it: yuan text for money, a whole number for creators."""

    def __init__(self, rulebook: Rulebook) -> None:
        self._money = frozenset(m.key for m in rulebook.metrics if m.measure is Measure.PAID_GMV)

    def __call__(self, metric: str, value: int) -> int | str:
        return yuan(value) if metric in self._money else value
