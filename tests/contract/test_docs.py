"""README, docs/ and CHANGELOG name only commands, parameters, modules and files that exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.transformed import template

ROOT = Path(__file__).parents[2]
PAGES = sorted((*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")))
FOLDERS = "functions|shared|tests|tools|local|config|pages|build|bench|events|docs"


@pytest.fixture(scope="module", params=PAGES, ids=lambda page: page.name)
def text(request: pytest.FixtureRequest) -> str:
    page: Path = request.param
    return page.read_text("utf-8")


def targets() -> set[str]:
    """Every target of the Makefile; invoke-% stands for one of each example event."""
    names = re.findall(r"^([a-z][\w -]*):(?!=)", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    return {name for line in names for name in line.split()} | {f"invoke-{p.stem}" for p in ROOT.glob("events/*.json")}


def test_every_make_command_is_a_target(text: str) -> None:
    named = re.findall(r"(?:`|^)(?:[A-Z_]+=\S+ )?make ([a-z][\w-]*)", text, re.MULTILINE)
    assert set(named) <= targets()


def test_every_parameter_that_is_set_is_one_of_the_template(text: str) -> None:
    named = {name for given in re.findall(r'SET="([^"]*)"', text) for name in re.findall(r"(\w+)=", given)}
    assert named <= set(template()["Parameters"])


def test_every_module_that_is_run_exists(text: str) -> None:
    for module in re.findall(r"python -m ([\w.]+)", text):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), module


def paths(text: str) -> Iterator[str]:
    """Paths from the root, such as ``tests/unit``; <placeholders> are not of this repository."""
    yield from re.findall(rf"(?<![\w/.-])((?:{FOLDERS})/[\w./*-]*\w)(?![\w/]*[<{{…])", text)


def test_every_file_that_is_named_exists(text: str) -> None:
    assert [path for path in paths(text) if not any(ROOT.glob(path))] == []


def test_the_checks_find_what_they_look_for() -> None:
    every = "\n".join(page.read_text("utf-8") for page in PAGES)
    assert {"docs/performance.md", "tests/reference.py", "config/openapi.json"} <= set(paths(every))
    assert "backfill" in targets()
    assert len(re.findall(r'SET="', every)) > 5
