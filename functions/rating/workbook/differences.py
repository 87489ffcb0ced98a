"""The differences between two rulebooks, cell by cell, and the rating months for which each one counts. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from functions.rating.workbook.addresses import RowKey
from functions.rating.workbook.cell_types import UNLIMITED
from functions.rating.workbook.description import Text
from functions.rating.workbook.flat import FlatRow, Held, flat
from shared.levels import Rulebook
from shared.months import Month

Effect = Literal["text", "waits", "month", "none"]
"""When a difference takes effect. text: next morning. waits: when it is confirmed, or with the next month.
month: from a rating month on. none: it changes no level and no text for agencies."""

_TEXT_COLUMNS = {
    "levels": {"name", "description"},
    "metrics": {"name", "unit"},
    "benefits": {"name", "description"},
    "overrides": {"reason", "approved_by"},
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One cell that differs. With ``column`` None: one row that was added or removed."""

    tab: str
    key: RowKey
    column: str | None
    old: FlatRow | None
    new: FlatRow | None
    name: Text

    def cells(self) -> tuple[Held | None, Held | None]:
        """The old and the new value of the cell."""
        column = self.column or ""
        old, new = (row.cells.get(column) if row else None for row in (self.old, self.new))
        return old, new


@dataclass(frozen=True, slots=True)
class Counts:
    """When and how a difference takes effect.

    ``takes_away``: somebody gets less, or a limit is switched off. ``from_month``: the first rating month that it
    affects. ``past_months``: published months that would be rated differently, but stay as they are.
    """

    effect: Effect
    takes_away: bool = False
    from_month: str | None = None
    past_months: tuple[str, ...] = ()


def differences(old: Rulebook, new: Rulebook, tabs: Sequence[str]) -> Iterator[Difference]:
    """Every difference, in the order of the tabs."""
    before, after = flat(old), flat(new)
    for tab, key in sorted(before.keys() | after.keys(), key=lambda row: (tabs.index(row[0]), row[1])):
        was, now = before.get((tab, key)), after.get((tab, key))
        if was and not now:
            yield Difference(tab, key, None, was, None, was.name)
        elif now and not was:
            yield Difference(tab, key, None, None, now, now.name)
        elif was and now:
            yield from _cells_that_differ(tab, key, was, now)


def _cells_that_differ(tab: str, key: RowKey, was: FlatRow, now: FlatRow) -> Iterator[Difference]:
    columns = [*now.cells, *(column for column in was.cells if column not in now.cells)]
    for column in columns:
        if was.cells.get(column) != now.cells.get(column):
            yield Difference(tab, key, column, was, now, now.name)


def counts(difference: Difference, sheet: Rulebook, published: Collection[str]) -> Counts:
    """When a difference from the rules in force takes effect. ``published``: the published months."""
    return _Counting(difference, sheet, tuple(sorted(published))).counts()


@dataclass(frozen=True, slots=True)
class _Counting:
    difference: Difference
    sheet: Rulebook
    published: tuple[str, ...]

    @property
    def following(self) -> str:
        """The month to rate next."""
        return str(Month.parse(self.published[-1]).plus(1))

    def counts(self) -> Counts:
        difference = self.difference
        if difference.tab == "tips" or difference.column in _TEXT_COLUMNS.get(difference.tab, ()):
            return Counts("text")
        match difference.tab:
            case "thresholds":
                return self._threshold()
            case "benefits":
                return self._benefit()
            case "overrides":
                return self._override()
            case "settings":
                off = difference.new is None and difference.key[0].startswith("max_")
                return Counts("month", off, self.following)
            case "cases":
                return Counts("none")
        since = self._since()
        past = self._published_from(since) if difference.tab == "metrics" and difference.old else ()
        return Counts("month", False, max(since, self.following), past)

    def _threshold(self) -> Counts:
        """A ladder counts until the next ladder begins."""
        since = self.difference.key[0]
        later = (ladder.effective_month or "" for ladder in self.sheet.ladders)
        ends = min((month for month in later if month > since), default=None)
        past = tuple(month for month in self._published_from(since) if ends is None or month < ends)
        if ends is not None and ends <= self.following:
            return Counts("none", past_months=past)
        return Counts("month", False, max(since, self.following), past)

    def _benefit(self) -> Counts:
        old, new, since = self.difference.old, self.difference.new, self._since()
        if since > self.published[-1]:
            return Counts("month", bool(_grants(old)), since)
        before, after = _grants(old), _grants(new)
        if old and new and old.cells["kind"] != new.cells["kind"]:
            lost = bool(before)
        else:
            column = self.difference.column
            levels = [column] if column and column.isdecimal() else [*before]
            lost = any(less(before.get(level), after.get(level)) for level in levels)
        return Counts("waits", takes_away=True) if lost else Counts("text")

    def _override(self) -> Counts:
        old, new, since = self.difference.old, self.difference.new, self.difference.key[1]
        rows = [row.cells for row in (old, new) if row]
        until = max(str(cells["until_month"]) for cells in rows)
        past = tuple(month for month in self._published_from(since) if month <= until)
        if until < self.following:
            return Counts("none", past_months=past)
        shorter = old is not None and (new is None or str(new.cells["until_month"]) < str(old.cells["until_month"]))
        lower = old is not None and new is not None and int(str(new.cells["level"])) < int(str(old.cells["level"]))
        return Counts("month", shorter or lower, max(since, self.following), past)

    def _since(self) -> str:
        """The first month of the new row, or of the removed row; empty for every month."""
        row = self.difference.new or self.difference.old
        return str(row.cells.get("from_month", "")) if row else ""

    def _published_from(self, since: str) -> tuple[str, ...]:
        return tuple(month for month in self.published if month >= since)


def less(had: Held | None, has: Held | None) -> bool:
    """Whether a benefit's cell grants less than before: nothing instead of something, or a smaller quota."""
    if had is None or has is None:
        return had is not None
    if isinstance(had, bool) or isinstance(has, bool) or not isinstance(has, int):
        return False
    return had == UNLIMITED or (isinstance(had, int) and has < had)


def _grants(row: FlatRow | None) -> dict[str, Held]:
    return {column: value for column, value in row.cells.items() if column.isdecimal()} if row else {}
