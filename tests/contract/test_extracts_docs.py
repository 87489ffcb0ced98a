"""The pages about file formats agree with the code: columns, formats, reasons. Their samples are a valid month."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from functions.rating.extracts.datasets import FORMATS_PAGE, Dataset
from functions.rating.measuring.expected import REASONS
from shared.months import Month
from tools.docs.extracts_docs import LANGUAGES, ROOT, page, rendered
from tools.extracts_judged import Judge


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_tables_are_generated_from_the_code(language: str) -> None:
    text = page(language).read_text(encoding="utf-8")
    assert text == rendered(text, language), "run: make docs"
    assert all(f"| `{reason}` |" in text for reason in REASONS)


def reasons_in_the_code() -> set[str]:
    """Every reason for which the code calls a row bad, a column's name in it replaced by <column>."""
    found: set[str] = set()
    for path in sorted((ROOT / "functions/rating/measuring/embedded").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("_Record", "BadRow"):
                found |= {reason for argument in node.args for reason in texts_of(argument)}
            elif isinstance(node, ast.Yield) and "sql_values" in path.name and isinstance(node.value, ast.Tuple):
                found |= set(texts_of(node.value.elts[0]))
            elif isinstance(node, ast.FunctionDef) and node.name == "_malformed":
                found |= {reason for inner in ast.walk(node) for reason in texts_of(inner)}
            elif isinstance(node, ast.Assign) and [getattr(name, "id", "") for name in node.targets] == ["REASON"]:
                found |= set(texts_of(node.value))
    columns = "|".join(column.name for dataset in Dataset for column in dataset.columns)
    return {re.sub(rf"^(missing|unreadable|negative|newline_in)_({columns})$", r"\1_<column>", one) for one in found}


def texts_of(node: ast.AST) -> Iterator[str]:
    """The reasons that an expression can be: words joined by _, with <column> where a name is filled in."""
    if isinstance(node, ast.IfExp):
        yield from (*texts_of(node.body), *texts_of(node.orelse))
    texts = node.values if isinstance(node, ast.JoinedStr) else [node]
    if all(isinstance(text, ast.Constant | ast.FormattedValue) for text in texts):
        text = "".join(str(text.value) if isinstance(text, ast.Constant) else "<column>" for text in texts)
        if re.fullmatch(r"[a-z0-9<>]+(_[a-z0-9<>]+)+", text):
            yield text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_of_the_code_is_on_the_page(language: str) -> None:
    reasons = reasons_in_the_code()
    assert {"backslash_escape", "newline_in_<column>", "unreadable_<column>", "<column>_out_of_range"} <= reasons
    assert set(REASONS) <= reasons, "a reason that the code does not know"
    text = page(language).read_text(encoding="utf-8").replace("<列>", "<column>")
    assert [reason for reason in sorted(reasons) if f"| `{reason}` |" not in text] == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("skipped", ["empty_rows", "repeated_headers"])
def test_the_counts_of_skipped_lines_are_on_the_page(language: str, skipped: str) -> None:
    assert f"`{skipped}`" in page(language).read_text(encoding="utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_samples_are_a_valid_month(language: str, tmp_path: Path) -> None:
    text = page(language).read_text(encoding="utf-8")
    samples = re.findall(r"`((\w+)/month=2026-10/part-0\.csv)`[:：]\n\n```\n(.*?)```", text, re.DOTALL)
    assert {dataset for _, dataset, _ in samples} == {"agencies", "creators", "orders"}
    for name, _, rows in samples:
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_text(rows, encoding="utf-8")

    findings = Judge(lambda dataset, month: tmp_path / dataset / f"month={month}").findings(Month(2026, 10))

    assert findings.errors == []
    assert "orders: 1 used, 0 duplicate, 0 out of month, 1 flagged, 0 unbound, 0 bad" in findings.counts


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_parquet_sample_is_the_csv_sample_and_has_the_schema_that_is_shown(language: str, tmp_path: Path) -> None:
    text = page(language).read_text(encoding="utf-8")
    (schema,) = re.findall(r"```\n(order_id +BYTE_ARRAY.*?)```", text, re.DOTALL)
    (query,) = re.findall(r"```sql\n(COPY.*?)```", text, re.DOTALL)
    (rows,) = re.findall(r"```\n(order_id,.*?)```", text, re.DOTALL)
    path = tmp_path / "part-0.parquet"
    csv = tmp_path / "part-0.csv"
    csv.write_text(rows, encoding="utf-8")
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'Asia/Shanghai'")
        connection.execute(query.replace("orders/month=2026-10/part-0.parquet", str(path)))
        stored = connection.execute(f"SELECT name, type, logical_type FROM parquet_schema('{path}')").fetchall()[1:]
        assert [line.split()[:2] for line in schema.splitlines()] == [[name, kind] for name, kind, _ in stored]
        assert "isAdjustedToUTC=1" in {name: logical for name, _, logical in stored}["pay_time"]
        columns = "order_id, creator_id, epoch(pay_time::TIMESTAMPTZ), pay_amount::BIGINT, risk_tag"
        both = [
            connection.execute(f"SELECT {columns} FROM {source} ORDER BY order_id").fetchall()
            for source in (f"'{path}'", f"read_csv('{csv}', all_varchar = true)")
        ]
    assert both[0] == both[1]
    assert len(both[0]) == 2


def test_both_languages_show_the_same_queries() -> None:
    queries = [
        re.findall(r"```sql\n.*?```", page(language).read_text(encoding="utf-8"), re.DOTALL) for language in LANGUAGES
    ]
    assert queries[0] == queries[1]
    assert len(queries[0]) == 5


def test_messages_and_the_readme_name_the_pages() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for language in LANGUAGES:
        assert f"docs/extracts.{language}.md" in FORMATS_PAGE
        assert f"docs/extracts.{language}.md" in readme
