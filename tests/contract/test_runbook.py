"""The runbook knows every error that the rating function may end with, in both languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.errors import LevelsError

DOCS = Path(__file__).parents[2] / "docs"


def causes(error: type[Exception]) -> Iterator[str]:
    """The types that are raised: those of which there are no more special ones."""
    more_special = [one for one in error.__subclasses__() if one.__module__ == LevelsError.__module__]
    if not more_special:
        yield error.__name__
    for one in more_special:
        yield from causes(one)


@pytest.mark.parametrize("page", ["runbook.en.md", "runbook.zh.md"])
def test_each_error_has_its_row(page: str) -> None:
    rows = re.findall(r"^\| (`[A-Z].*?) \|", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(name for row in rows for name in re.findall(r"`(\w+)`", row)) == sorted(causes(LevelsError))
