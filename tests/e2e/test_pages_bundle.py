"""The committed pages equal a fresh build, are small enough for a phone, and have the types of the current API."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT

PAGES = ROOT / "pages"
KIB = 1024


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_the_committed_bundle_equals_a_fresh_build(built_pages: Path) -> None:
    committed, fresh = contents(PAGES / "dist"), contents(built_pages / "dist")
    assert committed.keys() == fresh.keys()
    assert [name for name in fresh if fresh[name] != committed[name]] == []


def test_the_types_are_those_of_the_committed_description(built_pages: Path) -> None:
    for types in (Path("src/api/schema.d.ts"), Path("src/api/operations.d.ts")):
        assert (built_pages / types).read_text("utf-8") == (PAGES / types).read_text("utf-8")


@pytest.mark.parametrize(
    ("script", "most"), [("levels.js", 20 * KIB), ("console.js", 45 * KIB)], ids=["apps", "console"]
)
def test_a_phone_loads_one_small_script(script: str, most: int) -> None:
    content = (PAGES / "dist" / script).read_bytes()
    assert len(gzip.compress(content, 9)) <= most
    assert not re.search(rb"""\bfrom\s*["']|\bimport\s*["'(]""", content)


def test_no_file_names_a_registry() -> None:
    locked = (PAGES / "package-lock.json").read_text("utf-8")
    assert '"resolved"' not in locked
    assert '"integrity"' in locked
