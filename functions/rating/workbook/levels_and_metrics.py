"""Reads the levels and metrics of the spreadsheet, and the headers by which other tabs name them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from functions.rating.workbook.description import Column, Tab, Text
from functions.rating.workbook.headers import MoreColumns
from functions.rating.workbook.tables import Once, Row, Table
from shared.levels import Level, Measure, Metric

POWERS = ("min_power", "max_power")


@dataclass(frozen=True, slots=True)
class Levels:
    """The levels, ascending, up to the first gap.

    ``columns``: the headers of levels in the benefits tab; incomplete if a row has a fault. ``usable``: there are
    levels, and no row has an error. ``highest``: the highest number in the tab, of rows with errors too.
    """

    levels: tuple[Level, ...]
    columns: MoreColumns
    usable: bool
    highest: int

    def begins(self, level: int | None) -> str:
        """The first rating month that has a level, as text that sorts; empty for every month, or no level."""
        return next((one.from_month or "" for one in self.levels if one.level == level), "")

    def admits(self, row: Row, key: str) -> int | None:
        """The level in a cell of another tab; None if blank or faulty. An unknown level is a fault."""
        level = row.whole(key)
        if level is None or not self.usable or level <= self.highest:
            return level
        row.fault("level_unknown", key, most=len(self.levels))
        return None


@dataclass(frozen=True, slots=True)
class Metrics:
    """The metrics by key. A metric whose row has a fault is None, so that its columns in other tabs are not faults.

    ``columns``: the headers of metrics in other tabs; incomplete if a row has a fault. ``usable``: there are metrics,
    and no row has an error. ``later``: metrics of a later month whose row has an error; they are left out.
    """

    by_key: Mapping[str, Metric | None]
    columns: MoreColumns
    usable: bool
    later: frozenset[str]

    def begins(self, key: str) -> str:
        """The first rating month that has a metric, as text that sorts; empty for every month, or if unreadable."""
        metric = self.by_key[key]
        return (metric.from_month if metric else None) or ""

    @property
    def valid_keys(self) -> tuple[str, ...]:
        """The keys of all but those that a later month has and that have an error."""
        return tuple(key for key in self.by_key if key not in self.later)

    @property
    def valid(self) -> tuple[Metric, ...]:
        return tuple(metric for _, metric in sorted(self.by_key.items()) if metric)


def read_levels(table: Table, benefits: Tab) -> Levels:
    """The levels, ascending. Faults: a level twice, a gap, a name that is ambiguous as a column of benefits."""
    faults = table.faults
    before = len(faults.faults)
    once = Once()
    found: dict[int, tuple[Level, Row]] = {}
    highest = 0
    for row in table:
        before_row = len(faults.faults)
        number, name, description = row.whole("level"), row.text("name"), row.text("description")
        highest = max(highest, number or 0)
        level = Level(number or 0, name or "", description or "", row.text("from_month"))
        if number is not None and once.admit(number, row, "level") and not row.left_out(before_row):
            found[number] = level, row
    ascending = [found[number] for number in sorted(found)]
    if not faults.errors_after(before):
        ascending = _without_gap(ascending, silent=len(faults.faults) > before)
    headers = _Headers((benefits,))
    for level, row in ascending:
        headers.claim(level_key(level.level), row, "level", *level_headers(level.level))
    for level, row in ascending:
        headers.claim(level_key(level.level), row, "name", level.name)
    complete = bool(found) and len(faults.faults) == before
    usable = bool(found) and not faults.errors_after(before)
    there = [level for level, _ in ascending if (level.from_month or "") <= faults.month]
    required = tuple(_column(level_key(level.level), level.name) for level in there)
    columns = MoreColumns(headers.keys, complete, required if usable else ())
    return Levels(tuple(level for level, _ in ascending), columns, usable, highest)


def read_metrics(table: Table, tabs: Sequence[Tab]) -> Metrics:
    """The metrics. Faults: a key twice, wrong power levels, a key or name that is ambiguous as a column of ``tabs``."""
    faults = table.faults
    before = len(faults.faults)
    once = Once()
    found: dict[str, tuple[Metric | None, str, Row]] = {}
    later: set[str] = set()
    for row in table:
        before_row = len(faults.faults)
        key, name = row.text("metric"), row.text("name") or ""
        metric = _metric(row, key, name)
        if key is not None and once.admit(key, row, "metric"):
            found[key] = metric, name, row
            if row.left_out(before_row):
                later.add(key)
    headers = _Headers(tabs)
    for key, (_, _, row) in found.items():
        headers.claim(key, row, "metric", key)
    for key, (_, name, row) in found.items():
        headers.claim(key, row, "name", name)
    complete = bool(found) and len(faults.faults) == before
    usable = bool(found) and not faults.errors_after(before)
    now = {key: name for key, (_, name, row) in sorted(found.items()) if not row.since}
    required = tuple(_column(key, name) for key, name in now.items())
    columns = MoreColumns(headers.keys, complete, required if usable else ())
    by_key = {key: None if key in later else metric for key, (metric, _, _) in sorted(found.items())}
    return Metrics(by_key, columns, usable, frozenset(later))


def _without_gap(ascending: Sequence[tuple[Level, Row]], *, silent: bool) -> list[tuple[Level, Row]]:
    """The levels up to the first gap. ``silent``: a level is left out for a fault of its own, which made the gap."""
    for index, (level, row) in enumerate(ascending):
        earlier = ascending[index - 1][0].from_month or "" if index else ""
        if level.level != index + 1:
            if not silent:
                row.fault("level_gap", "level", expected=index + 1)
            return list(ascending[:index])
        if (level.from_month or "") < earlier:
            row.fault("level_starts_early", "from_month", least=earlier)
            return list(ascending[:index])
    return list(ascending)


def level_key(level: int) -> str:
    """The key of a level's column."""
    return str(level)


def level_headers(level: int) -> tuple[str, ...]:
    """The headers of a level's column, besides its name."""
    return f"{level}", f"L{level}", f"Lv{level}"


def _metric(row: Row, key: str | None, name: str) -> Metric | None:
    measure, unit, from_month = row.text("measure"), row.text("unit") or "", row.text("from_month")
    least, most = (row.whole(power) for power in POWERS)
    if measure == Measure.PAID_GMV:
        for power in POWERS:
            if not row.blank(power):
                row.fault("power_unwanted", power)
        least = most = None
    elif measure == Measure.CREATOR_COUNT:
        for power in POWERS:
            if row.unfilled(power):
                row.fault("power_missing", power)
        if least is not None and most is not None and least > most:
            row.fault("power_reversed", "max_power", least=least)
        if least is None or most is None:
            return None
    if key is None or measure is None:
        return None
    return Metric(key, name, Measure(measure), least, most, unit, from_month)


def _column(key: str, name: str) -> Column:
    """A column in the message about its absence."""
    return Column(key, name, "text", indispensable=True)


class _Headers:
    """The key that each header means. A header that could mean two keys means neither, and is a fault."""

    def __init__(self, tabs: Iterable[Tab]) -> None:
        self.keys: dict[str, str] = {}
        self._owners: dict[str, Text | str] = {
            name.casefold(): Text(f"{tab.key}.{column.key}", f"“{tab.zh}”的“{column.zh}”列")
            for tab in tabs
            for column in tab.columns
            for name in (column.key, column.zh)
        }

    def claim(self, key: str, row: Row, at: str, *headers: str) -> None:
        """Let ``headers`` mean ``key``. A header that another key has already is a fault of the cell ``at``."""
        for header in filter(None, (header.casefold() for header in headers)):
            if header in self._owners and self.keys.get(header) != key:
                row.fault("header_ambiguous", at, other=self._owners[header])
            else:
                self.keys[header] = key
                self._owners.setdefault(header, str(row.location(at)))
