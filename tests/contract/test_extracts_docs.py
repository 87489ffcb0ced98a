"""The pages of formats say what the code reads: columns, forms, reasons; their samples are a valid month."""

from __future__ import annotations

import re
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from functions.rating.extracts.datasets import FORMATS_PAGE
from functions.rating.measuring.expected import REASONS
from shared.months import Month
from shared.settings import DEFAULT_ZONE
from tools.check_extracts import judge
from tools.docs.extracts_docs import LANGUAGES, ROOT, page, rendered


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_tables_are_those_of_the_code(language: str) -> None:
    text = page(language).read_text(encoding="utf-8")
    assert text == rendered(text, language), "run: make docs"
    assert all(f"| `{reason}` |" in text for reason in REASONS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_samples_are_a_valid_month(language: str, tmp_path: Path) -> None:
    text = page(language).read_text(encoding="utf-8")
    samples = re.findall(r"`((\w+)/month=2026-10/part-0\.csv)`[:：]\n\n```\n(.*?)```", text, re.DOTALL)
    assert {dataset for _, dataset, _ in samples} == {"agencies", "creators", "orders"}
    for name, _, rows in samples:
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_text(rows, encoding="utf-8")

    findings = judge(tmp_path, Month(2026, 10), ZoneInfo(DEFAULT_ZONE))

    assert findings.errors == []
    assert "orders: 1 used, 0 duplicate, 0 out of month, 1 flagged, 0 unbound, 0 bad" in findings.counts


def test_both_languages_show_the_same_queries() -> None:
    queries = [
        re.findall(r"```sql\n.*?```", page(language).read_text(encoding="utf-8"), re.DOTALL) for language in LANGUAGES
    ]
    assert queries[0] == queries[1]
    assert len(queries[0]) == 4


def test_messages_and_the_readme_lead_to_the_pages() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for language in LANGUAGES:
        assert f"docs/extracts.{language}.md" in FORMATS_PAGE
        assert f"docs/extracts.{language}.md" in readme
