"""SQL text for the cells of an extract: each column as it stands in the file, texts without whitespace around them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from functions.rating.extracts.datasets import Column, Kind
from functions.rating.measuring.embedded.reading.sources import POSITION
from functions.rating.measuring.embedded.sql import literal, nested, select

WHITESPACE = "".join(character for character in map(chr, range(0x10000)) if character.isspace())  # there is none above

TEXT = "VARCHAR"
# Numbers that may have a fraction, and what a whole one has to be less than, so that it is surely the one meant.
EXACT_BELOW = {"FLOAT16": 2.0**11, "FLOAT": 2.0**24, "DOUBLE": 2.0**53, "DECIMAL": 2.0**63}
WHOLE_NUMBER = r"-?[0-9]+"
WHOLE_WITH_ZEROS = r"-?[0-9]+\.0*"  # as pandas and Excel write whole numbers of a column that also has empty cells
DATE = r"(?:[1-9]\d{3}|0[1-9]\d\d|00[1-9]\d|000[1-9])-\d\d-\d\d"
CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d"
PLAIN_TIME = rf"{DATE}[ T]{CLOCK}:[0-5]\d"  # what the engine's own cast reads, and nothing else
PLAIN = {Kind.TIME: PLAIN_TIME, Kind.END: PLAIN_TIME, Kind.AMOUNT: WHOLE_NUMBER, Kind.POWER: WHOLE_NUMBER}

_UNTRIMMED = rf"^[{WHITESPACE}]|[{WHITESPACE}]$|^$|^\\N$"


def cells(
    columns: Sequence[tuple[Column, str]],
    present: frozenset[str],
    source: str,
    *,
    trusted: Collection[str],
    damaged: Collection[str],
    trimming: bool,
) -> str:
    """A relation of all columns (null where absent), ``<name>_plain``, ``<name>_inexact``, ``untrimmed`` and POSITION.

    ``columns``: with the base of their physical type. ``<name>_plain``: a time or number is written in the most usual
    way, with nothing around it. ``<name>_inexact``: a text column holds a number that may not be the one meant.
    ``untrimmed``: trimming changes some text of the row, or the text says that there is none; in the columns named by
    ``trusted`` that is taken to be nowhere so. Without ``trimming`` texts are as they are written, and ``untrimmed``
    tells, for half the price, where that may be wrong. ``damaged``: ``<name>_damaged`` of these columns is carried on.
    """
    absent = [f"CAST(NULL AS {TEXT}) AS {column.name}" for column, _ in columns if column.name not in present]
    written = [column for column, base in columns if base == TEXT and column.kind in PLAIN]
    plain = [f"regexp_full_match({c.name}, {literal(PLAIN[c.kind])}) AS {c.name}_plain" for c in written]
    texts = [column for column, base in columns if base == TEXT and column.name in present - set(trusted)]
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
    """Whether a text column holds numbers that may be inexact."""
    return column.kind is Kind.TEXT and base in EXACT_BELOW


def untrimmed(name: str) -> str:
    """Whether trimming changes a text, or it says that there is none.

    The cheap tests come first and are enough for nearly every value: exact ones cost as much as reading the row.
    """
    return f"CASE WHEN {_may_be_untrimmed(name)} THEN regexp_matches({name}, {literal(_UNTRIMMED)}) ELSE FALSE END"


def whole(number: str, base: str) -> str:
    """A number as BIGINT, null where it has a fraction, does not fit, or may not be the one meant."""
    return f"CASE WHEN {number} = floor({number}) AND NOT {inexact(number, base)} THEN TRY_CAST({number} AS BIGINT) END"


def inexact(number: str, base: str) -> str:
    """Whether a number is infinite, or so large that its neighbours may have been meant; NaN is not asked."""
    return f"coalesce(abs({number}) >= {EXACT_BELOW[base]:.0f} AND NOT isnan({_floating(number)}), FALSE)"


def trimmed(name: str) -> str:
    """A text without whitespace around it, null where nothing is left or it says that there is none."""
    return rf"nullif(nullif(trim({name}, {literal(WHITESPACE)}), ''), '\N')"


def trimmed_if_needed(name: str) -> str:
    """The same, for a text that seldom has whitespace around it."""
    return f"CASE WHEN {untrimmed(name)} THEN {trimmed(name)} ELSE {name} END"


def _floating(number: str) -> str:
    return f"CAST({number} AS DOUBLE)"


def _may_be_untrimmed(name: str) -> str:
    """Whether there may be whitespace around a text, or it may say that there is none."""
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
    """Whether a cell is untrimmed; if not ``exactly``, whether it may be, for those that are in every row."""
    name = column.name
    if column.kind in PLAIN:
        return f"CASE WHEN {name}_plain THEN FALSE ELSE {untrimmed(name)} END"
    if column.required:
        return untrimmed(name) if exactly else f"coalesce({_may_be_untrimmed(name)}, FALSE)"
    return f"CASE WHEN {name} <> '' THEN {untrimmed(name)} ELSE FALSE END"
