"""Reads the footers of Parquet objects: their columns, and what the statistics prove."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from functions.rating.measuring.embedded.duckdb_engine import DuckDB
from functions.rating.measuring.embedded.sql import literal, select

_NODE = ("name", "num_children", "type", "converted_type", "logical_type")
_REST = f"* EXCLUDE (file_name, {', '.join(_NODE)})"
_PRESENT = "stats_null_count = 0"
_NEVER_NEGATIVE = "TRY_CAST(stats_min_value AS HUGEINT) >= 0"
_DATED = " AND ".join(rf"regexp_matches(stats_{which}_value, '^\d{{4}}-\d\d-\d\d')" for which in ("min", "max"))


class Node(NamedTuple):
    """A column of a schema, or a group of columns. ``stored``: its physical type; other fields give its meaning."""

    name: str
    children: int | None
    stored: str | None
    converted: str | None
    logical: str | None
    rest: tuple[Any, ...] = ()

    @property
    def is_utc(self) -> bool | None:
        """Whether a timestamp is an instant in UTC; None if it is not a timestamp.

        Without a LogicalType it is, as for Spark and pyarrow.
        """
        if self.logical and self.logical.startswith("TimestampType"):
            return "isAdjustedToUTC=1" in self.logical
        bare = self.logical is None and (self.converted or "").startswith("TIMESTAMP_")
        return True if bare or self.stored == "INT96" else None

    @property
    def is_text(self) -> bool:
        return self.stored == "BYTE_ARRAY" and self.converted != "DECIMAL"


Schema = tuple[Node, ...]  # each node before its children


class Footer(NamedTuple):
    """What the statistics prove about columns, by the column's name in the file.

    ``present``: no value is missing. ``never_negative``: if they are whole numbers, none is below 0. ``dated``: if they
    are times, all are in the years that are read.
    """

    rows: int
    schema: Schema
    present: Collection[str]
    never_negative: Collection[str]
    dated: Collection[str]

    def columns(self) -> list[Node]:
        return list(_top_level(iter(self.schema)))


def footers(engine: DuckDB, paths: Sequence[Path]) -> Iterator[Footer]:
    """The footer of each of these files. Raises EngineRefused."""
    files = f"[{', '.join(map(literal, paths))}]"
    rows = dict(engine.rows(select(("file_name", "num_rows"), f"parquet_file_metadata({files})")))
    nodes = _schemas(engine, files)
    truths = _truths(engine, files)
    for name in map(str, paths):
        yield Footer(rows[name], tuple(nodes[name]), *truths.get(name, ((), (), ())))


def columns_of(engine: DuckDB, path: Path) -> list[Node]:
    """The columns of a file, even if its statistics can't be read. Raises EngineRefused."""
    return list(_top_level(iter(_schemas(engine, literal(path))[str(path)])))


def _schemas(engine: DuckDB, files: str) -> dict[str, list[Node]]:
    nodes: dict[str, list[Node]] = {}
    for name, *node in engine.rows(select(("file_name", *_NODE, _REST), f"parquet_schema({files})")):
        known = len(_NODE)
        nodes.setdefault(name, []).append(Node(*node[:known])._replace(rest=tuple(node[known:])))
    return nodes


def _truths(engine: DuckDB, files: str) -> dict[str, tuple[set[str], set[str], set[str]]]:
    """By file: the columns that are present, never negative, dated."""
    tests = (f"bool_and(coalesce({test}, FALSE))" for test in (_PRESENT, _NEVER_NEGATIVE, _DATED))
    columns = select(("file_name", "path_in_schema", *tests), f"parquet_metadata({files})")
    truths: dict[str, tuple[set[str], set[str], set[str]]] = {}
    for name, column, *held in engine.rows(f"{columns} GROUP BY ALL"):
        for kept, holds in zip(truths.setdefault(name, (set(), set(), set())), held, strict=True):
            if holds:
                kept.add(column)
    return truths


def _top_level(nodes: Iterator[Node]) -> Iterator[Node]:
    """A file's columns."""
    for _ in range(next(nodes).children or 0):
        node = next(nodes)
        yield node
        _skip(nodes, node.children or 0)


def _skip(nodes: Iterator[Node], count: int) -> None:
    for _ in range(count):
        _skip(nodes, next(nodes).children or 0)
