"""SQL text that reads the notations of the contract: each column of an extract as the value it stands for.

Written for the analytical engine (its casts, its regular expressions); what is measured from the values is in plain
SQL beside this. Times become epoch microseconds, so that nothing rests on an engine's idea of time zones.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo

from functions.rating.extracts.datasets import Column, Dataset, Kind
from functions.rating.measuring.embedded.reading.sources import POSITION
from functions.rating.measuring.embedded.reading.sql_cells import (
    CLOCK,
    DATE,
    FRACTIONAL,
    INTEGER,
    PLAIN_TIME,
    TEXT,
    cells,
    whole,
)
from functions.rating.measuring.embedded.reading.sql_times import MICROSECONDS, Span, offset_spans
from functions.rating.measuring.embedded.sql import literal, nested, select
from shared.levels import POWER_LEVELS
from shared.months import Month

ZONED = frozenset({"TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ_NS"})
NAIVE = frozenset({"TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "DATE"})
TEMPORAL = ZONED | NAIVE
WHOLE = frozenset({f"{sign}{size}INT" for sign in ("", "U") for size in ("TINY", "SMALL", "BIG", "HUGE")})
NUMBERS = WHOLE | FRACTIONAL | {"INTEGER", "UINTEGER"}
TEXT_LIKE = NUMBERS | NAIVE | {"BOOLEAN", "UUID", "ENUM"}

TIMES = frozenset({Kind.TIME, Kind.END})
# Whole numbers of which each is a BIGINT.
SMALL = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"})

_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799  # the years 1 to 9999

_OFFSET = r"[Zz]|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?"
_TIME = rf"{DATE}(?:[ Tt]{CLOCK}(?::[0-5]\d(?:[.,]\d+)?)?(?:{_OFFSET})?)?"


def readable(kind: Kind, physical: str) -> bool:
    """Whether a column of this physical type can hold such values at all."""
    base = _base(physical)
    if kind is Kind.TEXT:
        return base == TEXT or base in TEXT_LIKE
    return base == TEXT or base in NUMBERS or (kind in TIMES and base in TEMPORAL)


def values(
    dataset: Dataset,
    physical: Mapping[str, str],
    month: Month,
    zone: ZoneInfo,
    source: str,
    *,
    trusted: Collection[str] = (),
    proved: Collection[str] = (),
    trimming: bool = True,
) -> str:
    """A SELECT of every column's value, the row's POSITION, ``bad`` (why a row can't be used, or null) and ``padded``.

    ``physical``: the type of each column that ``source``, a relation, has by name; it has the rows' POSITION, too.
    ``trusted``: columns whose texts are not looked at, because none of them is padded. ``proved``: columns of which no
    value is bad, some others are. Without ``trimming`` texts are taken as they are written, which is right unless there
    are rows that are ``padded``.
    """
    columns = [(column, _base(physical.get(column.name, TEXT))) for column in dataset.columns]
    times = [(column, base) for column, base in columns if column.kind in TIMES]
    written = [column.name for column, base in times if base == TEXT]
    spans = offset_spans(zone, month)
    relation = cells(columns, frozenset(physical), source, trusted=trusted, trimming=trimming)
    for step in (
        [f"{_shape(name)} AS {name}_shape" for name in written],
        [f"{_zone(name)} AS {name}_zone" for name in written],
        [
            f"{_instant(c.name, base)} AS {c.name}_instant, {_local(c.name, base)} AS {c.name}_local"
            for c, base in times
        ],
        [f"{_given(column, base)} AS {column.name}_given" for column, base in columns],
        [f"{_value(column, base, spans)} AS {column.name}_value" for column, base in columns],
    ):
        relation = nested(select(("*", *step), relation))
    results = [f"{column.name}_value AS {column.name}" for column, _ in columns]
    return select((*results, f"{_bad(dataset, columns, proved)} AS bad", "padded", *POSITION), relation)


def _base(physical: str) -> str:
    return physical.partition("(")[0]


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
        number = f"TRY_CAST({name} AS BIGINT)"
        return f"CASE WHEN {name}_plain THEN {number} WHEN regexp_full_match({name}, '{INTEGER}') THEN {number} END"
    return whole(name) if base in FRACTIONAL else f"TRY_CAST({name} AS BIGINT)"


def _shape(name: str) -> str:
    """What a text looks like: the engine's own notation, an integer, or any other ISO 8601; null for anything else."""
    return (
        f"CASE WHEN {name}_plain THEN 'plain' WHEN regexp_full_match({name}, {literal(PLAIN_TIME)}) THEN 'plain' "
        f"WHEN regexp_full_match({name}, '{INTEGER}') THEN 'integer' "
        f"WHEN regexp_full_match({name}, {literal(_TIME)}) THEN 'iso' END"
    )


def _zone(name: str) -> str:
    """The offset at the end of an ISO 8601 text; empty where there is none."""
    return f"CASE WHEN {name}_shape = 'iso' THEN regexp_extract({name}, {literal(f'^.{{16}}.*?({_OFFSET})$')}, 1) END"


def _instant(name: str, base: str) -> str:
    """Epoch microseconds, where a cell says which instant it means."""
    if base == "TIMESTAMPTZ_NS":
        return _whole_microseconds(f"CAST({name} AS TIMESTAMP_NS)")
    if base in ZONED:
        return f"epoch_us({name})"
    if base in NAIVE:
        return "CAST(NULL AS BIGINT)"
    if base != TEXT:
        return _from_seconds(_integer(name, base))
    zone = f"{name}_zone"
    sign = f"CASE WHEN {zone}[1] = '-' THEN -1 ELSE 1 END"
    hours = f"CAST(substr({zone}, 2, 2) AS BIGINT)"
    minutes = f"coalesce(TRY_CAST(substr(replace({zone}, ':', ''), 4, 2) AS BIGINT), 0)"
    ahead = f"{sign} * ({hours} * 60 + {minutes}) * {60 * MICROSECONDS}"
    return (
        f"CASE WHEN {name}_shape = 'integer' THEN {_from_seconds(f'TRY_CAST({name} AS BIGINT)')} "
        f"WHEN {zone} IN ('Z', 'z') THEN {_clock(name)} WHEN {zone} <> '' THEN {_clock(name)} - {ahead} END"
    )


def _from_seconds(seconds: str) -> str:
    return f"CASE WHEN {seconds} BETWEEN {_FIRST_SECOND} AND {_LAST_SECOND} THEN {seconds} * {MICROSECONDS} END"


def _local(name: str, base: str) -> str:
    """Microseconds on the local clock since 1970, where a cell has no offset."""
    if base == "TIMESTAMP_NS":
        return _whole_microseconds(name)
    if base in NAIVE:
        return f"epoch_us(CAST({name} AS TIMESTAMP))"
    if base != TEXT:
        return "CAST(NULL AS BIGINT)"
    return (
        f"CASE WHEN {name}_shape = 'plain' THEN epoch_us(TRY_CAST({name} AS TIMESTAMP)) "
        f"WHEN {name}_zone = '' THEN {_clock(name)} END"
    )


def _whole_microseconds(stamp: str) -> str:
    """The microsecond that a TIMESTAMP_NS lies in; a cast would round up."""
    return f"(epoch_ns({stamp}) - (epoch_ns({stamp}) % 1000 + 1000) % 1000) // 1000"


def _clock(name: str) -> str:
    """What the clock shows in an ISO 8601 text: seconds may be absent, a fraction is cut to microseconds."""
    minute = f"coalesce(nullif(substr({name}, 12, 5), ''), '00:00')"
    second = rf"coalesce(nullif(regexp_extract({name}, '^.{{16}}(:\d\d)', 1), ''), ':00')"
    stamp = f"epoch_us(TRY_CAST(concat(substr({name}, 1, 10), ' ', {minute}, {second}) AS TIMESTAMP))"
    fraction = rf"TRY_CAST(rpad(substr(regexp_extract({name}, '[.,](\d+)', 1), 1, 6), 6, '0') AS BIGINT)"
    return f"({stamp} + {fraction})"


def _value(column: Column, base: str, spans: Sequence[Span]) -> str:
    name = column.name
    if column.kind is Kind.TEXT:
        return name
    if column.kind not in TIMES:
        return _integer(name, base)
    time = f"coalesce({name}_instant, {name}_local - {_offset(f'{name}_local', spans)})"
    return f"CASE WHEN {name}_given THEN {time} END" if column.kind is Kind.END else time


def _offset(local: str, spans: Sequence[Span]) -> str:
    """The zone's offset at a local clock reading: the spans around the month as cases, all the others as a list."""
    near = " ".join(f"WHEN {local} >= {s.start} AND {local} < {s.end} THEN {s.offset}" for s in spans[:3])
    ordered = sorted(spans)
    starts = ", ".join(str(span.start) for span in ordered)
    offsets = ", ".join(str(span.offset) for span in ordered)
    any_other = f"[{offsets}][len(list_filter([{starts}], lambda start: start <= {local}))]"
    return f"CASE {near} ELSE {any_other} END"


def _bad(dataset: Dataset, columns: Sequence[tuple[Column, str]], proved: Collection[str]) -> str:
    """The first reason, in the order of the columns, why a row can't be used."""
    doubted = [(column, base) for column, base in columns if column.name not in proved]
    return "CASE " + " ".join(f"WHEN {test} THEN '{reason}'" for reason, test in _reasons(dataset, doubted)) + " END"


def _reasons(dataset: Dataset, columns: Sequence[tuple[Column, str]]) -> Iterator[tuple[str, str]]:
    for column, base in columns:
        name, value, given = column.name, f"{column.name}_value", f"{column.name}_given"
        if column.required:
            yield f"missing_{name}", f"NOT {given}"
        if column.kind in TIMES:
            yield f"unreadable_{name}", f"{given} AND {name}_instant IS NULL AND {name}_local IS NULL"
        elif column.kind is not Kind.TEXT and base not in SMALL:
            yield f"unreadable_{name}", f"{given} AND {value} IS NULL"
        if column.kind is Kind.AMOUNT:
            yield f"negative_{name}", f"{value} < 0"
        if column.kind is Kind.POWER:
            yield f"{name}_out_of_range", f"{value} NOT BETWEEN {POWER_LEVELS[0]} AND {POWER_LEVELS[-1]}"
        if column.kind is Kind.END:
            yield "unbind_before_bind", f"{value} < bind_time_value"
        if (dataset, name) == (Dataset.AGENCIES, "agency_id"):
            yield "malformed_agency_id", "NOT regexp_full_match(agency_id, '[A-Za-z0-9_-]{1,64}')"
