"""The SQL that reads every row: it calls expensive functions only for rows that a cheap test has chosen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from functions.rating.extracts.datasets import Dataset, LocalFile
from functions.rating.measuring.embedded.duckdb_engine import DuckDB
from functions.rating.measuring.embedded.measure import measure
from shared.months import Month
from tests.worlds import SHANGHAI

EXPENSIVE = {"trim", "regexp_matches", "list_filter"}
ROWS = {
    Dataset.AGENCIES: "SELECT 'A1' AS agency_id, '甲' AS name, '2020-01-01' AS joined_at",
    Dataset.CREATORS: "SELECT 'c1' AS creator_id, 'A1' AS agency_id, TIMESTAMP '2026-01-01' AS bind_time, "
    "NULL::TIMESTAMP AS unbind_time, 6 AS power_level, NULL::VARCHAR AS risk_tag",
    Dataset.ORDERS: "SELECT 'o1' AS order_id, 'c1' AS creator_id, TIMESTAMP '2026-10-05' AS pay_time, "
    "100 AS pay_amount, NULL::VARCHAR AS risk_tag",
}


def called_for_every_row(node: Any) -> Iterator[str]:
    """The expensive functions that an expression calls for every row.

    DuckDB evaluates both sides of an AND or OR for all rows. Only THEN and ELSE of a CASE are limited to some rows.
    """
    if isinstance(node, list):
        for child in node:
            yield from called_for_every_row(child)
    elif isinstance(node, dict):
        if node.get("class") == "CASE":
            for check in node["case_checks"]:
                yield from called_for_every_row(check["when_expr"])
            return
        if node.get("function_name") in EXPENSIVE:
            yield node["function_name"]
        for child in node.values():
            yield from called_for_every_row(child)


def syntax_tree(query: str) -> Any:
    with duckdb.connect() as connection:
        [(written,)] = connection.execute("SELECT json_serialize_sql(?)", [query]).fetchall()
    parsed = json.loads(written)
    assert not parsed["error"], parsed
    return parsed["statements"]


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_rows_of_a_usual_file_need_no_expensive_function(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    queries: list[str] = []
    arrays = DuckDB.arrays

    def recorded(engine: DuckDB, sql: str) -> dict[str, Any]:
        queries.append(sql)
        return arrays(engine, sql)

    files = []
    for dataset, query in ROWS.items():
        path = tmp_path / f"{dataset}.{suffix}"
        with duckdb.connect() as connection:
            connection.execute(f"COPY ({query}) TO '{path}'")
        files.append(LocalFile(dataset, f"{dataset}/month=2026-10/{path.name}", path))
    monkeypatch.setattr(DuckDB, "arrays", recorded)
    measured = measure(files, Month(2026, 10), SHANGHAI, Decimal(0), tmp_path)

    assert measured.rows_read[Dataset.ORDERS].rows == 1
    scans = [query for query in queries if "hash(order_id)" in query]
    assert scans
    assert [name for query in scans for name in called_for_every_row(syntax_tree(query))] == []


def test_an_and_calls_both_sides_for_every_row_and_a_case_does_not() -> None:
    unprotected = "SELECT contains(x, 'a') AND contains(trim(x), 'a') FROM t"
    protected = "SELECT CASE WHEN contains(x, 'a') THEN contains(trim(x), 'a') ELSE FALSE END FROM t"
    assert list(called_for_every_row(syntax_tree(unprotected))) == ["trim"]
    assert list(called_for_every_row(syntax_tree(protected))) == []
