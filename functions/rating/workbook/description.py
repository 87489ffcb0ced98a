"""The one description of the spreadsheet: tabs, columns, types, limits, notes and faults, in both languages. Pure.

It is stored in config/workbook.json. The parser, the sheet builder, the status tab and the docs read it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from functions.rating.workbook.cells import Language

Severity = Literal["error", "warning"]
Role = Literal["guide", "input", "output", "console"]
CellType = Literal[
    "text", "key", "agency_id", "whole", "yuan", "share", "month", "choice", "flag", "quota", "setting", "unread"
]


@dataclass(frozen=True, slots=True)
class Text:
    """A text in English and in Chinese."""

    en: str
    zh: str

    def fill(self, facts: Mapping[str, Any]) -> Text:
        """The text with its {placeholders} filled. A fact that is a Text is filled in by language."""
        return Text(*(getattr(self, language).format(**_said(facts, language)) for language in ("en", "zh")))


@dataclass(frozen=True, slots=True)
class Column:
    """What the cells of a column may contain. ``least`` and ``most``: limits of numbers, both inclusive.

    ``required``: its cells may not be blank. ``indispensable``: the column may not be missing. ``choices``: the allowed
    words in both languages; a cell in either language is read as the English word.
    """

    key: str
    zh: str
    type: CellType
    required: bool = False
    indispensable: bool = False
    least: Decimal = Decimal(0)
    most: Decimal = Decimal(0)
    choices: tuple[Text, ...] = ()
    note: Text = Text("", "")

    @property
    def title(self) -> Text:
        return Text(self.key, self.zh)

    def choice(self, word: str) -> Text | None:
        """The choice that a word means, in English or Chinese."""
        return next((choice for choice in self.choices if word in (choice.en, choice.zh)), None)


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab. ``more_columns``: the tab whose rows add columns to this one.

    ``lines``: the text of the guide, or the rows of the console.
    """

    key: str
    zh: str
    role: Role
    required: bool
    note: Text
    columns: tuple[Column, ...]
    more_columns: Literal["metrics", "levels"] | None = None
    lines: tuple[Text, ...] = ()

    @property
    def title(self) -> Text:
        return Text(self.key, self.zh)

    def column(self, key: str) -> Column:
        return next(column for column in self.columns if column.key == key)

    @property
    def begins(self) -> Column | None:
        """The column that says from which rating month on a row counts."""
        return next((column for column in self.columns if column.key in ("from_month", "effective_month")), None)


@dataclass(frozen=True, slots=True)
class FaultKind:
    """An entry of the fault catalogue: what is wrong, what is expected, how to fix it."""

    code: str
    severity: Severity
    means: Text
    expected: Text
    fix: Text


@dataclass(frozen=True, slots=True)
class Description:
    """The whole spreadsheet. ``settings``: described like columns. ``defaults``: as the docs show them."""

    tabs: tuple[Tab, ...]
    metric_cells: Mapping[str, Column]
    benefit_cells: Mapping[str, Column]
    settings: Mapping[str, Column]
    defaults: Mapping[str, Decimal]
    faults: Mapping[str, FaultKind]

    def tab(self, key: str) -> Tab:
        return next(tab for tab in self.tabs if tab.key == key)

    def setting(self, name: str | None) -> Column | None:
        """The setting with this name, in English or Chinese."""
        return next((one for one in self.settings.values() if name in (one.key, one.zh)), None)

    def tab_titled(self, title: str) -> Tab | None:
        """The tab with this title, in English or Chinese."""
        name = title.strip().casefold()
        return next((tab for tab in self.tabs if name in (tab.key.casefold(), tab.zh.casefold())), None)

    def language(self, titles: Iterable[str]) -> Language:
        """The language of a spreadsheet, by the titles of its tabs; Chinese if no title is known."""
        known = [(title.strip().casefold(), tab) for title in titles if (tab := self.tab_titled(title))]
        english = known and all(name == tab.key.casefold() for name, tab in known)
        return "en" if english else "zh"

    def reads(self, title: str) -> bool:
        """Whether a tab of this title is read."""
        return self.tab_titled(title) in self.inputs

    @property
    def titles(self) -> Text:
        """The titles of the tabs that are read, as one text."""
        return Text(", ".join(tab.key for tab in self.inputs), "、".join(tab.zh for tab in self.inputs))

    @property
    def inputs(self) -> tuple[Tab, ...]:
        """The tabs that are read."""
        return tuple(tab for tab in self.tabs if tab.role == "input")


def load_description(path: Path) -> Description:
    """The description in a JSON file. Raises KeyError or TypeError if it is not a description."""
    document = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal, parse_int=Decimal)
    return Description(
        tabs=tuple(_tab(tab) for tab in document["tabs"]),
        metric_cells={key: _column({"key": key, **cell}) for key, cell in document["metric_cells"].items()},
        benefit_cells={key: _column({"key": key, **cell}) for key, cell in document["benefit_cells"].items()},
        settings={setting["key"]: _column(setting) for setting in document["settings"]},
        defaults={s["key"]: s["default"] for s in document["settings"] if "default" in s},
        faults={fault["code"]: _fault_kind(fault) for fault in document["faults"]},
    )


def _tab(tab: Mapping[str, Any]) -> Tab:
    return Tab(
        key=tab["key"],
        zh=tab["zh"],
        role=tab["role"],
        required=tab.get("required", False),
        note=Text(**tab["note"]),
        columns=tuple(_column(column) for column in tab["columns"]),
        more_columns=tab.get("more_columns"),
        lines=_texts(tab.get("lines", ())),
    )


def _column(column: Mapping[str, Any]) -> Column:
    read = {key: value for key, value in column.items() if key not in ("choices", "note", "default")}
    return Column(
        **{"zh": column["key"], "indispensable": column.get("required", False), **read},
        choices=_texts(column.get("choices", ())),
        note=Text(**column.get("note", {"en": "", "zh": ""})),
    )


def _fault_kind(fault: Mapping[str, Any]) -> FaultKind:
    means, expected, fix = (Text(**fault[part]) for part in ("means", "expected", "fix"))
    return FaultKind(fault["code"], fault["severity"], means, expected, fix)


def _texts(lines: Sequence[Mapping[str, str]]) -> tuple[Text, ...]:
    return tuple(Text(**line) for line in lines)


def _said(facts: Mapping[str, Any], language: str) -> dict[str, Any]:
    return {name: getattr(fact, language) if isinstance(fact, Text) else fact for name, fact in facts.items()}
