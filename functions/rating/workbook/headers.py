"""Finds each column of a tab by its header, in English or Chinese and in any order. Never guesses. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from functions.rating.workbook.cells import RawTab, a1, formula_fault, plain_text, shown, trimmed
from functions.rating.workbook.description import Column, Tab, Text
from functions.rating.workbook.faults import FaultList, Location

_SHOWN_HEADERS = 30
_LAST_HEADER_ROW = 5  # of the rows that are not blank
_FEWEST_HEADERS = 2  # fewest known headers in a header row; a title has only one cell
_SHORTEST_NAME, _LONG_NAME = 2, 8


@dataclass(frozen=True, slots=True)
class MoreColumns:
    """The columns that another tab's rows add: from each header in lower case to its key.

    ``complete``: False if those rows have faults; then an unknown header may be correct. ``required``: the keys that
    need a column.
    """

    by_header: Mapping[str, str]
    complete: bool
    required: tuple[Column, ...] = ()

    def optional(self) -> MoreColumns:
        """The same columns, none of them required."""
        return replace(self, required=())


def fixed_headers(tab: Tab) -> dict[str, str]:
    """Every header of the tab's own columns, with the column's key."""
    return {name.casefold(): column.key for column in tab.columns for name in (column.key, column.zh)}


@dataclass(frozen=True, slots=True)
class Header:
    """The header row of a tab. ``more``: the columns that it may have besides its own."""

    raw: RawTab
    tab: Tab
    more: MoreColumns | None
    faults: FaultList
    row: int

    def positions(self) -> tuple[dict[str, int], dict[str, int]]:
        """The position of each column by key; and the position of each misspelt header, whose column is not read."""
        positions: dict[str, int] = {}
        unknown: dict[int, str] = {}
        cells = self.raw.rows[self.row]
        for position, cell in enumerate(cells):
            text = plain_text(cell)
            if text is None:
                continue
            key = self._key(text)
            if key is None:
                unknown[position] = text
            elif key in positions:
                other = Location(self.raw.title, a1(self.row, positions[key]))
                self.faults.add(
                    "header_twice", self._location(position), shown(text, self.faults.language), other=other
                )
            else:
                positions[key] = position
        self._find_values_without_header()
        misspelt = self._misspelt(unknown, positions)
        for position, text in unknown.items():
            self._find_unknown(text, position, meant=misspelt.get(position))
        found = {column.key for column in misspelt.values()}
        for column in self._columns():
            if column.indispensable and column.key not in positions and column.key not in found:
                nothing = shown(None, self.faults.language)
                self.faults.add("column_missing", self._free_location(), nothing, en=column.key, zh=column.zh)
        return positions, {column.key: position for position, column in misspelt.items()}

    def _columns(self) -> tuple[Column, ...]:
        return (*self.tab.columns, *(self.more.required if self.more else ()))

    def _key(self, text: str) -> str | None:
        """The key of the column with this header; None if there is none."""
        name = text.casefold()
        return fixed_headers(self.tab).get(name) or (self.more.by_header.get(name) if self.more else None)

    def _misspelt(self, unknown: Mapping[int, str], positions: Mapping[str, int]) -> dict[int, Column]:
        """For each unknown header, the missing column that it most likely means."""
        missing = [column for column in self._columns() if column.key not in positions]
        found: dict[int, Column] = {}
        for position, text in unknown.items():
            near = [one for one in missing if nearly(text, one.key) or nearly(text, one.zh)]
            if len(near) == 1 and near[0] not in found.values():
                found[position] = near[0]
        return found

    def _find_unknown(self, text: str, position: int, meant: Column | None) -> None:
        quoted = shown(text, self.faults.language)
        if fault := formula_fault(text):
            self.faults.add(fault, self._location(position), quoted)
        elif meant:
            self.faults.add("header_misspelt", self._location(position), quoted, title=meant.title)
        elif self.more is None or self.more.complete:
            code = "header_unread" if self.more is None else "header_unknown"
            self.faults.add(code, self._location(position), quoted, known=self._known())

    def _known(self) -> Text:
        further = sorted(set(self.more.by_header)) if self.more else []
        en, zh = ([getattr(column.title, name) for column in self.tab.columns] + further for name in ("en", "zh"))
        cut = len(en) > _SHOWN_HEADERS
        return Text(
            ", ".join(en[:_SHOWN_HEADERS]) + (", …" if cut else ""),
            "、".join(zh[:_SHOWN_HEADERS]) + ("……" if cut else ""),
        )

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
        """The cell after the last header, where another header can be typed."""
        last = max(position for position, cell in enumerate(self.raw.rows[self.row]) if plain_text(cell) is not None)
        return self._location(last + 1)

    def _location(self, position: int) -> Location:
        return Location(self.raw.title, a1(self.row, position))


def header_row(raw: RawTab, tab: Tab, more: MoreColumns | None) -> int | None:
    """The index of the header row; None without one.

    It is the first row with at least two known headers, so a title above it is not taken for the header; otherwise the
    first row that is not blank.
    """
    known = {*fixed_headers(tab), *(more.by_header if more else ())}
    filled = [index for index, row in enumerate(raw.rows) if any(trimmed(cell) is not None for cell in row)]
    for index in filled[:_LAST_HEADER_ROW]:
        names = {(plain_text(cell) or "").casefold() for cell in raw.rows[index]}
        if len(names & known) >= _FEWEST_HEADERS:
            return index
    return filled[0] if filled else None


def nearly(text: str, name: str) -> bool:
    """Whether a text is a name with a typing error: one letter more, less or different; two in a long name."""
    text, name = text.casefold(), name.casefold()
    if len(name) < _SHORTEST_NAME or abs(len(text) - len(name)) > 1:
        return False
    same = sum(block.size for block in SequenceMatcher(None, text, name, autojunk=False).get_matching_blocks())
    slips = 1 if len(name) < _LONG_NAME else 2
    return max(len(text), len(name)) - same <= slips
