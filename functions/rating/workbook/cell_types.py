"""The types of cells: each gives a certain value, or the reason why the cell has none. Pure."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeAlias

from functions.rating.workbook.cells import RawCell, formula_fault, trimmed
from functions.rating.workbook.description import CellType, Column, Text
from shared.months import Month

Value: TypeAlias = str | int | Decimal | bool

UNLIMITED = "unlimited"
UNLIMITED_WORDS = Text(UNLIMITED, "不限")
TEXT_LENGTH = 2000
KEY_LENGTH = 64
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_UNITS = {"万": 10**4, "w": 10**4, "百万": 10**6, "千万": 10**7, "亿": 10**8, "千": 10**3, "k": 10**3} | dict.fromkeys(
    ("元", "人", "个", "名"), 1
)
_UNIT = re.compile(
    rf"([0-9][0-9,]*(?:\.[0-9]+)?) *({'|'.join(sorted(_UNITS, key=len, reverse=True))})元?", re.IGNORECASE
)
_AGENCY_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Unreadable(Exception):
    """A cell without a value of its type.

    ``code``: of the fault catalogue. ``facts``: fill the placeholders of its texts.
    """

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


@dataclass(frozen=True, slots=True)
class Quota:
    """The value of a quota cell: a number, or None for unlimited."""

    number: int | None


@dataclass(frozen=True, slots=True)
class _Cell:
    """A cell that is not blank, with its column's limits."""

    raw: RawCell
    typed: bool
    column: Column


def read_cell(raw: RawCell, column: Column, *, typed: bool) -> Value | Quota | None:
    """The value of a cell by its column's type; None if blank. Money is in whole fen. Raises Unreadable."""
    value = trimmed(raw)
    if column.type == "unread" or value is None or (value is False and column.type == "flag"):
        return None
    if fault := formula_fault(value):
        raise Unreadable(fault)
    return _READERS[column.type](_Cell(value, typed, column))


def _text(cell: _Cell) -> str:
    if not isinstance(cell.raw, str) or len(cell.raw) > TEXT_LENGTH:
        raise Unreadable("not_text", most=TEXT_LENGTH)
    return cell.raw


def _key(cell: _Cell) -> str:
    text = cell.raw
    if not isinstance(text, str) or len(text) > KEY_LENGTH or not text.isprintable() or any(map(str.isspace, text)):
        raise Unreadable("not_key")
    return text


def _agency_id(cell: _Cell) -> str:
    if not isinstance(cell.raw, str) or not _AGENCY_ID.fullmatch(cell.raw):
        raise Unreadable("not_agency_id")
    return cell.raw


def _month(cell: _Cell) -> str:
    try:
        return str(Month.parse(cell.raw if isinstance(cell.raw, str) else ""))
    except ValueError as error:
        raise Unreadable("not_month") from error


def _choice(cell: _Cell) -> str:
    choice = cell.column.choice(cell.raw) if isinstance(cell.raw, str) else None
    if choice is None:
        choices = cell.column.choices
        listed = Text(", ".join(one.en for one in choices), "、".join(one.zh for one in choices))
        raise Unreadable("not_choice", choices=listed)
    return choice.en


def _flag(cell: _Cell) -> bool:
    if cell.raw is not True and cell.raw != "TRUE":
        raise Unreadable("not_flag")
    return True


def _whole(cell: _Cell) -> int:
    return _units(cell, per_unit=1, otherwise="not_whole")


def _yuan(cell: _Cell) -> int:
    return _units(cell, per_unit=100, otherwise="not_yuan")


def _quota(cell: _Cell) -> Quota:
    if cell.raw in (UNLIMITED_WORDS.en, UNLIMITED_WORDS.zh):
        return Quota(None)
    return Quota(_units(cell, per_unit=1, otherwise="not_quota"))


def _share(cell: _Cell) -> Decimal:
    number = _number(cell)
    if number is None:
        raise _out_of_limits(cell, "not_share")
    return number


def _units(cell: _Cell, *, per_unit: int, otherwise: str) -> int:
    """A number as a whole count of units (1 or 1/100). Fractions keep it exact, however many digits were written."""
    number = _number(cell)
    units = None if number is None else Fraction(number) * per_unit
    if units is None or units.denominator != 1:
        raise _out_of_limits(cell, otherwise)
    return units.numerator


def _number(cell: _Cell) -> Decimal | None:
    """The exact number within the column's limits; None if the cell has no number."""
    number = _typed_number(cell.raw) if cell.typed else _written_number(cell.raw)
    if number is None or not cell.column.least <= number <= cell.column.most:
        return None
    return Decimal(_plain(number)) if number else Decimal(0)


def _typed_number(raw: RawCell) -> Decimal | None:
    """A typed number as a person wrote it: Google's floats are exact to 15 significant digits."""
    if isinstance(raw, int):
        return None if isinstance(raw, bool) else Decimal(raw)
    return Decimal(f"{raw:.15g}") if isinstance(raw, float) and math.isfinite(raw) else None


def _written_number(raw: RawCell) -> Decimal | None:
    return Decimal(raw) if isinstance(raw, str) and _NUMBER.fullmatch(raw) else None


def _plain(number: Decimal) -> str:
    """A number as text, without unnecessary zeros."""
    plain = f"{number:f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _out_of_limits(cell: _Cell, code: str) -> Unreadable:
    if (meant := _with_unit(cell.raw)) is not None:
        return Unreadable("number_with_unit", number=_plain(meant))
    return Unreadable(code, least=f"{cell.column.least:f}", most=f"{cell.column.most:f}")


def _with_unit(raw: RawCell) -> Decimal | None:
    """The number that a text such as ``6万`` means; None for any other text."""
    match = _UNIT.fullmatch(unicodedata.normalize("NFKC", raw)) if isinstance(raw, str) else None
    return Decimal(match[1].replace(",", "")) * _UNITS[match[2].lower()] if match else None


_READERS: Mapping[CellType, Callable[[_Cell], Value | Quota]] = {
    "text": _text,
    "key": _key,
    "agency_id": _agency_id,
    "month": _month,
    "choice": _choice,
    "flag": _flag,
    "whole": _whole,
    "yuan": _yuan,
    "quota": _quota,
    "share": _share,
}
