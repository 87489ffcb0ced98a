"""Which rows of a sheet with errors can't be compared with what is in force: what they say is not known. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from functions.rating.workbook.addresses import KEY_COLUMNS, Addresses, RowKey
from functions.rating.workbook.cells import a1
from functions.rating.workbook.description import Description
from functions.rating.workbook.differences import Difference
from functions.rating.workbook.faults import Fault

_READ_ALL_THE_SAME = frozenset(
    (
        "ladder_absent",
        "level_without_threshold",
        "channel_without_threshold",
        "ladder_not_monotone",
        "case_fails",
        "link_not_https",
        "metric_unknown",
    )
)
"""Errors of rows whose cells are all read: they say something, if not what they may."""
_OF_SEVERAL_ROWS = ("cells_merged", "column_is_text", "level_starts_early")
_COLUMNS_OF = {"levels": ("benefits",), "metrics": ("thresholds", "cases")}
"""In which tabs the rows of a tab have columns."""


@dataclass(frozen=True, slots=True)
class Unread:
    """Tabs, rows and columns that are not, or not wholly, read. Columns: the tab and the key of the column."""

    tabs: frozenset[str]
    rows: frozenset[tuple[str, RowKey]]
    columns: frozenset[tuple[str, str]]

    def hides(self, difference: Difference) -> bool:
        """Whether a difference may be no change at all, but a cell that could not be read."""
        tab, column = difference.tab, difference.column
        if column is None and tab == "thresholds" and any(of == tab for of, _ in self.columns):
            return True  # a channel whose only threshold is unread looks as if it had none
        return tab in self.tabs or (tab, difference.key) in self.rows or (tab, column) in self.columns


NOTHING_UNREAD = Unread(frozenset(), frozenset(), frozenset())


def unread(faults: Iterable[Fault], addresses: Addresses, description: Description) -> Unread:
    """What the errors of a sheet, those of later months too, leave unread."""
    tabs: set[str] = set()
    rows: set[tuple[str, RowKey]] = set()
    row_keys = {(tab, row.index): key for (tab, key), row in addresses.rows.items()}
    for fault in faults:
        if (fault.severity == "warning" and not fault.from_month) or fault.code in _READ_ALL_THE_SAME:
            continue
        tab = description.tab_titled(fault.tab)
        if tab is None:
            continue
        key = _row_of(fault, tab.key, addresses, row_keys)
        if key is None:
            tabs.add(tab.key)
        else:
            rows.add((tab.key, key))
    for tab_key, others in _COLUMNS_OF.items():
        if tab_key in tabs:
            tabs.update(("thresholds", *others))  # a ladder has the levels of the levels tab
    columns = {(other, key[0]) for tab, key in rows for other in _COLUMNS_OF.get(tab, ())}
    return Unread(frozenset(tabs), frozenset(rows), frozenset(columns))


def _row_of(fault: Fault, tab: str, addresses: Addresses, row_keys: dict[tuple[str, int], RowKey]) -> RowKey | None:
    """The one row that a fault leaves unread; None where it may be any row of the tab."""
    match = re.fullmatch(r"([A-Z]+)([0-9]+)", fault.cell)
    table = addresses.tables.get(tab)
    if match is None or table is None or fault.code in _OF_SEVERAL_ROWS or table.title != fault.tab:
        return None
    letters, row = match[1], int(match[2]) - 1
    columns = (table.positions.get(column) for column in KEY_COLUMNS[tab])
    if row < table.first or letters in {a1(0, at).rstrip("1") for at in columns if at is not None}:
        return None
    return row_keys.get((tab, row))
