"""Checks the spreadsheet: reads it and names every fault."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from functions.rating.commands.prepared import prepared_beside
from functions.rating.result import result
from functions.rating.services import Services
from functions.rating.workbook.changes import Change, changes_id
from functions.rating.workbook.rulebook import Fault, Verdict, against, parse, unknown_overrides
from shared.content import content_id
from shared.errors import WorkbookFaulty
from shared.levels import Rulebook
from shared.months import Month


def check(services: Services, month: Month) -> dict[str, Any]:
    """The spreadsheet's faults, changes and prepared months. Writes no levels."""
    verdict = with_unknown_overrides(services, read_rulebook(services, month))
    rulebook, changes = content_id(verdict.rulebook) if verdict.rulebook else None, dicts(verdict.changes)
    return result(
        "checked",
        str(month),
        rulebook=rulebook,
        faults=dicts(verdict.faults),
        changes=changes,
        changes_id=changes_id(changes),
        prepared=prepared_beside(services, verdict),
        valid=not verdict.errors,
    )


def read_rulebook(services: Services, month: Month) -> Verdict:
    """The current spreadsheet, with all its faults, and its differences from the rules in force.

    In force is the rulebook of the newest published month. Raises WorkbookUnavailable.
    """
    with services.progress.stage("sheet") as facts:
        verdict = parse(services.workbook.read(), services.description, month)
        pointer = services.table.pointer()
        if pointer.publications:
            in_force = services.table.rulebook(pointer.current().rulebook)
            verdict = against(verdict, in_force, pointer.publications, services.description)
        facts["faults"], facts["changes"] = len(verdict.faults), len(verdict.changes)
    return verdict


def with_unknown_overrides(services: Services, verdict: Verdict) -> Verdict:
    """The verdict with a warning for each override of an agency that is not in the newest publication.

    A run that measures a month compares with that month's agencies instead.
    """
    pointer = services.table.pointer()
    if not verdict.overrides or not pointer.publications:
        return verdict
    known = services.table.standings(pointer.current().run)
    return replace(verdict, faults=verdict.faults + unknown_overrides(verdict, known.keys()))


def valid_rulebook(verdict: Verdict) -> Rulebook:
    """The rulebook of a verdict. Raises WorkbookFaulty with all faults if one of them is an error."""
    if verdict.rulebook is None:
        listed = "\n".join(str(fault) for fault in verdict.errors)
        raise WorkbookFaulty(
            f"the spreadsheet has {len(verdict.errors)} errors; nothing was written:\n{listed}",
            dicts(verdict.faults),
            dicts(verdict.changes),
        )
    return verdict.rulebook


def dicts(things: Sequence[Fault] | Sequence[Change]) -> list[dict[str, Any]]:
    """Faults or changes, ready for JSON."""
    return [thing.as_dict() for thing in things]


def next_to_rate(services: Services) -> Month:
    """The month to rate next: the one after the newest published month; before any publication, the last month."""
    published = services.table.pointer().publications
    return Month.parse(max(published)).plus(1) if published else Month.of(services.now(), services.zone).plus(-1)
