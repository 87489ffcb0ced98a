"""The cell address of each value of the rulebook, also of values that were removed. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from functions.rating.workbook.cells import Language, a1, plain_text
from functions.rating.workbook.description import Description
from functions.rating.workbook.faults import Location
from functions.rating.workbook.tables import Row, Table

RowKey = tuple[str, ...]

KEY_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "levels": ("level",),
    "metrics": ("metric",),
    "thresholds": ("effective_month", "level", "channel"),
    "benefits": ("benefit",),
    "tips": ("metric", "tip"),
    "overrides": ("agency_id", "from_month"),
    "cases": ("case",),
    "settings": ("setting",),
}
"""The columns that identify a row of each tab."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """The rows of each tab by key. ``titles``: each tab's title, also of missing tabs. ``language``: the sheet's."""

    tables: Mapping[str, Table]
    rows: Mapping[tuple[str, RowKey], Row]
    titles: Mapping[str, str]
    language: Language

    def of(self, tab: str, key: RowKey, column: str | None = None) -> Location:
        """The address of a cell, of a whole row (``5:5``), or of the column of a removed row (``C:C``).

        The address is empty if neither row nor column exists.
        """
        table, row = self.tables.get(tab), self.rows.get((tab, key))
        title = self.titles[tab]
        position = table.positions.get(column) if table and column else None
        if row is not None and column is not None and position is not None:
            return Location(title, a1(row.index, position))
        if row is not None:
            return Location(title, f"{row.index + 1}:{row.index + 1}")
        if position is not None:
            letters = a1(0, position).rstrip("0123456789")
            return Location(title, f"{letters}:{letters}")
        return Location(title, "")


def unaddressed(description: Description, language: Language = "zh") -> Addresses:
    """The addresses of a rulebook that was not read from a sheet: tabs without cells."""
    titles = {tab.key: str(getattr(tab.title, language)) for tab in description.inputs}
    return Addresses({}, {}, titles, language)


def addresses_of(tables: Mapping[str, Table], description: Description, language: Language) -> Addresses:
    """The addresses in the tabs that were read. If a key is in two rows, it means the first."""
    rows: dict[tuple[str, RowKey], Row] = {}
    for tab, table in tables.items():
        for row in table:
            key = tuple(plain_text(row.raw(column)) or "" for column in KEY_COLUMNS[tab])
            if tab == "settings" and (setting := description.setting(key[0])):
                key = (setting.key,)
            rows.setdefault((tab, key), row)
    titles = {
        tab.key: tables[tab.key].title if tables[tab.key].rows else str(getattr(tab.title, language))
        for tab in description.inputs
    }
    return Addresses(tables, rows, titles, language)
