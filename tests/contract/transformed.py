"""The template as CloudFormation gets it, after the serverless transform, and functions that read it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SAM_PYTHON = ROOT / ".venv" / "sam" / "bin" / "python"

Resource = dict[str, Any]


def template() -> dict[str, Any]:
    """The transformed template; references to parameters stay references."""
    return transformed("us-east-1")


@cache
def transformed(region: str, *parameters: str) -> dict[str, Any]:
    """The template as the transform makes it in a region. ``parameters``: further ones, as ``Name=value``."""
    if not SAM_PYTHON.exists():
        raise FileNotFoundError(f"{SAM_PYTHON} is absent: the SAM CLI is not installed. Run build/setup.sh sam")
    command = [str(SAM_PYTHON), str(ROOT / "build" / "transform.py"), str(ROOT / "template.yaml")]
    command += ["JwtIssuer=https://issuer.example", "JwtAudience=levels", *parameters]
    environment = os.environ | {"AWS_DEFAULT_REGION": region}
    answer = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, env=environment)
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def resource(name: str) -> Resource:
    found: Resource = template()["Resources"][name]
    return found


def properties(name: str) -> Resource:
    found: Resource = resource(name)["Properties"]
    return found


def paths() -> dict[str, Any]:
    """Every path of the API with its operations, also those that a parameter can switch off."""
    found: dict[str, Any] = properties("Api")["Body"]["paths"]
    return {path: methods["Fn::If"][1] if "Fn::If" in methods else methods for path, methods in found.items()}


def of_type(kind: str) -> dict[str, Resource]:
    """The properties of every resource of a type, by logical id."""
    return {name: found["Properties"] for name, found in template()["Resources"].items() if found["Type"] == kind}


def statements() -> Iterator[tuple[str, Resource]]:
    """Every statement of every role's own policies, with the role's logical id."""
    for name, role in of_type("AWS::IAM::Role").items():
        for policy in role.get("Policies", ()):
            for statement in policy["PolicyDocument"]["Statement"]:
                # Of a conditional statement, the statement that applies if the condition is true.
                yield name, statement["Fn::If"][1] if "Fn::If" in statement else statement


def listed(value: Any) -> list[Any]:
    """A list, also where IAM accepts a single value instead."""
    return value if isinstance(value, list) else [value]


def environment(function: str) -> dict[str, Any]:
    """The variables that a function is given."""
    variables: dict[str, Any] = properties(function)["Environment"]["Variables"]
    return variables
