"""The runbook explains every error that can end a run of the rating function, in both languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.errors import LevelsError

DOCS = Path(__file__).parents[2] / "docs"


def raised(error: type[Exception]) -> Iterator[str]:
    """The names of the errors that are raised: the classes without subclasses."""
    subclasses = [one for one in error.__subclasses__() if one.__module__ == LevelsError.__module__]
    if not subclasses:
        yield error.__name__
    for one in subclasses:
        yield from raised(one)


@pytest.mark.parametrize("page", ["runbook.en.md", "runbook.zh.md"])
def test_each_error_has_its_row(page: str) -> None:
    rows = re.findall(r"^\| (`[A-Z].*?) \|", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(name for row in rows for name in re.findall(r"`(\w+)`", row)) == sorted(raised(LevelsError))
