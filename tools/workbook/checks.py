"""The checks of a column's cells, in the terms of Excel, WPS and LibreOffice. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from functions.rating.workbook.cells import a1
from tools.sheet.columns import FORMATS, SheetColumn, quota_formula


@dataclass(frozen=True, slots=True)
class Check:
    """A data validation. ``first`` and ``second``: the bounds of a number; else ``first`` is a formula or a list.

    ``strict``: nothing else can be typed; otherwise it offers a list.
    """

    kind: Literal["whole", "decimal", "list", "custom"]
    first: str
    second: str | None = None
    strict: bool = True

    @property
    def operator(self) -> Literal["between"] | None:
        return "between" if self.second else None


def number_format_of(column: SheetColumn) -> str:
    """Text where text belongs, so that ``007`` and ``2026-10`` stay as typed; General where it depends on the row."""
    if column.by_row:
        return "General"
    kind, pattern = FORMATS[column.cells.type]
    return "@" if kind == "TEXT" else pattern


def check_of(column: SheetColumn, row: int, positions: Mapping[str, int]) -> Check | None:
    """The check of the cell in ``row`` (from 0), as a formula that is copied down; None where any text will do."""
    cell, cells = a1(row, positions[column.key]), column.cells
    if column.of_a_level:
        return Check("list", f'"TRUE,{column.unlimited}"', strict=False)  # numbers and texts are typed in other rows
    match cells.type:
        case "whole":
            return Check("whole", f"{cells.least:f}", f"{cells.most:f}")
        case "yuan":
            return Check("decimal", f"{cells.least:f}", f"{cells.most:f}")
        case "setting":
            return _formula(f"ISNUMBER({cell})")
        case "month":
            number = f"ISNUMBER(VALUE(LEFT({cell},4))),VALUE(MID({cell},6,2))>=1,VALUE(MID({cell},6,2))<=12"
            return _formula(f'AND(ISTEXT({cell}),LEN({cell})=7,MID({cell},5,1)="-",{number})')
        case "agency_id" | "key" if not column.words:
            return _formula(f'AND(LEN({cell})<=64,ISERROR(FIND(" ",{cell})))')
        case "choice" | "key":
            return Check("list", f'"{",".join(column.words.values())}"')
    return None


def red_when(column: SheetColumn, row: int, positions: Mapping[str, int]) -> str | None:
    """When a cell is certainly wrong: not of its row's kind, or text where a number belongs."""
    if not column.of_a_level:
        return column.red_when(row, positions)
    cell, kind = a1(row, positions[column.key]), f"${a1(row, positions['kind'])}"
    allowed = {"flag": f"OR({cell}=TRUE,{cell}=FALSE)", "quota": quota_formula(cell), "text": f"ISTEXT({cell})"}
    nested = "FALSE"
    for choice in reversed(column.tab.column("kind").choices):
        nested = f'IF(OR({kind}="{choice.en}",{kind}="{choice.zh}"),{allowed[choice.en]},{nested})'
    return f"AND(NOT(ISBLANK({cell})),NOT(IFERROR({nested},FALSE)))"


def _formula(formula: str) -> Check:
    return Check("custom", formula)
