"""The committed pages are what their sources give today, small enough for a phone, and typed by today's API."""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT

PAGES = ROOT / "pages"
KIB = 1024


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages, built again from nothing but their sources."""
    if shutil.which("npm") is None:
        pytest.skip("no npm on this machine")
    house = tmp_path_factory.mktemp("house")
    copy = house / "pages"
    shutil.copytree(PAGES, copy, ignore=shutil.ignore_patterns("node_modules", "dist"))
    (house / "config").mkdir()
    shutil.copy(ROOT / "config" / "openapi.json", house / "config")
    for command in (
        ["npm", "ci", "--no-audit", "--no-fund"],
        *(["npm", "run", it] for it in ("types", "check", "build")),
    ):
        done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False, timeout=600)
        assert done.returncode == 0, done.stdout + done.stderr
    return copy


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_the_committed_bundle_is_what_a_fresh_build_gives(built: Path) -> None:
    committed, fresh = contents(PAGES / "dist"), contents(built / "dist")
    assert committed.keys() == fresh.keys()
    assert [name for name in fresh if fresh[name] != committed[name]] == []


def test_the_types_are_those_of_the_committed_description(built: Path) -> None:
    types = Path("src/api/schema.d.ts")
    assert (built / types).read_text("utf-8") == (PAGES / types).read_text("utf-8")


@pytest.mark.parametrize(
    ("script", "most"), [("levels.js", 20 * KIB), ("console.js", 45 * KIB)], ids=["apps", "console"]
)
def test_what_a_phone_loads_is_small_and_one_file(script: str, most: int) -> None:
    content = (PAGES / "dist" / script).read_bytes()
    assert len(gzip.compress(content, 9)) <= most
    assert not re.search(rb"""\bfrom\s*["']|\bimport\s*["'(]""", content)


def test_no_file_names_a_registry() -> None:
    locked = (PAGES / "package-lock.json").read_text("utf-8")
    assert '"resolved"' not in locked
    assert '"integrity"' in locked
