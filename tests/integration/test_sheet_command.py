"""``make sheet``: what it prints, and how it refuses an unknown key."""

from __future__ import annotations

import pytest

from shared.errors import WorkbookUnavailable
from tests.fakes.sheets import FakeSheets
from tools.sheet.__main__ import main


def test_it_prints_what_it_built_and_where(capsys: pytest.CaptureFixture[str]) -> None:
    google = FakeSheets()
    google.book("key-1", {"Sheet1": []})
    assert main(["key-1", "--lang", "en"], google.client()) == 0
    printed = capsys.readouterr().out
    assert "levels、metrics、thresholds" in printed
    assert "all of its numbers are invented" in printed
    assert "https://docs.google.com/spreadsheets/d/key-1/edit" in printed
    assert main(["key-1"], google.client()) == 0
    assert "data cells were left alone" in capsys.readouterr().out


def test_a_key_without_a_spreadsheet_is_refused() -> None:
    with pytest.raises(WorkbookUnavailable, match="there is no such spreadsheet"):
        main(["nowhere"], FakeSheets().client())
