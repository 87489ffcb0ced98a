"""The arrows of the architecture: who may import whom. Walks the source, so nothing needs to be imported."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PURE = (
    "shared/levels.py",
    "shared/months.py",
    "functions/rating/rules.py",
    "functions/rating/workbook/rulebook.py",
    "functions/lookup/views.py",
)

BESIDE_THE_RUN = ("functions.rating.collector", "functions.rating.rules", "functions.rating.stages")


def imports(path: Path) -> Iterator[str]:
    """The dotted name of every module that a file imports, also inside functions and `if TYPE_CHECKING`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative imports hide where things live"
            yield node.module or ""


def sources(folder: str) -> list[Path]:
    found = sorted((ROOT / folder).rglob("*.py"))
    assert found, folder
    return found


def importers(module: str) -> set[str]:
    """Files below functions/ and shared/ that import a module or something in it."""
    return {
        path.relative_to(ROOT).as_posix()
        for folder in ("functions", "shared")
        for path in sources(folder)
        if any(name == module or name.startswith(f"{module}.") for name in imports(path))
    }


def test_shared_never_imports_a_function() -> None:
    assert not [path for path in importers("functions") if path.startswith("shared/")]


def test_the_functions_never_import_each_other() -> None:
    assert not [path for path in importers("functions.lookup") if path.startswith("functions/rating/")]
    assert not [path for path in importers("functions.rating") if path.startswith("functions/lookup/")]


@pytest.mark.parametrize("outsider", ["local", "tests", "bench", "moto", "rich", "waitress"])
def test_what_is_deployed_never_imports_what_is_not(outsider: str) -> None:
    assert importers(outsider) == set()


@pytest.mark.parametrize("module", PURE)
def test_pure_modules_import_the_standard_library_and_shared_only(module: str) -> None:
    reached, unvisited = set(), {module}
    while unvisited:
        reached |= unvisited
        names = {name for path in unvisited for name in imports(ROOT / path)}
        foreign = {name for name in names if not is_own(name) and name.split(".")[0] not in sys.stdlib_module_names}
        assert not foreign, f"{module} reaches {foreign}"
        unvisited = {file_of(name) for name in names if is_own(name)} - reached
    home = "/".join(module.split("/")[:2])
    assert all(path.startswith(("shared/", home)) for path in reached)


def test_what_computes_a_run_knows_nothing_of_publishing_it() -> None:
    """Of the packages only publication may know the run; extracts and workbook stand on their own."""
    for package in ("extracts", "workbook"):
        reached = {name for path in sources(f"functions/rating/{package}") for name in imports(path)}
        of_the_run = {name for name in reached if name.startswith("functions.rating.")}
        assert all(name.startswith(f"functions.rating.{package}") or name in BESIDE_THE_RUN for name in of_the_run)


def test_the_pure_modules_of_shared_do_no_input_or_output() -> None:
    for module in ("shared/levels.py", "shared/months.py", "functions/rating/rules.py"):
        assert not set(imports(ROOT / module)) & {"os", "io", "pathlib", "socket", "subprocess", "urllib.request"}


def test_only_the_sheet_modules_know_google() -> None:
    assert all(path.startswith("functions/rating/workbook/sheet") for path in importers("gspread"))
    others = [path for path in importers("google") if not path.startswith("functions/rating/workbook/sheet")]
    assert others == ["functions/rating/workbook/google_identity.py"]


def test_only_measuring_knows_the_analytical_engine() -> None:
    assert importers("duckdb") <= {"functions/rating/extracts/measure.py"}
    assert importers("nanoarrow") == {"functions/rating/extracts/handover.py"}


@pytest.mark.parametrize("heavy", ["gspread", "google", "duckdb", "numpy", "jinja2", "isal", "nanoarrow"])
def test_the_lookup_function_carries_nothing_heavy(heavy: str) -> None:
    assert not [path for path in importers(heavy) if not path.startswith("functions/rating/")]


def is_own(name: str) -> bool:
    return name.startswith(("functions.", "shared."))


def file_of(name: str) -> str:
    path = name.replace(".", "/")
    return f"{path}.py" if (ROOT / f"{path}.py").exists() else f"{path}/__init__.py"
