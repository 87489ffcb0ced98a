"""Tabs as tables: finds tabs and columns, and reads each cell by its description. Pure.

A tab is found by its English or Chinese name, a column by its header, in any order. Anything ambiguous is a fault,
never a guess.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from functions.rating.workbook.cell_types import Quota, Unreadable, Value, read_cell
from functions.rating.workbook.cells import RawCell, RawTab, RawWorkbook, a1, plain_text, shown, shown_date, trimmed
from functions.rating.workbook.description import Column, Description, Tab
from functions.rating.workbook.faults import Fault, FaultList, Location
from functions.rating.workbook.headers import Header, MoreColumns, header_row

_Kind = TypeVar("_Kind", str, int, bool)


@dataclass(frozen=True, slots=True)
class Row:
    """One row. Reading a faulty cell records the fault and returns None, as for a blank cell."""

    table: Table
    index: int

    def text(self, key: str) -> str | None:
        return self._value(key, str)

    def whole(self, key: str) -> int | None:
        return self._value(key, int)

    def read(self, key: str, column: Column, since: str = "") -> Value | Quota | None:
        """The cell under ``key``, read as ``column`` describes it: for columns whose type depends on the metric."""
        raw = self.raw(key)
        try:
            return read_cell(raw, column, typed=self.table.typed)
        except Unreadable as fault:
            self.fault(fault.code, key, since=max(since, self.since), **fault.facts)
            return None

    def raw(self, key: str) -> RawCell:
        """The cell as it was read; None if the table has no such column."""
        position = self.table.positions.get(key)
        cells = self.table.rows[self.index]
        return cells[position] if position is not None and position < len(cells) else None

    @property
    def since(self) -> str:
        """The first rating month that the row counts for; empty for every month, or where that can't be read."""
        column = self.table.tab.begins
        try:
            month = read_cell(self.raw(column.key), column, typed=self.table.typed) if column else None
        except Unreadable:
            return ""
        return str(month or "")

    def left_out(self, before: int) -> bool:
        """Whether the row only counts for a later month and has an error, among the faults after ``before``."""
        return self.since > self.table.faults.month and self.table.faults.later_after(before)

    def fault(self, code: str, key: str, **facts: Any) -> None:
        """Record a fault of the cell under ``key``. ``found``: the cell's content unless given."""
        self.table.faults.faults.append(self.unadded_fault(code, key, **facts))

    def unadded_fault(self, code: str, key: str, **facts: Any) -> Fault:
        """A fault of the cell under ``key`` that is not recorded: a later step decides."""
        show = shown_date if code == "not_month" else shown
        found = facts.pop("found", None) or show(self.raw(key), self.table.faults.language)
        since = facts.pop("since", None)
        at = self.location(key)
        return self.table.faults.make(code, at, found, since=self.since if since is None else since, **facts)

    def blank(self, key: str) -> bool:
        return trimmed(self.raw(key)) is None

    def unfilled(self, key: str) -> bool:
        """Whether the column exists and the cell is blank. A missing column is a separate fault."""
        return key in self.table.positions and self.blank(key) and not self.table.hides(self.index, key)

    def location(self, key: str) -> Location:
        """The address of the cell under ``key``, or of the row's first cell if the table has no such column."""
        return Location(self.table.title, a1(self.index, self.table.positions.get(key, 0)))

    def _value(self, key: str, kind: type[_Kind]) -> _Kind | None:
        column = self.table.tab.column(key)
        value = self.read(key, column)
        if column.required and self.unfilled(key):
            self.fault("value_missing", key, column=self.table.header(key))
        if value is not None and not isinstance(value, kind):
            raise TypeError(f"column {key} is described as {column.type}, which is no {kind.__name__}")
        return value


@dataclass(frozen=True, slots=True)
class Table:
    """A tab whose columns are known. ``more``: keys of its further columns, in the sheet's order.

    ``misspelt``: positions of columns that are not read because of a typing error in the header. ``merged``: as in
    RawTab.
    """

    tab: Tab
    title: str
    typed: bool
    rows: Sequence[Sequence[RawCell]]
    faults: FaultList = field(repr=False)
    first: int
    positions: Mapping[str, int]
    more: tuple[str, ...]
    misspelt: Mapping[str, int] = field(default_factory=dict)
    merged: Sequence[tuple[int, int, int, int]] = ()

    def header(self, key: str) -> str:
        """The header of a column, as the sheet has it."""
        return plain_text(self.rows[self.first - 1][self.positions[key]]) or key

    def hides(self, row: int, key: str) -> bool:
        """Whether a cell is blank because it is merged with others. Merged cells are a separate fault."""
        position = self.positions[key]
        return any(
            top <= row < bottom and left <= position < right and (row, position) != (top, left)
            for top, bottom, left, right in self.merged
        )

    def __iter__(self) -> Iterator[Row]:
        """The rows below the header with a filled cell in a column that is read. An unticked box is not filled."""
        for index in range(self.first, len(self.rows)):
            row = Row(self, index)
            if any(row.raw(key) is not False and not row.blank(key) for key in self.positions):
                yield row


def find_tabs(raw: RawWorkbook, description: Description, faults: FaultList) -> dict[str, RawTab]:
    """The tabs to read, by key. An unknown tab is a warning, since it may be a renamed one."""
    known = description.titles
    for title in (*raw.unread, *(tab.title for tab in raw.tabs)):
        if description.tab_titled(title) is None:
            faults.add("tab_unread", Location(title, "A1"), shown(title, faults.language), known=known)
    found: dict[str, RawTab] = {}
    for tab in description.inputs:
        here = [candidate for candidate in raw.tabs if description.tab_titled(candidate.title) is tab]
        if not here and tab.required:
            faults.add(
                "tab_missing",
                Location(getattr(tab.title, faults.language), "A1"),
                shown(None, faults.language),
                en=tab.key,
                zh=tab.zh,
            )
        if len(here) > 1:
            faults.add(
                "tab_twice", Location(here[1].title, "A1"), shown(here[1].title, faults.language), en=tab.key, zh=tab.zh
            )
        if here:
            found[tab.key] = here[0]
    return found


def make_table(raw: RawTab | None, tab: Tab, more: MoreColumns | None, faults: FaultList, *, typed: bool) -> Table:
    """The table of a tab; without rows if there is no tab. A required tab without rows is a fault."""
    if raw is None:
        return Table(tab, tab.key, typed, (), faults, 0, {}, ())
    for at, position, cell in raw.outside:
        faults.add("cell_outside", Location(raw.title, a1(at, position)), shown(cell, faults.language))
    header_at = header_row(raw, tab, more)
    if header_at is None:
        if tab.required:
            faults.add("tab_without_rows", Location(raw.title, "A1"), shown(None, faults.language))
        return Table(tab, raw.title, typed, (), faults, 0, {}, ())
    positions, misspelt = Header(raw, tab, more, faults, header_at).positions()
    further = tuple(key for key in positions if key not in {column.key for column in tab.columns})
    table = Table(tab, raw.title, typed, raw.rows, faults, header_at + 1, positions, further, misspelt, raw.merged)
    _find_titles(raw, header_at, faults)
    _find_merged(table)
    if tab.required and positions and not any(True for _ in table):
        faults.add("tab_without_rows", Location(raw.title, a1(header_at + 1, 0)), shown(None, faults.language))
    return table


def _find_titles(raw: RawTab, header_at: int, faults: FaultList) -> None:
    """Warn once about rows above the header, which are not read."""
    for index, row in enumerate(raw.rows[:header_at]):
        for position, cell in enumerate(row):
            if trimmed(cell) is not None:
                at = Location(raw.title, a1(index, position))
                faults.add("title_above_header", at, shown(cell, faults.language), row=header_at + 1)
                return


def _find_merged(table: Table) -> None:
    """Faults: merged cells in columns that are read, one fault for each area."""
    unread = {column.key for column in table.tab.columns if column.type == "unread"}
    read = {position for key, position in table.positions.items() if key not in unread}
    for top, bottom, left, right in table.merged:
        if bottom > table.first and any(left <= position < right for position in read):
            area = f"{a1(top, left)}:{a1(bottom - 1, right - 1)}"
            table.faults.add("cells_merged", Location(table.title, a1(top, left)), area, area=area)


class Once:
    """Checks that each key is in only one row."""

    def __init__(self) -> None:
        self._seen: dict[Hashable, Location] = {}

    def admit(self, key: Hashable, row: Row, column: str, **facts: Any) -> bool:
        """Whether this is the first row with the key. A later row gets a fault at ``column``."""
        here = row.location(column)
        if (other := self._seen.setdefault(key, here)) == here:
            return True
        row.fault("key_twice", column, other=other, **facts)
        return False
