"""The benefits of the spreadsheet: what each level is entitled to. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from functions.rating.workbook.cell_types import Quota
from functions.rating.workbook.description import Column
from functions.rating.workbook.levels_and_metrics import Levels, level_key
from functions.rating.workbook.tables import Once, Row, Table
from functions.rating.workbook.texts import lowers
from shared.levels import Benefit, BenefitKind, Grant


def read_benefits(table: Table, levels: Levels, cells: Mapping[str, Column]) -> tuple[Benefit, ...]:
    """The benefits by key. Warnings: a benefit that a higher level has not, or has less of."""
    once = Once()
    benefits: dict[str, Benefit] = {}
    for row in table:
        key, name, description = row.text("benefit"), row.text("name"), row.text("description")
        kind = row.text("kind")
        grants = {level.level: _grant(row, level.level, cells[kind]) for level in levels.levels} if kind else {}
        if key is None or kind is None or not once.admit(key, row, "benefit"):
            continue
        granted = tuple(grant for _, grant in sorted(grants.items()) if grant)
        benefits[key] = Benefit(key, name or "", description or "", BenefitKind(kind), granted, row.text("from_month"))
        _find_losses(row, grants)
    return tuple(benefit for _, benefit in sorted(benefits.items()))


def _grant(row: Row, level: int, cell: Column) -> Grant | None:
    """What the level gets; a blank cell and a quota of 0 grant nothing."""
    match row.read(level_key(level), cell):
        case True:
            return Grant(level)
        case str(text):
            return Grant(level, text=text)
        case Quota(number) if number != 0:
            return Grant(level, quota=number)
    return None


def _find_losses(row: Row, grants: Mapping[int, Grant | None]) -> None:
    for lower, higher in pairwise(sorted(grants)):
        had, has = grants[lower], grants[higher]
        if had and (has is None or lowers(had, has)):
            row.fault("benefit_lost", level_key(higher), level=lower, other=row.location(level_key(lower)))
