"""Raw cells as they were read, and how they are addressed, trimmed and shown. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, TypeAlias

Language = Literal["en", "zh"]
RawCell: TypeAlias = str | int | float | bool | None

_FORMULA_ERROR = re.compile(
    r"#(N/A|REF!|VALUE!|DIV/0!|NAME\?|NUM!|NULL!|ERROR!|SPILL!|CALC!)|(Loading|正在加载)(\.\.\.|…)"
)
UNSAVED = "#UNSAVED!"
"""What a cell shows before a formula whose value the file does not have."""
_SHOWN_LENGTH = 60
_DAY_0 = date(1899, 12, 30)  # sheets store a date as the number of days since this one
_DATES = (36_526, 73_050)  # 2000 to 2099


@dataclass(frozen=True, slots=True)
class RawTab:
    """A tab as it was read: rows of cells from A1 on. Rows may differ in length; a blank cell is None or "".

    ``merged``: areas of merged cells as half-open rows and columns from 0 (top, bottom, left, right). Only the first
    cell of an area has a value. ``outside``: a filled cell beyond the rows and columns that are read, if there is one:
    its row and column from 0, and its value.
    """

    title: str
    rows: Sequence[Sequence[RawCell]]
    merged: Sequence[tuple[int, int, int, int]] = ()
    outside: Sequence[tuple[int, int, RawCell]] = ()


@dataclass(frozen=True, slots=True)
class RawWorkbook:
    """All tabs as they were read.

    ``typed``: whether cells have types (Google, Excel); otherwise every cell is text (CSV). ``unread``: titles of tabs
    that were not read because their name is unknown. ``stored_as``: the objects in S3 that were read, each with its
    version, as ``s3://bucket/key?versionId=…``; empty for other sources, and if the bucket has no versions.
    """

    tabs: tuple[RawTab, ...]
    typed: bool
    unread: tuple[str, ...] = ()
    stored_as: tuple[str, ...] = ()


def a1(row: int, column: int) -> str:
    """The address of a cell; row and column count from 0: ``a1(0, 27)`` is ``AB1``."""
    letters = ""
    column += 1
    while column:
        column, letter = divmod(column - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return f"{letters}{row + 1}"


def trimmed(raw: RawCell) -> RawCell:
    """The cell without whitespace around its text; None if nothing remains."""
    return raw if not isinstance(raw, str) else raw.strip() or None


def shown(raw: RawCell, language: Language) -> str:
    """A cell as a message quotes it: text in quotes, with invisible characters spelled out."""
    value, zh = trimmed(raw), language == "zh"
    if value is None:
        return blank(language)
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        number = str(value) if isinstance(value, int) else format(value, ".15g")
        return f"{number}（数字）" if zh else f"{number} (number)"
    visible = "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in value[:_SHOWN_LENGTH])
    quoted = f'"{visible}{"…" if len(value) > _SHOWN_LENGTH else ""}"'
    return f"{quoted}（文本）" if zh else f"{quoted} (text)"


def shown_date(raw: RawCell, language: Language) -> str:
    """A cell of a month column as a message quotes it: a number is shown as the date that Google made of it."""
    if isinstance(raw, int | float) and not isinstance(raw, bool) and _DATES[0] <= raw <= _DATES[1]:
        day = _DAY_0 + timedelta(days=int(raw))
        return f"{day}（日期）" if language == "zh" else f"{day} (date)"
    return shown(raw, language)


def blank(language: Language) -> str:
    """The words for a blank cell."""
    return "空白" if language == "zh" else "blank"


def plain_text(raw: RawCell) -> str | None:
    """A cell as text, None if blank. A number loses its ``.0``: a header ``3`` may arrive as 3.0."""
    value = trimmed(raw)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return None if value is None else str(value)


def formula_fault(raw: RawCell) -> str | None:
    """The fault of a cell that shows a formula's error, such as #REF!, or a formula whose value was not saved."""
    if not isinstance(raw, str):
        return None
    if raw.startswith(UNSAVED):
        return "formula_unsaved"
    return "formula_error" if _FORMULA_ERROR.fullmatch(raw.strip()) else None
