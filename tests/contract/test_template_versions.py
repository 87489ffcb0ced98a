"""A changed parameter makes a new version of the lookup function; changed tags make none, since Lambda refuses it."""

from __future__ import annotations

import json
import re
import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.contract.transformed import ROOT, SAM_PYTHON, environment, of_type, properties, template


def refs(value: Any) -> set[str]:
    """The parameters that a value refers to, by Ref and in Fn::Sub."""
    names = set(re.findall(r'"Ref": "(\w+)"', json.dumps(value)))
    names |= set(re.findall(r"\$\{(\w+)\}", json.dumps(value)))
    return names & set(template()["Parameters"])


@cache
def version_of(source: str) -> tuple[str, Any]:
    """The logical id and the description of the lookup function's version."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "template.yaml"
        path.write_text(source, encoding="utf-8")
        command = [str(SAM_PYTHON), str(ROOT / "build/transform.py"), str(path), "JwtIssuer=https://i", "JwtAudience=a"]
        answer = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    resources = json.loads(answer.stdout)["Resources"]
    ((name, found),) = [(n, r) for n, r in resources.items() if n.startswith("LookupFunctionVersion")]
    return name, found["Properties"]["Description"]


def source() -> str:
    return (ROOT / "template.yaml").read_text("utf-8")


def test_the_versions_description_contains_every_parameter_that_changes_the_function() -> None:
    described = refs(of_type("AWS::Lambda::Version"))
    assert described == refs(properties("LookupFunction"))


def test_a_changed_description_replaces_the_version() -> None:
    """CloudFormation replaces a version whose description changes; its schema says so."""
    # Imported here, since it takes a second of every process that collects tests.
    from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped] # noqa: PLC0415

    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", "AWS::Lambda::Version").schema
    assert "/properties/Description" in schema["createOnlyProperties"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("      Timeout: 10\n", "      Timeout: 11\n"),
        ("POWERTOOLS_SERVICE_NAME: lookup", "POWERTOOLS_SERVICE_NAME: levels"),
    ],
)
def test_a_changed_value_in_the_template_makes_a_new_version(before: str, after: str) -> None:
    assert before in source()
    assert version_of(source())[0] != version_of(source().replace(before, after))[0]


def test_a_change_of_tags_alone_makes_no_version() -> None:
    assert version_of(source()) == version_of(source().replace("mcn-levels}", "another}"))
    assert "Tags" not in template().get("Globals", {}).get("Function", {})
    assert "system=mcn-levels" in (ROOT / "samconfig.toml").read_text("utf-8")


def test_the_description_is_short_enough_for_lambda() -> None:
    text = of_type("AWS::Lambda::Version").popitem()[1]["Description"]["Fn::Sub"]
    longest = {"AwsEndpointUrl": "https://dynamodb.ap-southeast-1.amazonaws.com", "RestoredTable": "t" * 100}
    for name, parameter in template()["Parameters"].items():
        value = longest.get(name) or max(
            map(str, parameter.get("AllowedValues", [parameter.get("Default", "")])), key=len
        )
        text = text.replace("${" + name + "}", value)
    assert len(text) <= 256
    assert "${" not in text


def test_both_functions_read_the_same_table() -> None:
    assert environment("RatingFunction")["TABLE_NAME"] == environment("LookupFunction")["TABLE_NAME"]
