"""The movers: agencies whose level differs, each with the threshold that decided. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Literal

from functions.rating.run.rules import metric_values
from shared.levels import Grant, Measured, Rating, Rulebook, Standing, Status
from shared.reasons import ChannelResult, Check, channel_results

ANSWERED_MOVERS = 2000


Cause = Literal["override", "override_ended"]


@dataclass(frozen=True, slots=True)
class BenefitChange:
    """A benefit that the agency keeps with another extent, such as ``20`` → ``5``, or one text → another."""

    benefit: str
    before: str
    now: str


@dataclass(frozen=True, slots=True)
class Mover:
    """An agency whose level changes. ``benefits_gained`` and ``benefits_lost`` are keys of benefits.

    ``cause``: "override" for a level set by hand, "override_ended" when that ends; None if numbers or ladder decided.

    ``decided_by``: the tightest threshold that was newly met (level up) or newly missed (level down). None if no
    threshold decided: an override, a first rating that is awaited, or a channel that was removed.
    """

    agency_id: str
    name: str
    old_level: int | None
    new_level: int | None
    channel: int | None
    decided_by: Check | None
    benefits_gained: tuple[str, ...]
    benefits_lost: tuple[str, ...]
    benefits_changed: tuple[BenefitChange, ...] = ()
    cause: Cause | None = None

    @property
    def up(self) -> bool:
        return (self.new_level or 0) > (self.old_level or 0)


def movers(
    ratings: Sequence[Rating],
    earlier: Mapping[str, Standing],
    rulebook: Rulebook,
    earlier_rulebook: Rulebook | None = None,
    earlier_measured: Mapping[str, Measured] = MappingProxyType({}),
) -> tuple[Mover, ...]:
    """Every agency whose level differs from its earlier level, by agency_id. New agencies have old_level None.

    Benefits are compared between the earlier level (by ``earlier_rulebook``) and the new level (by ``rulebook``).
    ``earlier_measured``: the earlier numbers by agency_id; an agency that is not in it is compared with its new
    numbers.
    """
    before_and_now = _BeforeAndNow(earlier_rulebook or rulebook, rulebook)
    return tuple(
        before_and_now.mover(rating, before, earlier_measured.get(rating.agency_id, rating.measured))
        for rating in ratings
        if (before := earlier.get(rating.agency_id)) is None or before.level != rating.level
        if rating.level is not None or (before is not None and before.level is not None)
    )


def matrix(ratings: Sequence[Rating], earlier: Mapping[str, Standing]) -> dict[tuple[str, str], int]:
    """How many agencies go from each standing to each standing: ``1``, ``2`` …, unrated, awaiting, absent."""
    now = {rating.agency_id: _label(rating.status, rating.level) for rating in ratings}
    before = {agency_id: _label(standing.status, standing.level) for agency_id, standing in earlier.items()}
    pairs = ((before.get(agency, "absent"), now.get(agency, "absent")) for agency in before.keys() | now.keys())
    return dict(sorted(Counter(pairs).items()))


def comparison(
    ratings: Sequence[Rating],
    earlier: Mapping[str, Standing],
    rulebook: Rulebook,
    earlier_rulebook: Rulebook | None = None,
    earlier_measured: Mapping[str, Measured] = MappingProxyType({}),
) -> dict[str, Any]:
    """The movers, ready for JSON: matrix of standings, each mover with what decided, cases that passed."""
    names = {b.key: b.name for book in (earlier_rulebook, rulebook) if book for b in book.benefits}
    return {
        "matrix": [{"from": old, "to": new, "agencies": n} for (old, new), n in matrix(ratings, earlier).items()],
        "movers": [
            asdict(mover)
            | {
                "benefits_gained": [names[key] for key in mover.benefits_gained],
                "benefits_lost": [names[key] for key in mover.benefits_lost],
                "benefits_changed": [
                    asdict(change) | {"benefit": names[change.benefit]} for change in mover.benefits_changed
                ],
            }
            for mover in movers(ratings, earlier, rulebook, earlier_rulebook, earlier_measured)
        ],
        "metrics": {metric.key: asdict(metric) for metric in rulebook.metrics},
        "cases_passed": [case.case for case in rulebook.cases],
    }


def in_brief(document: Mapping[str, Any]) -> dict[str, Any]:
    """A comparison that fits into an answer (Lambda allows 6 MB): the first movers, and the number of all."""
    moving = document["movers"]
    return {**document, "movers": moving[:ANSWERED_MOVERS], "moving": len(moving)}


def _label(status: Status, level: int | None) -> str:
    if status is Status.AWAITING_FIRST_RATING:
        return "awaiting"
    return "unrated" if level is None else str(level)


@dataclass(frozen=True, slots=True)
class _BeforeAndNow:
    """The rulebook of the earlier levels and the rulebook of the new levels."""

    before: Rulebook
    now: Rulebook

    def mover(self, rating: Rating, standing: Standing | None, then: Measured) -> Mover:
        """One mover. ``then``: the agency's numbers at its earlier level."""
        old = standing.level if standing else None
        cause = _cause(rating.status, standing)
        channel, decided_by = (None, None) if cause else self._decided(rating, old, then)
        had, has = _benefits(self.before, old), _benefits(self.now, rating.level)
        return Mover(
            agency_id=rating.agency_id,
            name=rating.measured.name,
            old_level=old,
            new_level=rating.level,
            channel=channel,
            decided_by=decided_by,
            benefits_gained=tuple(key for key in has if key not in had),
            benefits_lost=tuple(key for key in had if key not in has),
            benefits_changed=tuple(
                BenefitChange(key, _extent(had[key]), _extent(has[key]))
                for key in has
                if key in had and _extent(had[key]) != _extent(has[key])
            ),
            cause=cause,
        )

    def _decided(self, rating: Rating, old: int | None, then: Measured) -> tuple[int | None, Check | None]:
        if rating.status is Status.AWAITING_FIRST_RATING:
            return None, None
        up = (rating.level or 0) > (old or 0)
        level = rating.level if up else old
        was = {result.channel: result for result in _channels(self.before, rating.month, level, then)}
        now = _channels(self.now, rating.month, level, rating.measured)
        if up:
            return _tightest([_only(result, was.get(result.channel), met=True) for result in now if result.passed])
        passed_before = {channel for channel, result in was.items() if result.passed}
        missed = [result for result in now if result.channel in passed_before] or ([] if passed_before else now)
        return _tightest([_only(result, was.get(result.channel), met=False) for result in missed])


def _cause(status: Status, before: Standing | None) -> Cause | None:
    if status is Status.OVERRIDDEN:
        return "override"
    return "override_ended" if before and before.status is Status.OVERRIDDEN else None


def _only(result: ChannelResult, was: ChannelResult | None, *, met: bool) -> ChannelResult:
    """The channel with only the checks that are newly met (or missed). If none is new: all met (or missed) ones."""
    before = {check.metric: check.met for check in was.checks} if was else {}
    now = [check for check in result.checks if check.met == met]
    changed = tuple(check for check in now if before.get(check.metric, not met) != met)
    return replace(result, checks=changed or tuple(now) or result.checks)


def _channels(rulebook: Rulebook, month: str, level: int | None, measured: Measured) -> tuple[ChannelResult, ...]:
    """The result of each channel of a level for these numbers; empty if the rulebook has no such level."""
    ladder = rulebook.ladder(month)
    known = level if level and level <= len(ladder.rungs) else None
    return channel_results(metric_values(rulebook.metrics)(measured), ladder, known)


def _tightest(results: Sequence[ChannelResult]) -> tuple[int | None, Check | None]:
    """The channel whose smallest ratio is largest, with its tightest check."""
    if not results:
        return None, None
    best = max(results, key=lambda result: min(map(_ratio, result.checks)))
    return best.channel, min(best.checks, key=_ratio)


def _ratio(check: Check) -> Fraction:
    """Actual value over required value; very large for a threshold of 0, which is never the tightest."""
    return Fraction(check.actual, check.required) if check.required else Fraction(10**18)


def _benefits(rulebook: Rulebook, level: int | None) -> dict[str, Grant]:
    return {benefit.key: grant for benefit in rulebook.benefits if (grant := benefit.grant(level))}


def _extent(grant: Grant) -> str:
    """How much of a benefit a level has: a text, a number or "unlimited". All levels with a flag have the same."""
    return grant.text or ("unlimited" if grant.quota is None else str(grant.quota))
