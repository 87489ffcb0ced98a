"""Environment variables: the template gives each function exactly what its code reads."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from shared import settings
from tests.contract.transformed import ROOT, environment, template

POWERTOOLS = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_LOG_LEVEL"}  # read by the logger and the metrics
ONLY_LOCAL = {"LOCAL_CALLER"}  # for a developer's machine; in the cloud it would give rights to callers without a token
BOTO3 = {"AWS_ENDPOINT_URL"}  # read by every client
GLOBAL = {"STACK"}  # given to every function
FUNCTIONS = [
    ("rating", "RatingFunction"),
    ("lookup", "LookupFunction"),
    ("operations", "OperationsFunction"),
]


def read_by(function: str) -> set[str]:
    """The variables that a function's settings read."""
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "functions" / function).rglob("*.py"))
    used = [found for name, found in inspect.getmembers(settings, inspect.isclass) if re.search(rf"\b{name}\b", source)]
    return {str(field.alias) for found in used if issubclass(found, BaseModel) for field in found.model_fields.values()}


@pytest.mark.parametrize(("function", "logical_id"), FUNCTIONS)
def test_a_function_is_given_every_variable_that_it_reads_and_no_other(function: str, logical_id: str) -> None:
    assert set(environment(logical_id)) == (read_by(function) | POWERTOOLS | BOTO3 | GLOBAL) - ONLY_LOCAL


@pytest.mark.parametrize("path", sorted((ROOT / "functions").rglob("*.py")) + sorted((ROOT / "shared").glob("*.py")))
def test_only_the_settings_read_the_environment_apart_from_lambdas_own_variables(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "getenv" not in text
    names = re.findall(r"os\.environ(?:\.get\(|\[)\s*(.+?)[,)\]]", text)
    assert [name for name in names if not name.startswith('"AWS_LAMBDA_')] == []


def test_the_endpoint_is_the_one_of_aws_unless_it_is_set() -> None:
    for function in ("RatingFunction", "LookupFunction"):
        assert environment(function)["AWS_ENDPOINT_URL"] == {"Ref": "AwsEndpointUrl"}
    assert template()["Parameters"]["AwsEndpointUrl"]["Default"] == ""
