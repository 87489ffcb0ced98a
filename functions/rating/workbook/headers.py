"""Which column of a tab is which: by its header, in English or Chinese, in any order; never by a guess. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from functions.rating.workbook.cells import RawTab, a1, is_formula_error, plain_text, shown, trimmed
from functions.rating.workbook.description import Column, Tab
from functions.rating.workbook.faults import FaultList, Location

_SHOWN_HEADERS = 30


@dataclass(frozen=True, slots=True)
class MoreColumns:
    """The columns that another tab's rows add to a tab: from each header that names one, in lower case, to its key.

    ``complete`` is False when those rows have faults of their own; then an unknown header proves nothing.
    ``required`` are those of which the tab must have a column.
    """

    by_header: Mapping[str, str]
    complete: bool
    required: tuple[Column, ...] = ()

    def optional(self) -> MoreColumns:
        """The same columns for a tab that may lack any of them."""
        return replace(self, required=())


def fixed_headers(tab: Tab) -> dict[str, str]:
    """Every header that names a column of the tab's own, to the column's key."""
    return {name.casefold(): column.key for column in tab.columns for name in (column.key, column.zh)}


@dataclass(frozen=True, slots=True)
class Header:
    """The header row of a tab. ``more``: the columns that it may have besides its own."""

    raw: RawTab
    tab: Tab
    more: MoreColumns | None
    faults: FaultList
    row: int

    def positions(self) -> dict[str, int]:
        """Where each column is, by key."""
        positions: dict[str, int] = {}
        cells = self.raw.rows[self.row]
        for position, cell in enumerate(cells):
            text = plain_text(cell)
            if text is None:
                continue
            key = self._key(text, position)
            if key in positions:
                other = Location(self.raw.title, a1(self.row, positions[key]))
                self.faults.add(
                    "header_twice", self._location(position), shown(text, self.faults.language), other=other
                )
            elif key is not None:
                positions[key] = position
        self._find_values_without_header()
        for column in (*self.tab.columns, *(self.more.required if self.more else ())):
            if column.indispensable and column.key not in positions:
                self.faults.add(
                    "column_missing",
                    self._free_location(),
                    shown(None, self.faults.language),
                    en=column.key,
                    zh=column.zh,
                )
        return positions

    def _key(self, text: str, position: int) -> str | None:
        """The key of the column that a header names; None, with a fault, when it names none."""
        name = text.casefold()
        key = fixed_headers(self.tab).get(name) or (self.more.by_header.get(name) if self.more else None)
        if is_formula_error(text):
            self.faults.add("formula_error", self._location(position), shown(text, self.faults.language))
        elif key is None and (self.more is None or self.more.complete):
            code = "header_unread" if self.more is None else "header_unknown"
            self.faults.add(code, self._location(position), shown(text, self.faults.language), known=self._known())
        return key

    def _known(self) -> str:
        own = [f"{column.key} {column.zh}" for column in self.tab.columns]
        further = sorted(set(self.more.by_header)) if self.more else []
        listed = own + further
        return ", ".join(listed[:_SHOWN_HEADERS]) + (", …" if len(listed) > _SHOWN_HEADERS else "")

    def _find_values_without_header(self) -> None:
        named = {position for position, cell in enumerate(self.raw.rows[self.row]) if plain_text(cell) is not None}
        for index in range(self.row + 1, len(self.raw.rows)):
            for position, cell in enumerate(self.raw.rows[index]):
                if position not in named and trimmed(cell) is not None:
                    named.add(position)
                    self.faults.add(
                        "header_blank",
                        self._location(position),
                        f"{a1(index, position)}: {shown(cell, self.faults.language)}",
                    )

    def _free_location(self) -> Location:
        """Where one more header can be typed: after the last one."""
        last = max(position for position, cell in enumerate(self.raw.rows[self.row]) if plain_text(cell) is not None)
        return self._location(last + 1)

    def _location(self, position: int) -> Location:
        return Location(self.raw.title, a1(self.row, position))
