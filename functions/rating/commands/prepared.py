"""Tries rules that are prepared for later months on the stored numbers of the newest published month."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from functions.rating.run.distribution import distributions
from functions.rating.run.movers import comparison, in_brief
from functions.rating.run.rules import Rules
from functions.rating.run.standings import count_levels, count_moves
from functions.rating.services import Services
from functions.rating.workbook.rulebook import Verdict
from functions.rating.workbook.texts import as_if_for, what_rates
from shared.errors import LevelsError
from shared.items import Publication
from shared.levels import Level, Measured, Metric, Rulebook, Standing
from shared.months import Month
from shared.observability import logger


@dataclass(frozen=True, slots=True)
class Stored:
    """The agencies of a publication: their stored numbers and their standings."""

    valid: Publication
    measured: tuple[Measured, ...]
    standings: dict[str, Standing]


def read_stored(services: Services, valid: Publication) -> Stored:
    """The stored numbers of a publication.

    Reads every rating, one request for 100 agencies, because by other rules any agency may move. At 100,000 agencies
    that is about one US dollar a month, if something is prepared all the time; an answer kept instead of it could be
    out of date.
    """
    with services.progress.stage("stored") as facts:
        standings = services.table.standings(valid.run)
        stored = services.table.ratings((agency_id, valid) for agency_id in standings)
        facts["agencies"] = len(stored)
    return Stored(valid, tuple(rating.measured for rating in stored), standings)


def prepared(
    services: Services, valid: Publication, rulebook: Rulebook, in_force: Rulebook, until: str | None = None
) -> list[dict[str, Any]]:
    """The months from which the sheet rates differently, and who would move; empty if there is none.

    A change of the present ladder counts as one too. ``until``: the first month for which the sheet has errors; it
    and later ones are not tried.
    """
    months = [m for m in _months_that_differ(rulebook, in_force, valid) if until is None or m < until]
    if not months:
        return []
    stored = read_stored(services, valid)
    return [
        {
            "effective_month": month,
            "effective_on": Month.parse(month).renewed_on.isoformat(),
            "measured_month": valid.month,
            **{part: tried[part] for part in ("moves", "level_names", "preview")},
        }
        for month in months
        for tried in [try_month(services, stored, rulebook, month, in_force)]
    ]


def prepared_beside(services: Services, verdict: Verdict | None) -> list[dict[str, Any]]:
    """The same for the newest publication, beside any other answer: what fails here fails nothing else.

    ``verdict`` is None where the sheet was not read: then it is what the rulebook in force prepares.
    """
    if verdict and verdict.rulebook is None:
        return []
    try:
        pointer = services.table.pointer()
        if not pointer.publications:
            return []
        valid = pointer.current()
        in_force = services.table.rulebook(valid.rulebook)
        rulebook, until = (verdict.rulebook, verdict.prepared_until) if verdict else (None, None)
        return prepared(services, valid, rulebook or in_force, in_force, until)
    except LevelsError as error:
        logger.warning("what is prepared could not be tried", cause=str(error))
        return []


def try_month(services: Services, stored: Stored, rulebook: Rulebook, month: str, in_force: Rulebook) -> dict[str, Any]:
    """Counts and movers if the stored agencies were rated by the rules that ``rulebook`` has for ``month``."""
    measured_month = stored.valid.month
    tried = as_if_for(rulebook, month, measured_month)
    rules = Rules(tried, Month.parse(measured_month), services.zone)
    ratings = [rules.rate(measured, stored.standings[measured.agency_id]) for measured in stored.measured]
    return {
        "agencies": len(ratings),
        "levels": count_levels(ratings, len(tried.levels)),
        "moves": count_moves(ratings, stored.standings),
        "level_names": {str(level.level): level.name for level in tried.levels},
        "distributions": distributions(ratings, tried, measured_month),
        "preview": in_brief(comparison(ratings, stored.standings, tried, in_force.as_of(measured_month))),
    }


def _months_that_differ(rulebook: Rulebook, in_force: Rulebook, valid: Publication) -> list[str]:
    """The months after ``valid`` whose rules differ from the rules of the month before."""
    following = str(Month.parse(valid.month).plus(1))
    rows: tuple[Level | Metric, ...] = (*rulebook.levels, *rulebook.metrics)
    starts = {ladder.effective_month for ladder in rulebook.ladders} | {row.from_month for row in rows}
    later = sorted(month for month in starts if month and month > following)
    found, before = [], what_rates(in_force, valid.month)
    for month in (following, *later):
        now = what_rates(rulebook, month)
        if now != before:
            found.append(month)
        before = now
    return found
