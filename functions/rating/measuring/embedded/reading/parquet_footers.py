"""What Parquet objects say of themselves, in their footers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from functions.rating.measuring.embedded.duckdb_engine import DuckDB
from functions.rating.measuring.embedded.sql import literal, select

Schema = tuple[tuple[Any, ...], ...]  # its nodes, each before its children; name and number of children come first

_NODE = ("name", "num_children", "* EXCLUDE (file_name, name, num_children)")
_PRESENT = "stats_null_count = 0"
_NEVER_NEGATIVE = "TRY_CAST(stats_min_value AS HUGEINT) >= 0"
_DATED = " AND ".join(rf"regexp_matches(stats_{which}_value, '^\d{{4}}-\d\d-\d\d')" for which in ("min", "max"))


class Footer(NamedTuple):
    """What is true of columns by their statistics, of each by the name that it has in the file.

    ``present``: no value is missing. ``never_negative``: if they are whole numbers, none is less than 0. ``dated``: if
    they are times, none is infinite.
    """

    rows: int
    schema: Schema
    present: Collection[str]
    never_negative: Collection[str]
    dated: Collection[str]

    def columns(self) -> list[str]:
        return list(_top_level(iter(self.schema)))


def footers(engine: DuckDB, paths: Sequence[Path]) -> Iterator[Footer]:
    """The footer of each of these files. Raises EngineRefused."""
    files = f"[{', '.join(map(literal, paths))}]"
    rows = dict(engine.rows(select(("file_name", "num_rows"), f"parquet_file_metadata({files})")))
    nodes: dict[str, list[tuple[Any, ...]]] = {}
    for name, *node in engine.rows(select(("file_name", *_NODE), f"parquet_schema({files})")):
        nodes.setdefault(name, []).append(tuple(node))
    truths = _truths(engine, files)
    for name in map(str, paths):
        yield Footer(rows[name], tuple(nodes[name]), *truths.get(name, ((), (), ())))


def _truths(engine: DuckDB, files: str) -> dict[str, tuple[set[str], set[str], set[str]]]:
    """By file, the columns that are present, never negative, dated."""
    tests = (f"bool_and(coalesce({test}, FALSE))" for test in (_PRESENT, _NEVER_NEGATIVE, _DATED))
    columns = select(("file_name", "path_in_schema", *tests), f"parquet_metadata({files})")
    truths: dict[str, tuple[set[str], set[str], set[str]]] = {}
    for name, column, *held in engine.rows(f"{columns} GROUP BY ALL"):
        for kept, holds in zip(truths.setdefault(name, (set(), set(), set())), held, strict=True):
            if holds:
                kept.add(column)
    return truths


def _top_level(nodes: Iterator[tuple[Any, ...]]) -> Iterator[str]:
    """The names of a file's columns."""
    _, columns, *_ = next(nodes)
    for _ in range(columns or 0):
        name, children, *_ = next(nodes)
        yield name
        _skip(nodes, children or 0)


def _skip(nodes: Iterator[tuple[Any, ...]], count: int) -> None:
    for _ in range(count):
        _, children, *_ = next(nodes)
        _skip(nodes, children or 0)
