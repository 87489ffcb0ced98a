"""SQL that reads the contract's notations: each column of an extract as its value.

It is written for DuckDB (its casts, its regular expressions); what is counted from the values is plain SQL
(measuring/*.sql). Times become epoch microseconds, so that no engine's time zones matter.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo

from functions.rating.extracts.datasets import Column, Dataset, Kind
from functions.rating.measuring.embedded.reading.sources import POSITION
from functions.rating.measuring.embedded.reading.sql_cells import (
    EXACT_BELOW,
    TEXT,
    WHOLE_NUMBER,
    WHOLE_WITH_ZEROS,
    cells,
    is_number_as_text,
    trimmed,
    whole,
)
from functions.rating.measuring.embedded.reading.sql_times import MICROSECONDS, Span, offset_spans
from functions.rating.measuring.embedded.reading.sql_written_times import WrittenTime
from functions.rating.measuring.embedded.sql import nested, select
from shared.levels import POWER_LEVELS
from shared.months import Month

# A timestamp without a time zone that is in UTC: INT96, or a Parquet ConvertedType without a LogicalType.
UTC_TIMESTAMP = "UTC_TIMESTAMP"
ZONED = frozenset({"TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ_NS", UTC_TIMESTAMP})
NAIVE = frozenset({"TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "DATE"})
TEMPORAL = ZONED | NAIVE
WHOLE = frozenset({f"{sign}{size}INT" for sign in ("", "U") for size in ("TINY", "SMALL", "BIG", "HUGE")})
NUMBERS = WHOLE | EXACT_BELOW.keys() | {"INTEGER", "UINTEGER"}
TEXT_LIKE = NUMBERS | NAIVE | {UTC_TIMESTAMP, "BOOLEAN", "UUID", "ENUM"}

TIMES = frozenset({Kind.TIME, Kind.END})
# Types of whole numbers that all fit into BIGINT.
SMALL = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"})

YEAR_2000, YEAR_9999 = 946_684_800, 253_402_300_799  # the smallest and the largest epoch second that is read
FIRST_MICROSECOND, LAST_MICROSECOND = -62_135_596_800 * MICROSECONDS, (YEAR_9999 + 1) * MICROSECONDS - 1  # years 1-9999


def readable(kind: Kind, physical: str) -> bool:
    """Whether a column of this physical type can be read as values of this kind."""
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
    trimmed_later: Collection[str] = (),
    proved: Collection[str] = (),
    damaged: Collection[str] = (),
    trimming: bool = True,
) -> str:
    """A SELECT of every column's value, the row's POSITION, ``bad`` (the reason, or null) and ``untrimmed``.

    ``physical``: the type of each column of ``source``, a relation that also has the rows' POSITION. ``trimmed_later``:
    text columns that are read without trimming. ``proved``: columns without a bad value. ``damaged``: text columns that
    may have invalid UTF-8. Without ``trimming`` no text is trimmed, which is correct unless a row is ``untrimmed``.
    """
    columns = [(column, _base(physical.get(column.name, TEXT))) for column in dataset.columns]
    times = [(column, base) for column, base in columns if column.kind in TIMES]
    written = [WrittenTime(column.name, zone) for column, base in times if base == TEXT]
    spans = offset_spans(zone, month)
    relation = cells(
        columns, frozenset(physical), source, trimmed_later=trimmed_later, damaged=damaged, trimming=trimming
    )
    for step in (
        [f"{time.shape} AS {time.name}_shape" for time in written],
        [f"{time.fields} AS {time.name}_fields" for time in written],
        [
            f"{_instant(c.name, base, zone)} AS {c.name}_instant, {_local(c.name, base, zone)} AS {c.name}_local"
            for c, base in times
        ],
        [f"{_given(column, base, zone)} AS {column.name}_given" for column, base in columns],
        [f"{_value(column, base, spans)} AS {column.name}_value" for column, base in columns],
    ):
        relation = nested(select(("*", *step), relation))
    results = [f"{column.name}_value AS {column.name}" for column, _ in columns]
    return select((*results, f"{_bad(dataset, columns, proved, damaged)} AS bad", "untrimmed", *POSITION), relation)


def _base(physical: str) -> str:
    return physical.partition("(")[0]


def _given(column: Column, base: str, zone: ZoneInfo) -> str:
    """SQL: whether a cell has a value. A time of 0 has none: the binding has not ended."""
    name = column.name
    if column.kind in TIMES and base == TEXT:
        return f"({name} IS NOT NULL AND NOT {WrittenTime(name, zone).says_none(open_end=column.kind is Kind.END)})"
    if column.kind in TIMES and base in NUMBERS:
        return f"({name} IS NOT NULL AND {name} <> 0)"
    return f"({name} IS NOT NULL)"


def _integer(name: str, base: str) -> str:
    if base == TEXT:
        number, without_zeros = f"TRY_CAST({name} AS BIGINT)", f"TRY_CAST(split_part({name}, '.', 1) AS BIGINT)"
        return (
            f"CASE WHEN {name}_plain THEN {number} WHEN regexp_full_match({name}, '{WHOLE_NUMBER}') THEN {number} "
            f"WHEN regexp_full_match({name}, '{WHOLE_WITH_ZEROS}') THEN {without_zeros} END"
        )
    return whole(name, base) if base in EXACT_BELOW else f"TRY_CAST({name} AS BIGINT)"


def _instant(name: str, base: str, zone: ZoneInfo) -> str:
    """SQL: epoch microseconds, if the cell gives an instant."""
    if base == "TIMESTAMPTZ_NS":
        return _whole_microseconds(f"CAST({name} AS TIMESTAMP_NS)")
    if base in ZONED:
        return _within_years(f"epoch_us({name})")
    if base in NAIVE:
        return "CAST(NULL AS BIGINT)"
    if base != TEXT:
        return from_seconds(_integer(name, base))
    return WrittenTime(name, zone).instant(from_seconds)


def from_seconds(seconds: str) -> str:
    """SQL: epoch microseconds of whole seconds; null outside of the years that are read."""
    return f"CASE WHEN {seconds} BETWEEN {YEAR_2000} AND {YEAR_9999} THEN {seconds} * {MICROSECONDS} END"


def _local(name: str, base: str, zone: ZoneInfo) -> str:
    """SQL: microseconds of the local clock since 1970, if the cell has no offset."""
    if base == "TIMESTAMP_NS":
        return _whole_microseconds(name)
    if base == "DATE":
        return f"CASE WHEN {name} BETWEEN DATE '0001-01-01' AND DATE '9999-12-31' THEN epoch_us({name}) END"
    if base in NAIVE:
        return _within_years(f"epoch_us(CAST({name} AS TIMESTAMP))")
    if base != TEXT:
        return "CAST(NULL AS BIGINT)"
    return WrittenTime(name, zone).local


def _within_years(microseconds: str) -> str:
    return f"CASE WHEN {microseconds} BETWEEN {FIRST_MICROSECOND} AND {LAST_MICROSECOND} THEN {microseconds} END"


def _whole_microseconds(stamp: str) -> str:
    """SQL: a TIMESTAMP_NS rounded down to microseconds; a cast would round up."""
    return f"(epoch_ns({stamp}) - (epoch_ns({stamp}) % 1000 + 1000) % 1000) // 1000"


def _value(column: Column, base: str, spans: Sequence[Span]) -> str:
    name = column.name
    if column.kind is Kind.TEXT:
        return name
    if column.kind not in TIMES:
        return _integer(name, base)
    time = f"coalesce({name}_instant, {name}_local - {_offset(f'{name}_local', spans)})"
    return f"CASE WHEN {name}_given THEN {time} END" if column.kind is Kind.END else time


def _offset(local: str, spans: Sequence[Span]) -> str:
    """SQL: the zone's offset at a local clock time. Spans near the month are cases, the others a list."""
    near = " ".join(f"WHEN {local} >= {s.start} AND {local} < {s.end} THEN {s.offset}" for s in spans[:3])
    ordered = sorted(spans)
    starts = ", ".join(str(span.start) for span in ordered)
    offsets = ", ".join(str(span.offset) for span in ordered)
    any_other = f"[{offsets}][len(list_filter([{starts}], lambda start: start <= {local}))]"
    return f"CASE {near} ELSE {any_other} END"


def _bad(
    dataset: Dataset, columns: Sequence[tuple[Column, str]], proved: Collection[str], damaged: Collection[str]
) -> str:
    """SQL: the first reason, in the order of the columns, why a row is bad."""
    tested = [(column, base) for column, base in columns if column.name not in proved]
    reasons = _reasons(dataset, tested, damaged)
    return "CASE " + " ".join(f"WHEN {test} THEN '{reason}'" for reason, test in reasons) + " END"


def _reasons(
    dataset: Dataset, columns: Sequence[tuple[Column, str]], damaged: Collection[str]
) -> Iterator[tuple[str, str]]:
    for column, base in columns:
        name, value, given = column.name, f"{column.name}_value", f"{column.name}_given"
        if name in damaged:
            yield f"unreadable_{name}", f"{name}_damaged"
        if is_number_as_text(column, base):
            yield f"unreadable_{name}", f"{name}_inexact"
        if column.required:
            yield f"missing_{name}", f"NOT {given}"
        if column.kind in TIMES:
            yield f"unreadable_{name}", f"{given} AND {name}_instant IS NULL AND {name}_local IS NULL"
        elif column.kind is not Kind.TEXT and base not in SMALL:
            yield f"unreadable_{name}", f"{given} AND {value} IS NULL"
        elif column.kind is Kind.TEXT and base == TEXT and not column.multiline:
            # CASE: the engine computes both sides of an AND, and trimming costs ten times as much as reading.
            within = f"contains({trimmed(name)}, chr(10))"
            yield f"newline_in_{name}", f"CASE WHEN contains({name}, chr(10)) THEN {within} ELSE FALSE END"
        if column.kind is Kind.AMOUNT:
            yield f"negative_{name}", f"{value} < 0"
        if column.kind is Kind.POWER:
            yield f"{name}_out_of_range", f"{value} NOT BETWEEN {POWER_LEVELS[0]} AND {POWER_LEVELS[-1]}"
        if column.kind is Kind.END:
            yield "unbind_before_bind", f"{value} < bind_time_value"
        if (dataset, name) == (Dataset.AGENCIES, "agency_id"):
            yield "malformed_agency_id", "NOT regexp_full_match(agency_id, '[A-Za-z0-9_-]{1,64}')"
