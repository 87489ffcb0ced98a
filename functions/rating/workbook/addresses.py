"""Where in the spreadsheet a value of the rulebook stands, or would stand if it had not vanished. Pure."""

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
"""By which columns a row of each tab is known."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """The rows of each tab by their keys. ``titles``: what a tab is called, also one that is not there.

    ``language``: the sheet's.
    """

    tables: Mapping[str, Table]
    rows: Mapping[tuple[str, RowKey], Row]
    titles: Mapping[str, str]
    language: Language

    def of(self, tab: str, key: RowKey, column: str | None = None) -> Location:
        """The cell of a value, the row of a whole row (``5:5``), the column of a row that vanished (``C:C``).

        No cell where neither row nor column is there.
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
    """The addresses of a rulebook that is read from no sheet: the tabs, and no cells."""
    titles = {tab.key: str(getattr(tab.title, language)) for tab in description.inputs}
    return Addresses({}, {}, titles, language)


def addresses_of(tables: Mapping[str, Table], description: Description, language: Language) -> Addresses:
    """The addresses in the tabs of one reading. A key that stands in two rows is that of the first."""
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
