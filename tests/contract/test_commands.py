"""Commands: each of them answers a mistake in one line, because it runs behind the same edge."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from local.cloud.template import ROOT

# Programs of the project itself, which nobody starts by hand: their callers answer people.
BY_PROGRAMS = {"bench/contestants.py", "bench/lookup.py", "local/cloud/embedded.py", "local/cloud/seed.py"}


def started_as_main(path: Path) -> list[ast.stmt]:
    """What a module does when it is run."""
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.If) and "__main__" in ast.unparse(statement.test):
            return statement.body
    return []


MODULES = {
    path.relative_to(ROOT).as_posix(): started
    for folder in ("local", "tools", "bench")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if (started := started_as_main(path))
}
COMMANDS = sorted(MODULES.keys() - BY_PROGRAMS)


def test_the_programs_that_nobody_starts_are_there() -> None:
    assert MODULES.keys() >= BY_PROGRAMS


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_runs_behind_the_edge_that_answers_mistakes(command: str) -> None:
    assert ast.unparse(MODULES[command][-1]) in ("run(main)", "run_this(main)")


@pytest.mark.parametrize("command", COMMANDS)
def test_wrong_usage_is_one_line_that_names_the_help(command: str) -> None:
    module = command.removesuffix(".py").replace("/", ".").removesuffix(".__main__")
    answer = subprocess.run(
        [sys.executable, "-m", module, "--no-such-option"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 2
    assert answer.stderr.count("\n") == 1, answer.stderr
    assert "--help" in answer.stderr
