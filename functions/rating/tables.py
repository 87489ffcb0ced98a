"""Tabs as tables: which tab is which, which column is which, and rows whose cells are read by the description. Pure.

A tab is found by its English or Chinese name, a column by its header, whatever their order. The first row that is not
blank is the header. What can't be told apart is a fault, never a guess.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from functions.rating.cells import (
    Quota,
    RawCell,
    RawTab,
    RawWorkbook,
    Unreadable,
    Value,
    a1,
    is_formula_error,
    plain_text,
    read_cell,
    shown,
    trimmed,
)
from functions.rating.description import Column, Description, Tab
from functions.rating.faults import Fault, FaultList, Place

_Kind = TypeVar("_Kind", str, int, bool)
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


@dataclass(frozen=True, slots=True)
class Row:
    """One row. Reading a cell records its fault, if any, and gives None then, as for a blank cell."""

    table: Table
    index: int

    def text(self, key: str) -> str | None:
        return self._value(key, str)

    def whole(self, key: str) -> int | None:
        return self._value(key, int)

    def read(self, key: str, column: Column) -> Value | Quota | None:
        """The cell under ``key``, read as ``column`` says: for columns whose type depends on the row or the metric."""
        raw = self.raw(key)
        try:
            return read_cell(raw, column, typed=self.table.typed)
        except Unreadable as fault:
            self.fault(fault.code, key, **fault.facts)
            return None

    def raw(self, key: str) -> RawCell:
        """The cell as it was read; None when the table has no such column."""
        position = self.table.positions.get(key)
        cells = self.table.rows[self.index]
        return cells[position] if position is not None and position < len(cells) else None

    def fault(self, code: str, key: str, **facts: Any) -> None:
        """Record a fault of the cell under ``key``; ``found`` is what the cell shows unless given."""
        self.table.faults.faults.append(self.unadded_fault(code, key, **facts))

    def unadded_fault(self, code: str, key: str, **facts: Any) -> Fault:
        """A fault of the cell under ``key`` that only a later step can tell to be one."""
        found = facts.pop("found", None) or shown(self.raw(key))
        return self.table.faults.make(code, self.place(key), found, **facts)

    def blank(self, key: str) -> bool:
        return trimmed(self.raw(key)) is None

    def place(self, key: str) -> Place:
        """Where the cell under ``key`` is, for a fault; the row's first cell when the table has no such column."""
        return Place(self.table.title, a1(self.index, self.table.positions.get(key, 0)))

    def _value(self, key: str, kind: type[_Kind]) -> _Kind | None:
        column = self.table.tab.column(key)
        value = self.read(key, column)
        if value is None and column.required and self.blank(key) and key in self.table.positions:
            self.fault("value_missing", key, column=key)
        if value is not None and not isinstance(value, kind):
            raise TypeError(f"column {key} is described as {column.type}, which is no {kind.__name__}")
        return value


@dataclass(frozen=True, slots=True)
class Table:
    """A tab whose columns are known. ``more`` lists the keys of its further columns, in the sheet's order."""

    tab: Tab
    title: str
    typed: bool
    rows: Sequence[Sequence[RawCell]]
    faults: FaultList = field(repr=False)
    first: int
    positions: Mapping[str, int]
    more: tuple[str, ...]

    def __iter__(self) -> Iterator[Row]:
        """The rows below the header that hold anything in a column that is read. An unchecked box holds nothing."""
        for index in range(self.first, len(self.rows)):
            row = Row(self, index)
            if any(row.raw(key) is not False and not row.blank(key) for key in self.positions):
                yield row


def find_tabs(raw: RawWorkbook, description: Description, faults: FaultList) -> dict[str, RawTab]:
    """The tabs that are read, by key. Tabs with other names are nobody's business."""
    found: dict[str, RawTab] = {}
    for tab in description.inputs:
        here = [candidate for candidate in raw.tabs if description.tab_titled(candidate.title) is tab]
        if not here and tab.required:
            faults.add("tab_missing", Place(tab.key, "A1"), shown(None), en=tab.key, zh=tab.zh)
        if len(here) > 1:
            faults.add("tab_twice", Place(here[1].title, "A1"), shown(here[1].title), en=tab.key, zh=tab.zh)
        if here:
            found[tab.key] = here[0]
    return found


def make_table(raw: RawTab | None, tab: Tab, more: MoreColumns | None, faults: FaultList, *, typed: bool) -> Table:
    """The tab with its columns found; without rows when there is no tab. A required tab without rows is a fault."""
    if raw is None:
        return Table(tab, tab.key, typed, (), faults, 0, {}, ())
    header_at = next((index for index, row in enumerate(raw.rows) if any(trimmed(c) is not None for c in row)), None)
    if header_at is None:
        if tab.required:
            faults.add("tab_without_rows", Place(raw.title, "A1"), shown(None))
        return Table(tab, raw.title, typed, (), faults, 0, {}, ())
    header = _Header(raw, tab, more, faults, header_at)
    positions = header.positions()
    further = tuple(key for key in positions if key not in {column.key for column in tab.columns})
    table = Table(tab, raw.title, typed, raw.rows, faults, header_at + 1, positions, further)
    if tab.required and positions and not any(True for _ in table):
        faults.add("tab_without_rows", Place(raw.title, a1(header_at + 1, 0)), shown(None))
    return table


class Once:
    """Sees to it that a key stands in one row only."""

    def __init__(self) -> None:
        self._seen: dict[Hashable, Place] = {}

    def admit(self, key: Hashable, row: Row, column: str, **facts: Any) -> bool:
        """Whether this is the first row with the key; a later one gets a fault at ``column``."""
        here = row.place(column)
        if (other := self._seen.setdefault(key, here)) == here:
            return True
        row.fault("key_twice", column, other=other, **facts)
        return False


def fixed_headers(tab: Tab) -> dict[str, str]:
    """Every header that names a column of the tab's own, to the column's key."""
    return {name.casefold(): column.key for column in tab.columns for name in (column.key, column.zh)}


@dataclass(frozen=True, slots=True)
class _Header:
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
                other = Place(self.raw.title, a1(self.row, positions[key]))
                self.faults.add("header_twice", self._place(position), shown(text), other=other)
            elif key is not None:
                positions[key] = position
        self._find_values_without_header()
        for column in (*self.tab.columns, *(self.more.required if self.more else ())):
            if column.indispensable and column.key not in positions:
                self.faults.add("column_missing", self._free_place(), shown(None), en=column.key, zh=column.zh)
        return positions

    def _key(self, text: str, position: int) -> str | None:
        """The key of the column that a header names; None, with a fault, when it names none."""
        name = text.casefold()
        key = fixed_headers(self.tab).get(name) or (self.more.by_header.get(name) if self.more else None)
        if is_formula_error(text):
            self.faults.add("formula_error", self._place(position), shown(text))
        elif key is None and (self.more is None or self.more.complete):
            code = "header_unread" if self.more is None else "header_unknown"
            self.faults.add(code, self._place(position), shown(text), known=self._known())
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
                    self.faults.add("header_blank", self._place(position), f"{a1(index, position)}: {shown(cell)}")

    def _free_place(self) -> Place:
        """Where one more header can be typed: after the last one."""
        last = max(position for position, cell in enumerate(self.raw.rows[self.row]) if plain_text(cell) is not None)
        return self._place(last + 1)

    def _place(self, position: int) -> Place:
        return Place(self.raw.title, a1(self.row, position))
