"""make deploy: SAM asks the first time; later a stack keeps every parameter that is not named."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import NoCredentialsError
from moto import mock_aws

from local.commandline import one_line
from tools import deploy

STACK = "levels-test"
PARAMETERS = {"Architecture": "arm64", "Workbook": "gsheet:the-real-one", "AlarmEmail": "oncall@example.com"}


@pytest.fixture
def cloudformation(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name, value in {"DEFAULT_REGION": "ap-east-1", "ACCESS_KEY_ID": "x", "SECRET_ACCESS_KEY": "x"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    with mock_aws():
        yield boto3.client("cloudformation", region_name="ap-east-1")


def create(cloudformation: Any) -> None:
    """A stack that was deployed with these parameters."""
    template = {
        "Parameters": {name: {"Type": "String"} for name in PARAMETERS},
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
    }
    parameters = [{"ParameterKey": name, "ParameterValue": value} for name, value in PARAMETERS.items()]
    cloudformation.create_stack(StackName=STACK, TemplateBody=json.dumps(template), Parameters=parameters)


def commands(answers: Path, text: str = "") -> list[list[str]]:
    """The commands that deploy runs, with the parameters named in ``text``."""
    seen: list[list[str]] = []

    def run(command: Sequence[str]) -> int:
        seen.append(list(command))
        return 0

    assert deploy.deploy(STACK, deploy.named(text), answers, run) == 0
    return seen


def overrides(command: list[str]) -> dict[str, str]:
    return dict(word.split("=", 1) for word in command[command.index("--parameter-overrides") + 1 :])


@pytest.mark.usefixtures("cloudformation")
def test_the_first_time_sam_asks_and_saves_the_answers_in_a_file_that_git_ignores(tmp_path: Path) -> None:
    build, guided = commands(tmp_path / ".deploy" / "levels-test.toml")
    assert build == ["make", "build", "ARCH=x86_64"]
    assert "--guided" in guided
    assert guided[guided.index("--config-file") + 1] == str(tmp_path / ".deploy" / "levels-test.toml")
    assert ".deploy/" in (deploy.ROOT / ".gitignore").read_text().split()


def test_an_upgrade_asks_nothing_and_sets_only_the_processor(cloudformation: Any, tmp_path: Path) -> None:
    create(cloudformation)
    build, upgrade = commands(tmp_path / "answers.toml")
    assert build == ["make", "build", "ARCH=arm64"]
    assert "--guided" not in upgrade
    assert overrides(upgrade) == {"Architecture": "arm64"}


def test_an_upgrade_changes_only_the_named_parameters(cloudformation: Any, tmp_path: Path) -> None:
    create(cloudformation)
    _, upgrade = commands(tmp_path / "answers.toml", "LookupMemory=2048 Architecture=x86_64")
    assert overrides(upgrade) == {"Architecture": "x86_64", "LookupMemory": "2048"}


@pytest.mark.usefixtures("cloudformation")
def test_saved_answers_are_offered_again_for_a_deleted_stack(tmp_path: Path) -> None:
    answers = tmp_path / "answers.toml"
    saved = 'Architecture=\\"arm64\\" Workbook=\\"gsheet:the-real-one\\"'
    answers.write_text(
        f'[default.deploy.parameters]\nregion = "ap-southeast-1"\nparameter_overrides = "{saved}"\n', encoding="utf-8"
    )
    _, guided = commands(answers, "Workbook=gsheet:another")
    assert guided[guided.index("--region") + 1] == "ap-southeast-1"
    assert overrides(guided) == {"Architecture": "arm64", "Workbook": "gsheet:another"}


def test_a_parameter_that_does_not_exist_is_refused_before_anything_is_built(
    cloudformation: Any,
) -> None:
    create(cloudformation)
    with pytest.raises(deploy.Refused, match=r"no such parameter: LookupMemroy\. The template has AgencyClaim, "):
        deploy.main(["--stack", STACK, "--set", "LookupMemroy=2048"])


def test_missing_credentials_are_reported_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-east-1")
    with pytest.raises(NoCredentialsError) as raised:
        deploy.main(["--stack", STACK])
    assert one_line(raised.value).startswith("AWS credentials: found none.")
