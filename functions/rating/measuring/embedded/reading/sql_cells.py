"""SQL for the cells of an extract: each column as the file has it, with texts trimmed."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from functions.rating.extracts.datasets import Column, Kind
from functions.rating.measuring.embedded.reading.sources import POSITION
from functions.rating.measuring.embedded.sql import literal, nested, select

WHITESPACE = "".join(
    character for character in map(chr, range(0x10000)) if character.isspace()
)  # the largest code point

TEXT = "VARCHAR"
# Types of numbers with fractions. A whole number below the limit is exact; above it, it may be rounded.
EXACT_BELOW = {"FLOAT16": 2.0**11, "FLOAT": 2.0**24, "DOUBLE": 2.0**53, "DECIMAL": 2.0**63}
WHOLE_NUMBER = r"-?[0-9]+"
WHOLE_WITH_ZEROS = r"-?[0-9]+\.0*"  # pandas and Excel write whole numbers so if the column has empty cells
DATE = r"(?:[1-9]\d{3}|0[1-9]\d\d|00[1-9]\d|000[1-9])-\d\d-\d\d"
CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d"
PLAIN_TIME = rf"{DATE}[ T]{CLOCK}:[0-5]\d"  # only notations that the engine's cast reads correctly
PLAIN = {Kind.TIME: PLAIN_TIME, Kind.END: PLAIN_TIME, Kind.AMOUNT: WHOLE_NUMBER, Kind.POWER: WHOLE_NUMBER}

_UNTRIMMED = rf"^[{WHITESPACE}]|[{WHITESPACE}]$|^$|^\\N$"


def cells(
    columns: Sequence[tuple[Column, str]],
    present: frozenset[str],
    source: str,
    *,
    trimmed_later: Collection[str],
    damaged: Collection[str],
    trimming: bool,
) -> str:
    """A relation of all columns (null if missing), ``<name>_plain``, ``<name>_inexact``, ``untrimmed`` and POSITION.

    ``columns``: with the base of their physical type. ``<name>_plain``: whether a time or number has the most usual
    notation, without whitespace. ``<name>_inexact``: whether a text column has a number that may be rounded.
    ``untrimmed``: whether trimming changes some text of the row, or a text means "none"; columns in ``trimmed_later``
    are not tested. Without ``trimming``, texts stay as written, and ``untrimmed`` tells, at half the cost, where that
    may be wrong. ``damaged``: columns whose ``<name>_damaged`` is passed on.
    """
    absent = [f"CAST(NULL AS {TEXT}) AS {column.name}" for column, _ in columns if column.name not in present]
    written = [column for column, base in columns if base == TEXT and column.kind in PLAIN]
    plain = [f"regexp_full_match({c.name}, {literal(PLAIN[c.kind])}) AS {c.name}_plain" for c in written]
    texts = [column for column, base in columns if base == TEXT and column.name in present - set(trimmed_later)]
    checked = [f"{_untrimmed(column, exactly=trimming)} AS {column.name}_untrimmed" for column in texts]
    any_untrimmed = " OR ".join(f"{column.name}_untrimmed" for column in texts) or "FALSE"
    to_trim = texts if trimming else ()
    results = [f"{_cell(column, base, trimming=column in to_trim)} AS {column.name}" for column, base in columns]
    relation = source
    for step in (absent, plain, checked):
        relation = nested(select(("*", *step), relation))
    carried = (
        *(f"{column.name}_plain" for column in written),
        *(f"{inexact(c.name, base)} AS {c.name}_inexact" for c, base in columns if is_number_as_text(c, base)),
        *(f"{name}_damaged" for name in damaged),
        f"{any_untrimmed} AS untrimmed",
        *POSITION,
    )
    return nested(select((*results, *carried), relation))


def is_number_as_text(column: Column, base: str) -> bool:
    """Whether a text column has numbers that may be rounded."""
    return column.kind is Kind.TEXT and base in EXACT_BELOW


def untrimmed(name: str) -> str:
    """SQL: whether trimming changes a text, or the text means "none".

    The cheap tests come first and decide for nearly every value; the exact ones cost as much as reading the row.
    """
    return f"CASE WHEN {_may_be_untrimmed(name)} THEN regexp_matches({name}, {literal(_UNTRIMMED)}) ELSE FALSE END"


def whole(number: str, base: str) -> str:
    """SQL: a number as BIGINT; null if it has a fraction, does not fit, or may be rounded."""
    return f"CASE WHEN {number} = floor({number}) AND NOT {inexact(number, base)} THEN TRY_CAST({number} AS BIGINT) END"


def inexact(number: str, base: str) -> str:
    """SQL: whether a number is infinite, or so large that it may be rounded. NaN is not tested."""
    return f"coalesce(abs({number}) >= {EXACT_BELOW[base]:.0f} AND NOT isnan({_floating(number)}), FALSE)"


def trimmed(name: str) -> str:
    """SQL: a text without whitespace around it; null if it is empty or means "none"."""
    return rf"nullif(nullif(trim({name}, {literal(WHITESPACE)}), ''), '\N')"


def trimmed_if_needed(name: str) -> str:
    """SQL: the same, faster for texts that seldom have whitespace."""
    return f"CASE WHEN {untrimmed(name)} THEN {trimmed(name)} ELSE {name} END"


def _floating(number: str) -> str:
    return f"CAST({number} AS DOUBLE)"


def _may_be_untrimmed(name: str) -> str:
    """SQL: whether a text may have whitespace around it, or may mean "none"."""
    return rf"(length({name}) <> strlen({name}) OR {name} < '!' OR {name}[-1] < '!' OR {name} = '\N')"


def _cell(column: Column, base: str, *, trimming: bool) -> str:
    name = column.name
    if base == TEXT:
        text = name if column.required else f"nullif({name}, '')"
        return f"CASE WHEN {name}_untrimmed THEN {trimmed(name)} ELSE {text} END" if trimming else text
    number = name
    if base in EXACT_BELOW and base != "DECIMAL":
        number = f"CASE WHEN NOT isnan({name}) THEN {name} END"
    if column.kind is not Kind.TEXT:
        return number
    if base in EXACT_BELOW:
        return f"coalesce(CAST({whole(name, base)} AS {TEXT}), CAST({number} AS {TEXT}))"
    return f"CAST({number} AS {TEXT})"


def _untrimmed(column: Column, *, exactly: bool) -> str:
    """SQL: whether a cell is untrimmed. If not ``exactly``: whether it may be, for columns that every row has."""
    name = column.name
    if column.kind in PLAIN:
        return f"CASE WHEN {name}_plain THEN FALSE ELSE {untrimmed(name)} END"
    if column.required:
        return untrimmed(name) if exactly else f"coalesce({_may_be_untrimmed(name)}, FALSE)"
    return f"CASE WHEN {name} <> '' THEN {untrimmed(name)} ELSE FALSE END"
