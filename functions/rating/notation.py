"""SQL text that reads the notations of the contract: each column of an extract as the value it stands for.

Written for the analytical engine (its casts, its regular expressions); what is measured from the values is in
measure.sql. Times become epoch microseconds, so that nothing rests on an engine's idea of time zones.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from zoneinfo import ZoneInfo

from functions.rating.datasets import Column, Dataset, Kind
from functions.rating.offsets import MICROSECONDS, offset_spans
from functions.rating.sql import literal, nested, select
from shared.levels import POWER_LEVELS
from shared.months import Month

WHITESPACE = "".join(character for character in map(chr, range(sys.maxunicode + 1)) if character.isspace())

TEXT = "VARCHAR"
ZONED = "TIMESTAMP WITH TIME ZONE"
NAIVE = frozenset({"TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "DATE"})
FRACTIONAL = frozenset({"FLOAT", "DOUBLE", "DECIMAL"})
WHOLE = frozenset({f"{sign}{size}INT" for sign in ("", "U") for size in ("TINY", "SMALL", "BIG", "HUGE")})
NUMBERS = WHOLE | FRACTIONAL | {"INTEGER", "UINTEGER"}
TEXT_LIKE = NUMBERS | NAIVE | {"BOOLEAN", "UUID", "ENUM"}

_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799  # the years 1 to 9999

_DATE = r"(?:[1-9]\d{3}|0[1-9]\d\d|00[1-9]\d|000[1-9])-\d\d-\d\d"
_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d"
_OFFSET = r"[Zz]|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?"
_PLAIN_TIME = rf"{_DATE}[ T]{_CLOCK}:[0-5]\d"  # what the engine's own cast reads, and nothing else
_TIME = rf"{_DATE}(?:[ Tt]{_CLOCK}(?::[0-5]\d(?:[.,]\d+)?)?(?:{_OFFSET})?)?"
_INTEGER = "-?[0-9]+"


def readable(kind: Kind, physical: str) -> bool:
    """Whether a column of this physical type can hold such values at all."""
    base = _base(physical)
    if kind is Kind.TEXT:
        return base == TEXT or base in TEXT_LIKE
    return base == TEXT or base in NUMBERS or (kind in (Kind.TIME, Kind.END) and (base in NAIVE or base == ZONED))


def values(dataset: Dataset, physical: Mapping[str, str], month: Month, zone: ZoneInfo, source: str) -> str:
    """A SELECT of every column's value, ``file_row_number``, and ``bad``: why a row can't be used, or null.

    ``physical``: the type of each column that ``source``, a relation, has by name; it has file_row_number, too.
    """
    columns = [(column, _base(physical.get(column.name, TEXT))) for column in dataset.columns]
    spans = offset_spans(zone, month)
    cells = [f"{_cell(c, base, c.name in physical)} AS {c.name}" for c, base in columns]
    readings = [reading for c, base in columns for reading in _readings(c, base)]
    results = [f"{_value(c, spans)} AS {c.name}, {c.name}_given" for c, _ in columns]
    relation = source
    for step in (cells, readings, results):
        relation = nested(select((*step, "file_row_number"), relation))
    return select((*(c.name for c in dataset.columns), f"{_bad(dataset)} AS bad", "file_row_number"), relation)


def _base(physical: str) -> str:
    return physical.partition("(")[0]


def _cell(column: Column, base: str, present: bool) -> str:
    """A column as it stands in the file, without white space around a text."""
    if not present:
        return f"CAST(NULL AS {TEXT})"
    name = f'"{column.name}"'
    if base == TEXT:
        return _stripped(name)
    if column.kind is Kind.TEXT:
        text = f"CAST({name} AS {TEXT})"
        return f"coalesce(CAST({_whole(name)} AS {TEXT}), {text})" if base in FRACTIONAL else text
    return name


def _stripped(text: str) -> str:
    """A text without white space at its ends, null where nothing is left, or Hive's null.

    The cheap tests in front cover whatever trimming could change; nearly every value ends there.
    """
    odd = rf"length({text}) <> strlen({text}) OR {text} < '!' OR {text}[-1] < '!' OR {text} = '\N'"
    trimmed = f"trim({text}, {literal(WHITESPACE)})"
    return rf"CASE WHEN {odd} THEN nullif(nullif({trimmed}, ''), '\N') ELSE {text} END"


def _readings(column: Column, base: str) -> Iterator[str]:
    """What a cell says: whether there is anything, and its value; a time is an instant or a local clock reading."""
    name = column.name
    yield f"{_given(column, base)} AS {name}_given"
    if column.kind in (Kind.TIME, Kind.END):
        yield f"{_instant(name, base)} AS {name}_instant"
        yield f"{_local(name, base)} AS {name}_local"
    elif column.kind is Kind.TEXT:
        yield name
    else:
        yield f"{_integer(name, base)} AS {name}"


def _given(column: Column, base: str) -> str:
    """Whether there is something to read. A binding that ends at 0 has not ended."""
    name = column.name
    if column.kind is Kind.END and base == TEXT:
        return f"({name} IS NOT NULL AND NOT regexp_full_match({name}, '-?0+'))"
    if column.kind is Kind.END and base in NUMBERS:
        return f"({name} IS NOT NULL AND {name} <> 0)"
    return f"({name} IS NOT NULL)"


def _integer(name: str, base: str) -> str:
    if base == TEXT:
        return f"CASE WHEN regexp_full_match({name}, '{_INTEGER}') THEN TRY_CAST({name} AS BIGINT) END"
    return _whole(name) if base in FRACTIONAL else f"TRY_CAST({name} AS BIGINT)"


def _whole(number: str) -> str:
    """A number as BIGINT, null where it has a fraction or does not fit."""
    return f"CASE WHEN {number} = floor({number}) THEN TRY_CAST({number} AS BIGINT) END"


def _instant(name: str, base: str) -> str:
    """Epoch microseconds, where a cell says which instant it means."""
    if base == ZONED:
        return f"epoch_us({name})"
    if base in NAIVE:
        return "CAST(NULL AS BIGINT)"
    seconds = _integer(name, base)
    instant = f"CASE WHEN {seconds} BETWEEN {_FIRST_SECOND} AND {_LAST_SECOND} THEN {seconds} * {MICROSECONDS} END"
    if base != TEXT:
        return instant
    offset = _offset_text(name)
    sign = f"CASE WHEN {offset}[1] = '-' THEN -1 ELSE 1 END"
    hours = f"TRY_CAST(substr({offset}, 2, 2) AS BIGINT)"
    minutes = f"coalesce(TRY_CAST(nullif(substr(replace({offset}, ':', ''), 4, 2), '') AS BIGINT), 0)"
    ahead = (
        f"CASE WHEN {offset} IN ('Z', 'z') THEN 0 ELSE {sign} * ({hours} * 60 + {minutes}) * {60 * MICROSECONDS} END"
    )
    return (
        f"CASE WHEN regexp_full_match({name}, {literal(_PLAIN_TIME)}) THEN NULL "
        f"WHEN regexp_full_match({name}, '{_INTEGER}') THEN {instant} "
        f"WHEN regexp_full_match({name}, {literal(_TIME)}) AND {offset} <> '' THEN {_clock(name)} - {ahead} END"
    )


def _local(name: str, base: str) -> str:
    """Microseconds on the local clock since 1970, where a cell has no offset."""
    if base == "TIMESTAMP_NS":
        return f"(epoch_ns({name}) - (epoch_ns({name}) % 1000 + 1000) % 1000) // 1000"  # a cast would round up
    if base in NAIVE:
        return f"epoch_us(CAST({name} AS TIMESTAMP))"
    if base != TEXT:
        return "CAST(NULL AS BIGINT)"
    return (
        f"CASE WHEN regexp_full_match({name}, {literal(_PLAIN_TIME)}) THEN epoch_us(TRY_CAST({name} AS TIMESTAMP)) "
        f"WHEN regexp_full_match({name}, {literal(_TIME)}) AND {_offset_text(name)} = '' THEN {_clock(name)} END"
    )


def _offset_text(name: str) -> str:
    return f"regexp_extract({name}, {literal(f'^.{{16}}.*?({_OFFSET})$')}, 1)"


def _clock(name: str) -> str:
    """What the clock shows in an ISO 8601 text: seconds may be absent, a fraction is cut to microseconds."""
    minute = f"coalesce(nullif(substr({name}, 12, 5), ''), '00:00')"
    second = rf"coalesce(nullif(regexp_extract({name}, '^.{{16}}(:\d\d)', 1), ''), ':00')"
    stamp = f"epoch_us(TRY_CAST(concat(substr({name}, 1, 10), ' ', {minute}, {second}) AS TIMESTAMP))"
    fraction = rf"TRY_CAST(rpad(substr(regexp_extract({name}, '[.,](\d+)', 1), 1, 6), 6, '0') AS BIGINT)"
    return f"({stamp} + {fraction})"


def _value(column: Column, spans: tuple[tuple[int, int, int], ...]) -> str:
    if column.kind not in (Kind.TIME, Kind.END):
        return column.name
    local = f"{column.name}_local"
    offset = " ".join(f"WHEN {local} >= {start} AND {local} < {end} THEN {offset}" for start, end, offset in spans)
    time = f"coalesce({column.name}_instant, {local} - CASE {offset} END)"
    return f"CASE WHEN {column.name}_given THEN {time} END" if column.kind is Kind.END else time


def _bad(dataset: Dataset) -> str:
    """The first reason, in the order of the columns, why a row can't be used."""
    return "CASE " + " ".join(f"WHEN {test} THEN '{reason}'" for reason, test in _reasons(dataset)) + " END"


def _reasons(dataset: Dataset) -> Iterator[tuple[str, str]]:
    for column in dataset.columns:
        name = column.name
        if column.required:
            yield f"missing_{name}", f"NOT {name}_given"
        if column.kind is not Kind.TEXT:
            yield f"unreadable_{name}", f"{name}_given AND {name} IS NULL"
        if column.kind is Kind.AMOUNT:
            yield f"negative_{name}", f"{name} < 0"
        if column.kind is Kind.POWER:
            yield f"{name}_out_of_range", f"{name} NOT BETWEEN {POWER_LEVELS[0]} AND {POWER_LEVELS[-1]}"
        if column.kind is Kind.END:
            yield "unbind_before_bind", f"{name} < bind_time"
        if (dataset, name) == (Dataset.AGENCIES, "agency_id"):
            yield "malformed_agency_id", "NOT regexp_full_match(agency_id, '[A-Za-z0-9_-]{1,64}')"
