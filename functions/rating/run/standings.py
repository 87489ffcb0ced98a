"""Counts a run's ratings and compares them with earlier standings. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from shared.levels import Change, Rating, Standing, Status


@dataclass(frozen=True, slots=True)
class LevelChange:
    """One agency whose level changed. None is unrated."""

    agency_id: str
    old_level: int | None
    new_level: int | None


@dataclass(frozen=True, slots=True)
class Restatement:
    """What a run changes in the publication that it replaces.

    ``run``: the replaced run. ``changes``: the agencies whose level differs.
    """

    run: str
    changes: tuple[LevelChange, ...]


def standings_of(ratings: Iterable[Rating]) -> dict[str, Standing]:
    """The standing of each rating, by agency_id: all that a later month needs."""
    return {r.agency_id: Standing(r.status, r.level, r.measured.paid_gmv) for r in ratings}


def count_levels(ratings: Sequence[Rating], levels: int) -> dict[str, int]:
    """How many agencies have each level, are unrated (below the ladder) or await their first rating."""
    counts = {str(level): 0 for level in range(1, levels + 1)} | {"unrated": 0, "awaiting_first_rating": 0}
    for rating in ratings:
        if rating.status is Status.AWAITING_FIRST_RATING:
            counts["awaiting_first_rating"] += 1
        else:
            counts["unrated" if rating.level is None else str(rating.level)] += 1
    return counts


def count_moves(ratings: Sequence[Rating], earlier: Mapping[str, Standing]) -> dict[str, int]:
    """How many agencies are up, down, new, same or left. Agencies that await their first rating are not counted."""
    counts = {change.value: 0 for change in Change} | {"left": len(earlier.keys() - {r.agency_id for r in ratings})}
    for rating in ratings:
        if rating.change is not None:
            counts[rating.change.value] += 1
    return counts


def level_changes(earlier: Mapping[str, Standing], now: Mapping[str, Standing]) -> tuple[LevelChange, ...]:
    """Every agency whose level differs between two sets of standings, by agency_id.

    An agency that is in only one set has the level None in the other.
    """
    agencies = sorted(earlier.keys() | now.keys())
    levels = (LevelChange(agency, _level(earlier.get(agency)), _level(now.get(agency))) for agency in agencies)
    return tuple(change for change in levels if change.old_level != change.new_level)


def _level(standing: Standing | None) -> int | None:
    return standing.level if standing else None
