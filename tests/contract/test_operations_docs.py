"""The guides for operations agree with the description: every tab, column, setting and fault, in both languages."""

from __future__ import annotations

import re

import pytest

from functions.rating.workbook.cells import Language
from tests.workbooks import DESCRIPTION
from tools.docs.operations_docs import LANGUAGES, page, rendered


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_tables_of_the_guide_are_generated_from_the_description(language: Language) -> None:
    text = page(language).read_text(encoding="utf-8")
    assert text == rendered(text, DESCRIPTION, language), "run: make docs"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_guide_has_every_fault_tab_and_setting(language: Language) -> None:
    text = page(language).read_text(encoding="utf-8")
    for code, fault in DESCRIPTION.faults.items():
        assert f"| `{code}` |" in text
        assert getattr(fault.fix, language) in text
    for tab in DESCRIPTION.tabs:
        assert f"### {getattr(tab.title, language)} (" in text
        assert all(getattr(column.note, language) in text for column in tab.columns)
    assert all(f"| `{setting}` |" in text for setting in DESCRIPTION.settings)


@pytest.mark.parametrize("language", LANGUAGES)
def test_both_languages_of_the_description_are_written(language: Language) -> None:
    for fault in DESCRIPTION.faults.values():
        for text in (fault.means, fault.expected, fault.fix):
            written = getattr(text, language)
            assert written
            assert bool(re.search(r"[\u4e00-\u9fff]", written)) == (language == "zh")
            assert set(re.findall(r"{(\w+)}", text.en)) == set(re.findall(r"{(\w+)}", text.zh))
