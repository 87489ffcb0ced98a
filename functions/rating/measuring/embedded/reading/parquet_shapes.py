"""The shape of a Parquet schema: the known columns, the types to read them as, and the SQL that reads them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from functions.rating.extracts.datasets import LocalFile, located
from functions.rating.measuring.embedded.reading.csv_objects import key_values
from functions.rating.measuring.embedded.reading.parquet_footers import Node
from functions.rating.measuring.embedded.reading.sources import PARQUET, PARQUET_PLAIN, POSITION
from functions.rating.measuring.embedded.reading.sql_cells import TEXT
from functions.rating.measuring.embedded.reading.sql_times import MICROSECONDS
from functions.rating.measuring.embedded.reading.sql_values import (
    FIRST_MICROSECOND,
    LAST_MICROSECOND,
    TIMES,
    UTC_TIMESTAMP,
    readable,
)
from functions.rating.measuring.embedded.sql import identifier, nested, select
from shared.errors import ObjectInvalid

_RESERVED = set(POSITION)
_UNITS = {"MILLI": 1000, "MICRO": 1}  # in microseconds
_DAY = 86_400 * MICROSECONDS


@dataclass(frozen=True)
class Shape:
    """``stored``: a relation with the known columns of the file and POSITION. ``physical``: their types.

    ``written``: each column's name in the file, without columns from the key. ``shown``: SQL for a value as a message
    shows it. ``damaged``: text columns that may have invalid UTF-8: ``<name>_damaged`` tells.
    """

    stored: str
    physical: Mapping[str, str]
    written: Mapping[str, str]
    shown: Mapping[str, str]
    damaged: Collection[str] = ()


def shape_of(
    file: LocalFile,
    nodes: Sequence[Node],
    described: Sequence[str],
    *,
    plain: Collection[str] = (),
    int96_is_utc: bool = True,
) -> Shape:
    """The shape of a file. Raises ObjectInvalid for a missing column, and for one whose type can't be read.

    ``nodes``: its columns. ``described``: DuckDB's type of each. ``plain``: columns of a copy (parquet_plain.py).
    """
    positions = _positions(file, nodes)
    found = {name: nodes[at] for name, at in positions.items() if described[at] != '"NULL"'}
    physical = {name: _physical(node, described[positions[name]], int96_is_utc) for name, node in found.items()}
    columns = {name: identifier(node.name) for name, node in found.items()}
    shown = {name: _shown(name, kind) for name, kind in physical.items()}
    more: dict[str, str] = {}
    damaged = [name for name in found if name in plain and found[name].is_text]
    for name in plain:
        bytes_or_number = columns[name]
        if name in damaged:
            columns[name] = f"coalesce(TRY(decode({bytes_or_number})), decode({bytes_or_number}, 'replace'))"
            more[f"{name}_damaged"] = f"({bytes_or_number} IS NOT NULL AND TRY(decode({bytes_or_number})) IS NULL)"
            physical[name] = TEXT
        else:
            columns[name] = _timestamp(bytes_or_number, _unit(found[name]))
            more[f"{name}_stored"] = bytes_or_number
            physical[name] = UTC_TIMESTAMP if found[name].is_utc else "TIMESTAMP"
            shown[name] = f"{name}_stored"
    _refuse_unreadable(file, physical)
    in_key = key_values(file)
    picked = (f"{sql} AS {name}" for name, sql in (columns | in_key | more).items())
    return Shape(
        nested(select((*picked, *POSITION), PARQUET_PLAIN if plain else PARQUET)),
        physical | dict.fromkeys(in_key, TEXT),
        {name: node.name for name, node in found.items()},
        shown | {name: name for name in in_key},
        damaged,
    )


def plain_columns(file: LocalFile, nodes: Sequence[Node]) -> dict[str, str]:
    """The columns whose values can be tested one by one after a plain copy, with their names in the file."""
    kinds = {column.name: column.kind for column in file.dataset.columns}
    found = {name: nodes[at] for name, at in _positions(file, nodes).items()}
    return {
        name: node.name
        for name, node in found.items()
        if node.is_text or (kinds[name] in TIMES and node.stored in ("INT32", "INT64") and _unit(node))
    }


def _positions(file: LocalFile, nodes: Sequence[Node]) -> Mapping[str, int]:
    names = [node.name for node in nodes]
    if reserved := _RESERVED & {name.lower() for name in names}:
        raise ObjectInvalid(
            f"{file.key}: a column is called {reserved.pop()}, a name that the reader itself uses; expected any other "
            "name. Have the extract written without this column."
        )
    return located(names, file)


def _refuse_unreadable(file: LocalFile, physical: Mapping[str, str]) -> None:
    for column in file.dataset.columns:
        if column.name in physical and not readable(column.kind, physical[column.name]):
            raise ObjectInvalid(
                f"{file.key}: column {column.name} is of type {physical[column.name]}, which can't hold "
                f"what is expected there ({column.kind}). Have the extract written again."
            )


def _physical(node: Node, described: str, int96_is_utc: bool) -> str:
    """The type to read a column as. The footer tells more than DuckDB's type."""
    if node.stored == "INT96":
        return UTC_TIMESTAMP if int96_is_utc else described
    if described == "TIMESTAMP" and node.is_utc:
        return UTC_TIMESTAMP
    return "FLOAT16" if (node.logical or "").startswith("Float16") else described


def _unit(node: Node) -> int:
    """Microseconds in one unit of a column of timestamps or dates; 0 for nanoseconds and for other columns."""
    if node.converted == "DATE" or (node.logical or "").startswith("Date"):
        return _DAY
    meant = node.logical if node.logical and node.logical.startswith("Timestamp") else node.converted
    if not meant or not meant.upper().startswith("TIMESTAMP"):
        return 0
    return next((size for unit, size in _UNITS.items() if f"{unit}S=<null>" not in meant and unit in meant), 0)


def _timestamp(number: str, unit: int) -> str:
    """SQL for the timestamp of a stored number. Beyond the years that are read it is infinite, which is unreadable."""
    first, last = -(-FIRST_MICROSECOND // unit), LAST_MICROSECOND // unit
    return (
        f"CASE WHEN {number} BETWEEN {first} AND {last} THEN make_timestamp(CAST({number} AS BIGINT) * {unit}) "
        f"WHEN {number} IS NOT NULL THEN TIMESTAMP 'infinity' END"
    )


def _shown(name: str, physical: str) -> str:
    """SQL for a value as a message shows it. DuckDB fails if it has to write a timestamp out of its range."""
    if not physical.startswith(("TIMESTAMP", UTC_TIMESTAMP)) or "NS" in physical:
        return name
    within = f"epoch_us({name}) BETWEEN {FIRST_MICROSECOND} AND {LAST_MICROSECOND} OR NOT isfinite({name})"
    return f"CASE WHEN {within} THEN CAST({name} AS {TEXT}) ELSE CAST(epoch_us({name}) AS {TEXT}) END"
