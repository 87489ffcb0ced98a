"""The arrows of the architecture: which room may import which. Reads the source, so nothing needs to be imported."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

R = "functions.rating"
ARROWS: dict[str, tuple[str, ...]] = {
    # the rating function, from the entry down: a room, and the rooms that it may import beside itself and shared
    f"{R}.app": (
        f"{R}.wiring",
        f"{R}.scratch",
        f"{R}.commands",
        f"{R}.publication",
        f"{R}.console",
        f"{R}.sheet_console",
        f"{R}.status",
        f"{R}.versions",
        f"{R}.services",
        f"{R}.events",
        f"{R}.measuring",  # "still being measured" is an answer, not an error
        f"{R}.monitoring",
        f"{R}.progress",
        f"{R}.result",
        f"{R}.workbook",
        f"{R}.workbook.google",
    ),
    f"{R}.monitoring": (f"{R}.services", f"{R}.events"),
    f"{R}.wiring": (
        f"{R}.services",
        f"{R}.progress",
        f"{R}.workbook",
        f"{R}.workbook.google",
        f"{R}.publication",
        f"{R}.extracts",
        f"{R}.measuring",
        f"{R}.measuring.embedded",
        f"{R}.measuring.spark",
    ),
    f"{R}.sheet_console": (f"{R}.status", f"{R}.services", f"{R}.events", f"{R}.workbook"),
    f"{R}.status": (f"{R}.services", f"{R}.publication", f"{R}.workbook"),
    f"{R}.versions": (f"{R}.services", f"{R}.publication", f"{R}.workbook"),
    f"{R}.console": (f"{R}.services", f"{R}.events", f"{R}.workbook"),
    f"{R}.commands": (
        f"{R}.services",
        f"{R}.result",
        f"{R}.garbage",
        f"{R}.scratch",  # errors of the machine are reported where a month is measured
        f"{R}.run",
        f"{R}.extracts",
        f"{R}.measuring",
        f"{R}.publication",
        f"{R}.workbook",
    ),
    f"{R}.services": (
        f"{R}.progress",
        f"{R}.run",
        f"{R}.extracts",
        f"{R}.measuring",
        f"{R}.publication",
        f"{R}.workbook",
    ),
    f"{R}.publication": (f"{R}.progress", f"{R}.run", f"{R}.workbook", f"{R}.measuring", f"{R}.garbage"),
    f"{R}.result": (f"{R}.run",),
    f"{R}.run": (f"{R}.measuring", f"{R}.garbage"),
    f"{R}.measuring.embedded": (f"{R}.measuring", f"{R}.extracts", f"{R}.progress", f"{R}.garbage"),
    f"{R}.measuring.spark": (f"{R}.measuring", f"{R}.measuring.embedded", f"{R}.extracts"),  # the reader, in each task
    f"{R}.measuring": (f"{R}.extracts", f"{R}.progress", f"{R}.garbage"),
    f"{R}.extracts": (),
    f"{R}.workbook.google": (f"{R}.workbook",),
    f"{R}.workbook": (f"{R}.run",),  # cases are tried by the rules
    f"{R}.events": (),
    f"{R}.progress": (),
    f"{R}.garbage": (),
    f"{R}.scratch": (),
    # the lookup function
    "functions.lookup": (),
    # the function behind the console; it shares the gateway with the lookup, not code: only one of them may decide
    "functions.operations": (),
    "shared": (),
    # beside the functions
    "local.sample": (),
    "local.cloud": ("functions", "local.sample", "local.commandline"),
    "local.commandline": (),
    "local.own_files": ("functions", "local.cloud", "local.commandline"),
    "local.demo": ("functions", "local.sample", "local.cloud", "local.commandline", "local.own_files"),
    "local": ("functions", "local.sample", "local.cloud", "local.commandline", "local.own_files", "local.demo"),
    "tools": ("functions", "local.cloud", "local.commandline"),
    "bench": ("functions", "local.cloud", "local.commandline", "tools", "tests"),
}
"""Every room (package or module) with the rooms that it may import. Any other import between rooms is an error."""

PURE = (
    "shared/levels.py",
    "shared/months.py",
    "shared/reasons.py",
    "functions/rating/run/rules.py",
    "functions/rating/run/guardrails.py",
    "functions/rating/run/standings.py",
    "functions/rating/run/movers.py",
    "functions/rating/run/distribution.py",
    "functions/rating/measuring/totals.py",
    "functions/rating/measuring/assemble.py",
    "functions/rating/workbook/rulebook.py",
)


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
def test_deployed_code_never_imports_code_that_is_not_deployed(outsider: str) -> None:
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


def room_of(module: str) -> str | None:
    """The innermost room that a module is in."""
    return max((room for room in ARROWS if module == room or module.startswith(f"{room}.")), key=len, default=None)


def own_modules() -> dict[str, Path]:
    folders = ("functions", "shared", "local", "tools", "bench")
    paths = [path for folder in folders for path in sources(folder)]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


def test_every_module_is_in_a_room() -> None:
    assert not [module for module, path in own_modules().items() if room_of(module) is None and path.stat().st_size]


def importable(room: str) -> set[str]:
    """The rooms that a room may import: those named, without the rooms inside them; "functions" means all functions."""
    named = set(ARROWS[room])
    return named | ({other for other in ARROWS if other.startswith("functions.")} if "functions" in named else set())


@pytest.mark.parametrize("room", ARROWS)
def test_a_room_imports_only_what_its_arrows_name(room: str) -> None:
    allowed = {room, "shared", *importable(room)}
    wrong = {
        (module, name)
        for module, path in own_modules().items()
        if room_of(module) == room
        for name in imports(path)
        if name.split(".")[0] in ("functions", "shared", "local", "tools", "bench", "tests")
        and (room_of(name) or name.split(".")[0]) not in allowed
    }
    assert not wrong


def test_the_arrows_have_no_circle() -> None:
    """No room can be reached from the rooms that it may import."""

    def reach(room: str, seen: frozenset[str]) -> frozenset[str]:
        for other in (importable(room) & ARROWS.keys()) - seen:
            seen = reach(other, seen | {other})
        return seen

    assert not [room for room in ARROWS if room in reach(room, frozenset())]


def test_modules_import_one_another_without_a_circle() -> None:
    modules = own_modules()
    graph = {m: {n for n in imports(p) if n in modules and n != m} for m, p in modules.items()}
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join((*path, module))
        if module not in done:
            for other in sorted(graph[module]):
                visit(other, (*path, module))
            done.add(module)

    for module in sorted(graph):
        visit(module, ())


def test_the_pure_modules_of_shared_do_no_input_or_output() -> None:
    for module in ("shared/levels.py", "shared/months.py", "functions/rating/run/rules.py"):
        assert not set(imports(ROOT / module)) & {"os", "io", "pathlib", "socket", "subprocess", "urllib.request"}


@pytest.mark.parametrize("module", ["views", "binding_slots"])
def test_the_modules_that_build_answers_import_only_shared_values_and_the_contract(module: str) -> None:
    """They are not in PURE, since the contract's types use pydantic."""
    names = set(imports(ROOT / f"functions/lookup/{module}.py"))
    foreign = {name for name in names if name.split(".")[0] not in sys.stdlib_module_names}
    assert all(name == "functions.lookup" or name.startswith("shared.") for name in foreign)
    assert not names & {"os", "io", "pathlib", "socket", "subprocess", "urllib.request"}


@pytest.mark.parametrize("module", ["gspread", "google"])
def test_only_the_google_room_imports_googles_libraries(module: str) -> None:
    assert importers(module)
    assert all(path.startswith("functions/rating/workbook/google/") for path in importers(module))


@pytest.mark.parametrize("module", ["duckdb", "numpy", "isal"])
def test_only_the_embedded_engine_imports_its_libraries(module: str) -> None:
    assert importers(module)
    assert all(path.startswith("functions/rating/measuring/embedded/") for path in importers(module))


def test_one_object_can_be_read_without_the_engine_that_measures() -> None:
    """Spark's tasks run the reader of files without the embedded engine: the reader imports nothing of the engine."""
    room = "functions.rating.measuring.embedded.reading"
    outside = {
        name
        for path in sources("functions/rating/measuring/embedded/reading")
        for name in imports(path)
        if name.startswith("functions.rating.measuring.embedded") and not name.startswith(room)
    }
    assert outside <= {"functions.rating.measuring.embedded.sql", "functions.rating.measuring.embedded.duckdb_engine"}


@pytest.mark.parametrize("heavy", ["gspread", "google", "duckdb", "numpy", "jinja2", "isal"])
def test_only_the_rating_function_imports_heavy_libraries(heavy: str) -> None:
    assert not [path for path in importers(heavy) if not path.startswith("functions/rating/")]


def is_own(name: str) -> bool:
    return name.startswith(("functions.", "shared."))


def file_of(name: str) -> str:
    path = name.replace(".", "/")
    return f"{path}.py" if (ROOT / f"{path}.py").exists() else f"{path}/__init__.py"
