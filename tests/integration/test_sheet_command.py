"""``make sheet`` as a person calls it."""

from __future__ import annotations

import pytest

from shared.errors import WorkbookUnavailable
from tests.fakes.sheets import FakeSheets
from tools.sheet.__main__ import main


def test_it_says_what_it_built_and_where(capsys: pytest.CaptureFixture[str]) -> None:
    google = FakeSheets()
    google.book("key-1", {"Sheet1": []})
    assert main(["key-1", "--lang", "en"], google.client()) == 0
    said = capsys.readouterr().out
    assert "levels、metrics、thresholds" in said
    assert "all of its numbers are invented" in said
    assert "https://docs.google.com/spreadsheets/d/key-1/edit" in said
    assert main(["key-1"], google.client()) == 0
    assert "data cells were left alone" in capsys.readouterr().out


def test_a_key_of_no_spreadsheet_is_named() -> None:
    with pytest.raises(WorkbookUnavailable, match="there is no such spreadsheet"):
        main(["nowhere"], FakeSheets().client())
