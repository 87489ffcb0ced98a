"""Replaces many faults with the same cause by one fault. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from functions.rating.workbook.cells import RawCell, a1, shown, trimmed
from functions.rating.workbook.faults import Fault, FaultList, Location
from functions.rating.workbook.tables import Table

FEWEST = 3  # fewer cells with the same fault stay single faults
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_NUMBER_CODES = ("not_whole", "not_yuan", "not_share", "not_quota")


def merge_columns_of_text(faults: FaultList, tables: Iterable[Table]) -> None:
    """Replace the faults of a column whose numbers were all typed as text by one fault."""
    by_title = {table.title: table for table in tables if table.typed}
    in_columns: dict[tuple[str, str], list[Fault]] = defaultdict(list)
    for fault in faults.faults:
        if fault.code in _NUMBER_CODES and fault.tab in by_title:
            in_columns[fault.tab, fault.cell.rstrip("0123456789")].append(fault)
    for (title, letters), found in in_columns.items():
        table = by_title[title]
        if len(found) < FEWEST or not _is_all_text(table, letters):
            continue
        first, last = found[0], found[-1]
        area = f"{first.cell}:{last.cell}"
        raw = _column(table, letters)[0]
        since = min(fault.from_month or "" for fault in found)
        at_cells, quoted = Location(title, area), shown(raw, faults.language)
        merged = faults.make("column_is_text", at_cells, quoted, since=since, cells=len(found))
        at = faults.faults.index(first)
        faults.faults[at] = merged
        for fault in found[1:]:
            faults.faults.remove(fault)


def _is_all_text(table: Table, letters: str) -> bool:
    cells = _column(table, letters)
    return all(isinstance(cell, str) and _NUMBER.fullmatch(cell) for cell in cells)


def _column(table: Table, letters: str) -> Sequence[RawCell]:
    """The filled cells of a column below the header."""
    position = next(at for at in table.positions.values() if a1(0, at).rstrip("1") == letters)
    cells = (trimmed(row[position]) for row in table.rows[table.first :] if position < len(row))
    return [cell for cell in cells if cell is not None]
