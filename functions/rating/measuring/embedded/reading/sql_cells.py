"""SQL text for the cells of an extract: each column as it stands in the file, texts without what stands around them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from functions.rating.extracts.datasets import Column, Kind
from functions.rating.measuring.embedded.reading.sources import POSITION
from functions.rating.measuring.embedded.sql import literal, nested, select

WHITESPACE = "".join(character for character in map(chr, range(0x10000)) if character.isspace())  # there is none above

TEXT = "VARCHAR"
FRACTIONAL = frozenset({"FLOAT", "DOUBLE", "DECIMAL"})
INTEGER = "-?[0-9]+"
DATE = r"(?:[1-9]\d{3}|0[1-9]\d\d|00[1-9]\d|000[1-9])-\d\d-\d\d"
CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d"
PLAIN_TIME = rf"{DATE}[ T]{CLOCK}:[0-5]\d"  # what the engine's own cast reads, and nothing else
PLAIN = {Kind.TIME: PLAIN_TIME, Kind.END: PLAIN_TIME, Kind.AMOUNT: INTEGER, Kind.POWER: INTEGER}

_PADDED = rf"^[{WHITESPACE}]|[{WHITESPACE}]$|^$|^\\N$"


def cells(
    columns: Sequence[tuple[Column, str]],
    present: frozenset[str],
    source: str,
    *,
    trusted: Collection[str],
    trimming: bool,
) -> str:
    """A relation of all columns (null where absent), ``<name>_plain``, ``padded`` and the row's POSITION.

    ``columns``: with the base of their physical type. ``<name>_plain``: a time or number is written in the most usual
    way, with nothing around it. ``padded``: trimming changes some text of the row, or the text says that there is none;
    in the columns named by ``trusted`` that is taken to be nowhere so. Without ``trimming`` texts are as they are
    written, and ``padded`` tells, for half the price, where that may be wrong.
    """
    absent = [f"CAST(NULL AS {TEXT}) AS {column.name}" for column, _ in columns if column.name not in present]
    written = [column for column, base in columns if base == TEXT and column.kind in PLAIN]
    plain = [f"regexp_full_match({c.name}, {literal(PLAIN[c.kind])}) AS {c.name}_plain" for c in written]
    texts = [column for column, base in columns if base == TEXT and column.name in present - set(trusted)]
    looked_at = [f"{_padded(column, exactly=trimming)} AS {column.name}_padded" for column in texts]
    any_padded = " OR ".join(f"{column.name}_padded" for column in texts) or "FALSE"
    to_trim = texts if trimming else ()
    results = [f"{_cell(column, base, trimming=column in to_trim)} AS {column.name}" for column, base in columns]
    relation = source
    for step in (absent, plain, looked_at):
        relation = nested(select(("*", *step), relation))
    carried = (*(f"{column.name}_plain" for column in written), f"{any_padded} AS padded", *POSITION)
    return nested(select((*results, *carried), relation))


def padded(name: str) -> str:
    """Whether trimming changes a text, or it says that there is none.

    The cheap tests come first and are enough for nearly every value: exact ones cost as much as reading the row.
    """
    return f"CASE WHEN {_doubtful(name)} THEN regexp_matches({name}, {literal(_PADDED)}) ELSE FALSE END"


def whole(number: str) -> str:
    """A number as BIGINT, null where it has a fraction or does not fit."""
    return f"CASE WHEN {number} = floor({number}) THEN TRY_CAST({number} AS BIGINT) END"


def trimmed(name: str) -> str:
    """A text without what stands around it, null where nothing is left or it says that there is none."""
    return rf"nullif(nullif(trim({name}, {literal(WHITESPACE)}), ''), '\N')"


def trimmed_if_needed(name: str) -> str:
    """The same, for a text that is seldom padded."""
    return f"CASE WHEN {padded(name)} THEN {trimmed(name)} ELSE {name} END"


def _doubtful(name: str) -> str:
    """Whether a text may be padded, or say that there is none."""
    return rf"(length({name}) <> strlen({name}) OR {name} < '!' OR {name}[-1] < '!' OR {name} = '\N')"


def _cell(column: Column, base: str, *, trimming: bool) -> str:
    name = column.name
    if base == TEXT:
        text = name if column.required else f"nullif({name}, '')"
        return f"CASE WHEN {name}_padded THEN {trimmed(name)} ELSE {text} END" if trimming else text
    if column.kind is Kind.TEXT:
        text = f"CAST({name} AS {TEXT})"
        return f"coalesce(CAST({whole(name)} AS {TEXT}), {text})" if base in FRACTIONAL else text
    return name


def _padded(column: Column, *, exactly: bool) -> str:
    """Whether a cell is padded; if not ``exactly``, whether it may be, for those that are in every row."""
    name = column.name
    if column.kind in PLAIN:
        return f"CASE WHEN {name}_plain THEN FALSE ELSE {padded(name)} END"
    if column.required:
        return padded(name) if exactly else f"coalesce({_doubtful(name)}, FALSE)"
    return f"CASE WHEN {name} <> '' THEN {padded(name)} ELSE FALSE END"
