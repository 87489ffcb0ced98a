"""The benefits of the spreadsheet: what each level is entitled to. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from functions.rating.workbook.cell_types import Quota
from functions.rating.workbook.description import Column
from functions.rating.workbook.levels_and_metrics import Levels, level_key
from functions.rating.workbook.tables import Once, Row, Table
from functions.rating.workbook.texts import lowers
from shared.levels import Benefit, BenefitKind, Grant, Level


def read_benefits(table: Table, levels: Levels, cells: Mapping[str, Column]) -> tuple[Benefit, ...]:
    """The benefits by key. Warns when a higher level has less of a benefit than a lower level."""
    once = Once()
    benefits: dict[str, Benefit] = {}
    for row in table:
        before = len(table.faults.faults)
        key, name, description = row.text("benefit"), row.text("name"), row.text("description")
        kind = row.text("kind")
        grants = {level.level: _grant(row, level, cells[kind]) for level in levels.levels} if kind else {}
        if key is None or kind is None or not once.admit(key, row, "benefit"):
            continue
        granted = tuple(grant for _, grant in sorted(grants.items()) if grant)
        benefit = Benefit(key, name or "", description or "", BenefitKind(kind), granted, row.text("from_month"))
        if row.left_out(before):
            continue
        benefits[key] = benefit
        _find_losses(row, grants)
    return tuple(benefit for _, benefit in sorted(benefits.items()))


def _grant(row: Row, level: Level, cell: Column) -> Grant | None:
    """What the level gets. A blank cell and a quota of 0 grant nothing."""
    match row.read(level_key(level.level), cell, level.from_month or ""):
        case True:
            return Grant(level.level)
        case str(text):
            return Grant(level.level, text=text)
        case Quota(number) if number != 0:
            return Grant(level.level, quota=number)
    return None


def _find_losses(row: Row, grants: Mapping[int, Grant | None]) -> None:
    for lower, higher in pairwise(sorted(grants)):
        had, has = grants[lower], grants[higher]
        if had and (has is None or lowers(had, has)):
            row.fault("benefit_lost", level_key(higher), level=lower, other=row.location(level_key(lower)))
