"""Environment variables: the template gives each function exactly what its code reads."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

import pytest

from shared import settings
from tests.contract.transformed import ROOT, environment

POWERTOOLS = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_LOG_LEVEL"}  # read by the logger and the metrics
BOTO3 = {"AWS_ENDPOINT_URL"}  # read by every client


class Recorder(Mapping[str, str]):
    """An environment that has whatever is asked for, and remembers what that was."""

    VALUES: ClassVar = {"WORKBOOK": "dir:config/workbook", "TIMEZONE": "Asia/Shanghai", "RETENTION_MONTHS": "25"}

    def __init__(self) -> None:
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return self.VALUES.get(name, "s3://bucket/prefix")

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def read_by(function: str) -> set[str]:
    """What a function's settings ask the environment for."""
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "functions" / function).glob("*.py"))
    recorder = Recorder()
    for name, found in inspect.getmembers(settings, inspect.isclass):
        if hasattr(found, "from_environment") and name in source:
            found.from_environment(recorder)
    return recorder.asked


@pytest.mark.parametrize(("function", "logical_id"), [("rating", "RatingFunction"), ("lookup", "LookupFunction")])
def test_a_function_is_given_every_variable_that_it_reads_and_no_other(function: str, logical_id: str) -> None:
    assert set(environment(logical_id)) == read_by(function) | POWERTOOLS | BOTO3


@pytest.mark.parametrize("path", sorted((ROOT / "functions").rglob("*.py")) + sorted((ROOT / "shared").glob("*.py")))
def test_the_environment_is_read_through_the_settings_only(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        assert not (isinstance(node, ast.Attribute) and node.attr == "getenv"), path
        if isinstance(node, (ast.Subscript, ast.Attribute)) and ast.unparse(node.value) == "os.environ":
            pytest.fail(f"{path}: {ast.unparse(node)}; let shared/settings.py read it")


def test_the_endpoint_is_declared_so_that_local_runs_can_set_it() -> None:
    for function in ("RatingFunction", "LookupFunction"):
        assert environment(function)["AWS_ENDPOINT_URL"] == ""
