"""What Parquet footers say about columns, read from files that DuckDB wrote."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from functions.rating.measuring.embedded.duckdb_engine import open_engine
from functions.rating.measuring.embedded.reading.parquet_footers import Footer, footers

MEMORY = 512 * 10**6


def read(folder: Path, *queries: str) -> list[Footer]:
    paths = [folder / f"it's {index}.parquet" for index in range(len(queries))]
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for path, query in zip(paths, queries, strict=True):
            name = str(path).replace("'", "''")
            connection.execute(f"COPY ({query}) TO '{name}' (FORMAT parquet, ROW_GROUP_SIZE 2048)")
    with open_engine(folder, MEMORY) as engine:
        return list(footers(engine, paths))


def names(footer: Footer) -> list[str]:
    return [node.name for node in footer.columns()]


def test_a_footer_has_the_number_of_rows_and_the_columns(tmp_path: Path) -> None:
    one, none, nested = read(
        tmp_path,
        "SELECT 1 AS a, 'x' AS \"B b\"",
        "SELECT 1 AS a, 'x' AS \"B b\" LIMIT 0",
        "SELECT {'a': [1], 'c': {'d': 2}} AS n, [[3]] AS m, 4 AS \"a, b\", map {'k': 5} AS p, 6 AS a FROM range(5000)",
    )

    assert [one.rows, none.rows, nested.rows] == [1, 0, 5000]
    assert names(one) == names(none) == ["a", "B b"]
    assert names(nested) == ["n", "m", "a, b", "p", "a"]


def test_a_footer_says_nothing_about_a_column_without_rows(tmp_path: Path) -> None:
    (footer,) = read(tmp_path, "SELECT 1 AS a LIMIT 0")

    assert not any((footer.present, footer.never_negative, footer.dated))


@pytest.mark.parametrize(
    ("value", "present", "never_negative", "dated"),
    [
        ("i", True, True, False),
        ("i - 4999", True, False, False),
        ("nullif(i, 4999)", False, True, False),
        ("NULL::INT", False, False, False),
        ("CASE WHEN i < 4096 THEN i END", False, False, False),
        ("i::VARCHAR", True, True, False),
        ("TIMESTAMP '2026-10-05'", True, False, True),
        ("DATE '2026-10-05' - i::INT", True, False, True),
        ("CASE WHEN i < 4999 THEN TIMESTAMP '2026-10-05' ELSE 'infinity' END", True, False, False),
        ("CASE WHEN i < 4999 THEN TIMESTAMPTZ '2026-10-05 00:00:00+00' ELSE '-infinity' END", True, False, False),
        ("CASE WHEN i < 4999 THEN DATE '2026-10-05' END", False, False, True),
    ],
)
def test_a_footer_says_of_a_column_only_what_holds_in_every_row_group(
    tmp_path: Path, value: str, *, present: bool, never_negative: bool, dated: bool
) -> None:
    (footer,) = read(tmp_path, f"SELECT {value} AS v FROM range(5000) AS numbers(i)")

    assert ("v" in footer.present, "v" in footer.never_negative, "v" in footer.dated) == (
        present,
        never_negative,
        dated,
    )
