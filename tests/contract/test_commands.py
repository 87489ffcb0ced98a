"""Every command reports a user's mistake in one line, because local.commandline starts them all."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from local.cloud.template import ROOT

# Programs that other programs start, not people: their callers report mistakes.
STARTED_BY_PROGRAMS = {"bench/contestants.py", "bench/lookup.py", "local/cloud/embedded.py", "local/cloud/seed.py"}


def main_statements(path: Path) -> list[ast.stmt]:
    """The statements that a module executes when it is run as a program."""
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.If) and "__main__" in ast.unparse(statement.test):
            return statement.body
    return []


MODULES = {
    path.relative_to(ROOT).as_posix(): started
    for folder in ("local", "tools", "bench")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if (started := main_statements(path))
}
COMMANDS = sorted(MODULES.keys() - STARTED_BY_PROGRAMS)


def test_the_programs_that_other_programs_start_exist() -> None:
    assert MODULES.keys() >= STARTED_BY_PROGRAMS


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_started_by_the_function_that_reports_mistakes(command: str) -> None:
    assert ast.unparse(MODULES[command][-1]) in ("run(main)", "run_this(main)")


@pytest.mark.parametrize("command", COMMANDS)
def test_wrong_usage_prints_one_line_that_names_the_help(command: str) -> None:
    module = command.removesuffix(".py").replace("/", ".").removesuffix(".__main__")
    answer = subprocess.run(
        [sys.executable, "-m", module, "--no-such-option"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 2
    assert answer.stderr.count("\n") == 1, answer.stderr
    assert "--help" in answer.stderr
