"""What each column of the Google Sheet looks like and lets in: header, note, number format, check, colours. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TypeAlias

from functions.rating.workbook.cell_types import UNLIMITED, UNLIMITED_WORDS
from functions.rating.workbook.cells import Language, RawWorkbook, a1, plain_text
from functions.rating.workbook.description import CellType, Column, Description, Tab, Text
from functions.rating.workbook.faults import FaultList
from functions.rating.workbook.google.requests import CellValue
from functions.rating.workbook.levels_and_metrics import level_key, read_levels, read_metrics
from functions.rating.workbook.tables import Row, Table, find_tabs, make_table
from shared.levels import Measure, Metric

Check: TypeAlias = tuple[str, tuple[str, ...]]  # one of Google's conditions, and its values
NumberFormat: TypeAlias = tuple[str, str]  # Google's kind of format, and its pattern

_TEXT: NumberFormat = ("TEXT", "")
FORMATS: Mapping[CellType, NumberFormat] = {
    "text": _TEXT,
    "key": _TEXT,
    "agency_id": _TEXT,
    "month": _TEXT,
    "choice": _TEXT,
    "unread": _TEXT,
    "whole": ("NUMBER", "0"),
    "yuan": ("NUMBER", "#,##0.00"),
    "share": ("PERCENT", "0.0##%"),
}


@dataclass(frozen=True, slots=True)
class SheetColumn:
    """A column that a tab shall have. ``own``: the tab's own, not one that a metric or a level adds.

    ``by_row``: how the cells are read where that depends on another cell of the row, by what that cell holds.
    ``words``: what a list offers, in the sheet's language, by what is read; ``words_in_use``: those of the other
    language that somebody has chosen before.
    """

    tab: Tab
    key: str
    cells: Column
    title: str
    note: Text
    own: bool = True
    by_row: tuple[str, Mapping[str, Column]] | None = None
    words: Mapping[str, str] = field(default_factory=dict)
    words_in_use: Sequence[str] = ()
    chinese: bool = False

    @property
    def unlimited(self) -> str:
        """What a quota without a limit is called, in the language of the title."""
        return UNLIMITED_WORDS.zh if self.chinese else UNLIMITED_WORDS.en

    @property
    def of_a_level(self) -> bool:
        """Whether a level has added the column; the type of its cells then depends on the row's kind."""
        return self.tab.more_columns == "levels" and not self.own

    @property
    def number_format(self) -> NumberFormat | None:
        """None where it depends on the row."""
        return None if self.by_row else FORMATS[self.cells.type]

    def check(self, row: int, positions: Mapping[str, int]) -> Check | None:
        """What the cells let in, written for the one in ``row`` (from 0); None where any text will do."""
        cell, cells = a1(row, positions[self.key]), self.cells
        if self.of_a_level:
            kind = f"${a1(row, positions['kind'])}"
            allowed = {"flag": f"{cell}=TRUE", "quota": quota_formula(cell), "text": f"ISTEXT({cell})"}
            kinds = self.tab.column("kind").choices
            cases = (f'"{word}",{allowed[choice.en]}' for choice in kinds for word in (choice.en, choice.zh))
            return _formula(f"SWITCH({kind},{','.join(cases)},FALSE)")
        match cells.type:
            case "whole" | "yuan":
                return "NUMBER_BETWEEN", (f"{cells.least:f}", f"{cells.most:f}")
            case "setting":
                return _formula(f"ISNUMBER({cell})")
            case "month":
                return _formula(f'AND(ISTEXT({cell}),REGEXMATCH({cell},"^[0-9]{{4}}-(0[1-9]|1[0-2])$"))')
            case "agency_id":
                return _formula(f'AND(ISTEXT({cell}),REGEXMATCH({cell},"^[A-Za-z0-9_-]{{1,64}}$"))')
            case "choice" | "key" if self.words:
                return "ONE_OF_LIST", tuple(dict.fromkeys([*self.words.values(), *self.words_in_use]))
            case "key":
                return _formula(f'AND(ISTEXT({cell}),REGEXMATCH({cell},"^\\S{{1,64}}$"))')
        return None

    def red_when(self, row: int, positions: Mapping[str, int]) -> str | None:
        """When a cell is certainly wrong: text where a number belongs. Checks don't see what was there before."""
        return f"ISTEXT({a1(row, positions[self.key])})" if self.cells.type in ("whole", "yuan", "setting") else None

    def orange_when(self, row: int, positions: Mapping[str, int]) -> str | None:
        """When a threshold asks less than a lower level of the same ladder and channel."""
        if self.own or self.tab.key != "thresholds":
            return None
        keys = ("effective_month", "level", "channel", self.key)
        month, level, channel, value = (_down(row, positions[key]) for key in keys)
        same = f"({month.all}={month.one})*({channel.all}={channel.one})"
        lower = f"ISNUMBER({level.all})*({level.all}<{level.one})*ISNUMBER({value.all})*({value.all}>{value.one})"
        return f"ISNUMBER({level.one})*SUMPRODUCT({same}*{lower})>0"


class Tables:
    """The tabs of a workbook as tables. Whatever faults they have are the parser's business, not the builder's."""

    def __init__(self, raw: RawWorkbook, description: Description) -> None:
        self.description = description
        self._typed = raw.typed
        self._faults = FaultList(description.faults)
        self._tabs = find_tabs(raw, description, self._faults)
        self.levels = read_levels(self.table(description.tab("levels")), description.tab("benefits"))
        self.metrics = read_metrics(self.table(description.tab("metrics")), ())

    def table(self, tab: Tab) -> Table:
        """One tab; without rows when there is no such tab."""
        more = None
        if tab.more_columns:
            more = self.levels.columns if tab.more_columns == "levels" else self.metrics.columns
        return make_table(self._tabs.get(tab.key), tab, more, self._faults, typed=self._typed)


def columns_of(tab: Tab, tables: Tables, language: Language) -> Iterator[SheetColumn]:
    """The columns that a tab shall have: its own, and one for each level or metric."""
    settings = tables.description.settings
    for column in tab.columns:
        titles = tuple(setting.title for setting in settings.values())
        cells = replace(column, choices=titles) if (tab.key, column.key) == ("settings", "setting") else column
        by_row = ("setting", settings) if column.type == "setting" else None
        words = {choice.en: str(getattr(choice, language)) for choice in cells.choices}
        used = _words_in_use(cells, tables.table(tab))
        yield SheetColumn(
            tab,
            column.key,
            cells,
            getattr(column.title, language),
            column.note,
            by_row=by_row,
            words=words,
            words_in_use=used,
        )
    if tab.more_columns == "metrics":
        for metric in tables.metrics.valid:
            title = metric.name if language == "zh" else metric.key
            cells = tables.description.metric_cells[metric.measure]
            yield SheetColumn(tab, metric.key, cells, title, _metric_note(tab, metric), own=False)
    elif tab.more_columns == "levels":
        benefits = ("kind", tables.description.benefit_cells)
        for level in tables.levels.levels:
            key = level_key(level.level)
            yield SheetColumn(
                tab,
                key,
                Column(key, key, "text"),
                f"L{key}",
                _level_note(level.level),
                False,
                benefits,
                chinese=language == "zh",
            )


def _metric_note(tab: Tab, metric: Metric) -> Text:
    """What belongs into the cells of a metric's column."""
    money = metric.measure is Measure.PAID_GMV
    en, zh = ("in yuan, at most two decimals", "单位元，最多两位小数") if money else ("a whole number", "整数")
    if tab.key == "cases":
        return Text(
            f"{metric.name} of the case: {en}; blank counts as 0.", f"用例中的{metric.name}：{zh}；不填按 0 计。"
        )
    return Text(
        f"The least {metric.name} that passes: {en}; blank asks for nothing.",
        f"{metric.name}的最低要求：{zh}；不填表示不作要求。",
    )


def _level_note(level: int) -> Text:
    """What belongs into the cells of a level's column."""
    return Text(
        f"What level {level} has: as the column kind says: a tick, a number or unlimited, or text; blank: nothing.",
        f"{level} 级享有的内容：按“类型”打勾、填整数或“不限”、或填文字；不填表示没有。",
    )


def values_of(row: Row, columns: Iterable[SheetColumn]) -> list[CellValue]:
    """A row of text cells as values of the types that their columns want, in the order of the columns."""
    return [_value(row, column) for column in columns]


def _value(row: Row, column: SheetColumn) -> CellValue:
    text, cells = plain_text(row.raw(column.key)), column.cells
    if column.by_row:
        other, by_content = column.by_row
        cells = by_content[plain_text(row.raw(other)) or ""]
    if text is not None and text in column.words:
        return column.words[text]
    if text is None or cells.type not in ("whole", "yuan", "share", "quota", "flag"):
        return text
    if cells.type == "flag":
        return text == "TRUE"
    return column.unlimited if text == UNLIMITED else Decimal(text)


def quota_formula(cell: str) -> str:
    """Whether a cell holds a quota: a whole number, or that there is no limit."""
    unlimited = (f'{cell}="{word}"' for word in (UNLIMITED_WORDS.en, UNLIMITED_WORDS.zh))
    return f"OR({','.join(unlimited)},AND(ISNUMBER({cell}),{cell}>=0,{cell}=INT({cell})))"


def _words_in_use(column: Column, table: Table) -> tuple[str, ...]:
    """The words of a list that the sheet already has, in either language."""
    used = {plain_text(row.raw(column.key)) for row in table} if column.choices and table.typed else set()
    words = (word for choice in column.choices for word in (choice.zh, choice.en))
    return tuple(word for word in words if word in used)


@dataclass(frozen=True, slots=True)
class _Reference:
    """A column as a formula that is copied down refers to it: the cell of the same row, and all cells from there on."""

    one: str
    all: str


def _down(row: int, position: int) -> _Reference:
    first = a1(row, position)
    letters, number = first.rstrip("0123456789"), row + 1
    return _Reference(f"${letters}{number}", f"${letters}${number}:${letters}")


def _formula(formula: str) -> Check:
    return "CUSTOM_FORMULA", (f"={formula}",)
