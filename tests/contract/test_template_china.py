"""The template in the partition of mainland China: its ARNs and addresses, and what can be switched off there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.transformed import ROOT, transformed

SECTION = (ROOT / "docs" / "deploy.md").read_text("utf-8").partition("## For users in mainland China")[2]
SET = dict(word.split("=", 1) for word in re.findall(r'SET="([^"]*)"', SECTION)[0].split())


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    """The template as the serverless transform makes it in Beijing, with the parameters that the guide names."""
    return transformed("cn-north-1", *(f"{name}={value}" for name, value in SET.items()))


def texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for value in node.values():
            yield from texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from texts(value)


def test_every_arn_names_the_partition_of_the_stack(template: dict[str, Any]) -> None:
    arns = [text for text in texts(template["Resources"]) if "arn:" in text]
    assert [text for text in arns if re.search(r"arn:(?!aws-cn:|\$\{AWS::Partition\}:)", text)] == []
    assert any("arn:aws-cn:" in text for text in arns)  # those that the transform makes itself


def test_no_address_of_the_other_partition_is_written_down(template: dict[str, Any]) -> None:
    """Names of services, such as lambda.amazonaws.com, are the same in both."""
    named = {text for text in texts(template["Resources"]) if "amazonaws.com" in text}
    assert {text for text in named if not re.fullmatch(r"[a-z0-9.-]+\.amazonaws\.com(\.cn)?", text)} == set()


def test_the_guide_sets_existing_parameters_to_allowed_values(template: dict[str, Any]) -> None:
    assert {"SnapStart", "Tracing", "OpenRoutes", "Workbook"} == SET.keys()
    for name, value in SET.items():
        assert value in template["Parameters"][name].get("AllowedValues", [value]), name
    tabled = re.findall(r"^\| .*? \| .*?`(\w+)(?:=[^`]*)?`", SECTION, re.MULTILINE)
    assert set(tabled) <= template["Parameters"].keys()


def test_cloudfront_and_open_routes_are_switched_off(template: dict[str, Any]) -> None:
    parameters = {name: found.get("Default", "") for name, found in template["Parameters"].items()} | SET
    assert template["Conditions"]["HasPages"] == {"Fn::Equals": [{"Ref": "Pages"}, "true"]}
    assert template["Conditions"]["HasOpenRoutes"] == {"Fn::Equals": [{"Ref": "OpenRoutes"}, "true"]}
    assert (parameters["Pages"], parameters["OpenRoutes"]) == ("false", "false")
    of_pages = {name: one for name, one in template["Resources"].items() if "CloudFront" in one["Type"]}
    assert of_pages
    assert {one.get("Condition") for one in of_pages.values()} == {"HasPages"}
    paths = template["Resources"]["Api"]["Properties"]["Body"]["paths"]
    open_paths = {path for path, methods in paths.items() if "Fn::If" in methods}
    assert open_paths == {"/healthz", "/$default"}
    for path in open_paths:
        assert paths[path]["Fn::If"][0] == "HasOpenRoutes"
        assert paths[path]["Fn::If"][2] == {"Ref": "AWS::NoValue"}
    secured = [json.dumps(paths[path]) for path in paths.keys() - open_paths]
    assert all('"security"' in path for path in secured)


def test_lookups_start_without_a_snapshot_and_nothing_is_traced(template: dict[str, Any]) -> None:
    functions = [one["Properties"] for one in template["Resources"].values() if one["Type"] == "AWS::Lambda::Function"]
    modes = [function.get("TracingConfig", {}).get("Mode") for function in functions]
    assert all(mode in (None, {"Ref": "Tracing"}, "PassThrough") for mode in modes)
    applied = [function["SnapStart"]["ApplyOn"] for function in functions if "SnapStart" in function]
    assert applied
    assert all(value in ({"Ref": "SnapStart"}, "None") for value in applied)
