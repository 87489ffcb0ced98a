"""The differences between spreadsheet and rulebook in force, in words, each with its cell. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from functions.rating.workbook.addresses import Addresses
from functions.rating.workbook.description import Description, Text
from functions.rating.workbook.differences import Counts, Difference, Effect, counts, differences
from functions.rating.workbook.faults import Fault, FaultList, Location
from functions.rating.workbook.flat import FlatRow, Held, column_name, shown_value
from functions.rating.workbook.ladders import jumps
from functions.rating.workbook.unread import NOTHING_UNREAD, Unread
from shared.content import content_id
from shared.levels import Rulebook
from shared.months import Month


@dataclass(frozen=True, slots=True)
class CellChange:
    """One cell, or one whole row, that differs between two versions of the workbook.

    ``tab`` and ``cell``: in the newer version; a removed row has its column, or no cell. ``old`` and ``new``: in the
    sheet's language; None if there is none.
    """

    tab: str
    cell: str
    what: Text
    old: str | None
    new: str | None

    def __str__(self) -> str:
        where = f"{self.tab}!{self.cell}" if self.cell else self.tab
        what = self.what.zh if self.what.zh == self.what.en else f"{self.what.zh} ({self.what.en})"
        return f"{where}  {what}  {self.old or '–'} → {self.new or '–'}"


@dataclass(frozen=True, slots=True)
class Change(CellChange):
    """A difference from the rules in force. It has the fields of ``Counts``; ``when`` says them in words."""

    effect: Effect
    takes_away: bool
    from_month: str | None
    past_months: tuple[str, ...]
    when: Text

    def as_dict(self) -> dict[str, Any]:
        """The change ready for JSON: ``what`` and ``when`` are objects with ``en`` and ``zh``."""
        return asdict(self)


def changes_id(changes: Sequence[Mapping[str, Any]]) -> str:
    """The same for as long as the sheet differs from what is in force in the same cells by the same values.

    ``changes``: ready for JSON.
    """
    return content_id(changes)


@dataclass(frozen=True, slots=True)
class Compared:
    """The changes, and a warning for each likely typing error: a threshold that was removed, or ten times as large."""

    changes: tuple[Change, ...]
    warnings: tuple[Fault, ...]


def between(old: Rulebook, new: Rulebook, description: Description, addresses: Addresses) -> tuple[CellChange, ...]:
    """The differences between any two versions, in the order of the tabs."""
    comparison = _Comparison(old, new, addresses, description)
    return tuple(map(comparison.cell_change, differences(old, new, [tab.key for tab in description.inputs])))


def compare(
    in_force: Rulebook,
    sheet: Rulebook,
    published: Collection[str],
    addresses: Addresses,
    description: Description,
    *,
    unread: Unread = NOTHING_UNREAD,
) -> Compared:
    """The differences from the rules in force, in the order of the tabs. ``published``: months, at least one."""
    comparison = _Comparison(in_force, sheet, addresses, description)
    every = differences(in_force, sheet, [tab.key for tab in description.inputs])
    found = [difference for difference in every if not unread.hides(difference)]
    return Compared(
        tuple(comparison.change(difference, counts(difference, sheet, published)) for difference in found),
        tuple(comparison.likely_errors(found)),
    )


@dataclass(frozen=True, slots=True)
class _Comparison:
    in_force: Rulebook
    sheet: Rulebook
    addresses: Addresses
    description: Description

    def change(self, difference: Difference, how: Counts) -> Change:
        change = self.cell_change(difference)
        cell = (change.tab, change.cell, change.what, change.old, change.new)
        return Change(*cell, how.effect, how.takes_away, how.from_month, how.past_months, _when(how))

    def cell_change(self, difference: Difference) -> CellChange:
        location = self._location(difference)
        return CellChange(location.tab, location.cell, self._what(difference), *self._shown(difference))

    def likely_errors(self, found: Collection[Difference]) -> Iterator[Fault]:
        faults = FaultList(self.description.faults, self.addresses.language)
        for difference in found:
            if difference.tab != "thresholds" or difference.old is None:
                continue
            what, (shown_old, shown_new) = self._what(difference), self._shown(difference)
            location = self._location(difference)
            at = Location(location.tab, location.cell or "A1")
            said = f"{getattr(what, self.addresses.language)}: {shown_old} → {shown_new or '–'}"
            old, new = difference.cells()
            if shown_new is None:
                yield faults.make("threshold_vanished", at, said, old=shown_old)
            elif isinstance(old, int) and isinstance(new, int) and jumps(old, new):
                yield faults.make("number_jumped", at, said, old=shown_old)

    def _location(self, difference: Difference) -> Location:
        return self.addresses.of(difference.tab, difference.key, difference.column)

    def _what(self, difference: Difference) -> Text:
        name = difference.name
        if difference.tab == "settings":
            return self.description.settings[difference.key[0]].title
        if difference.column is None:
            return name
        column = self._column(difference.tab, difference.column)
        return Text(f"{name.en} · {column.en}", f"{name.zh} · {column.zh}")

    def _shown(self, difference: Difference) -> tuple[str | None, str | None]:
        if difference.column is None:
            return self._listed(difference.tab, difference.old), self._listed(difference.tab, difference.new)
        old, new = difference.cells()
        tab, column = difference.tab, difference.column
        return self._value(tab, column, old, self.in_force), self._value(tab, column, new, self.sheet)

    def _value(self, tab: str, column: str, value: Held | None, book: Rulebook) -> str | None:
        """A value as the sheet writes it."""
        described = next((one for one in self.description.tab(tab).columns if one.key == column), None)
        choice = described.choice(value) if described and isinstance(value, str) else None
        if choice:
            return str(getattr(choice, self.addresses.language))
        return shown_value(tab, column, value, book, self.addresses.language)

    def _listed(self, tab: str, row: FlatRow | None) -> str | None:
        """The cells of a row as one text."""
        if row is None:
            return None
        book = self.sheet if tab in ("thresholds", "cases") else self.in_force
        language = self.addresses.language
        values = ((self._column(tab, key), self._value(tab, key, value, book)) for key, value in row.cells.items())
        listed = (f"{getattr(name, language)} {value}" for name, value in values)
        return ("；" if language == "zh" else "; ").join(listed) or "–"

    def _column(self, tab: str, column: str) -> Text:
        titles = {known.key: known.title for known in self.description.tab(tab).columns}
        return column_name(tab, column, self.sheet, titles)


def _when(how: Counts) -> Text:
    match how.effect:
        case "text":
            when = Text("next morning", "次日早上生效")
        case "waits":
            when = Text("once confirmed, or with the next month", "确认后生效，或随下个月发布")
        case "month":
            day = Month.parse(how.from_month or "").renewed_on
            when = Text(
                f"from rating month {how.from_month}, published on {day}", f"{how.from_month} 考核月起，{day} 发布"
            )
        case _:
            when = Text("changes no level to come", "不影响以后的等级")
    if not how.past_months:
        return when
    months = ", ".join(how.past_months)
    return Text(
        f"{when.en}; published months stay as they are ({months}): rated again, they are held",
        f"{when.zh}；已发布的月份保持不变（{months}），重新评级时将暂缓发布",
    )
