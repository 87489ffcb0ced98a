"""The pages of a deployed stack: the files that make deploy uploads into its bucket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from local.cloud.pages import BUNDLE
from local.commandline import UserMistake
from tests.aws import emulated_aws
from tools import pages

STACK, BUCKET = "levels-test", "levels-pages"
PARAMETERS = {"JwtIssuer": "https://login.example.com", "AgencyClaim": "custom:agency_id"}


@pytest.fixture
def region() -> Iterator[None]:
    with emulated_aws(AWS_DEFAULT_REGION="ap-east-1"):
        yield


def create(outputs: dict[str, str]) -> None:
    """A stack with these outputs and the pages' bucket."""
    template = {
        "Parameters": {name: {"Type": "String"} for name in PARAMETERS},
        "Resources": {"PagesBucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": BUCKET}}},
        "Outputs": {name: {"Value": value} for name, value in outputs.items()},
    }
    parameters = [{"ParameterKey": name, "ParameterValue": value} for name, value in PARAMETERS.items()]
    boto3.client("cloudformation").create_stack(
        StackName=STACK, TemplateBody=json.dumps(template), Parameters=parameters
    )


def uploaded() -> dict[str, Any]:
    """The objects in the bucket, by key."""
    s3 = boto3.client("s3")
    listed = s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
    return {one["Key"]: s3.get_object(Bucket=BUCKET, Key=one["Key"]) for one in listed}


@pytest.mark.usefixtures("region")
def test_the_built_files_and_the_sign_in_settings_are_uploaded(capsys: pytest.CaptureFixture[str]) -> None:
    create({"PagesBucketName": BUCKET, "PagesUrl": "https://d1.cloudfront.net", "PagesClientId": "pages-client"})
    assert pages.main(["--stack", STACK]) == 0
    found = uploaded()
    built = {path.name for path in BUNDLE.iterdir() if path.is_file()}
    assert set(found) == built | {"console", "config.json"}
    assert found["levels.js"]["Body"].read() == (BUNDLE / "levels.js").read_bytes()
    assert found["console"]["ContentType"] == found["index.html"]["ContentType"] == "text/html; charset=utf-8"
    assert {one["CacheControl"] for one in found.values()} == {"no-cache"}
    config = json.loads(found["config.json"]["Body"].read())
    assert config == {
        "issuer": "https://login.example.com",
        "client_id": "pages-client",
        "scope": "openid levels.public levels.agency levels.agency.any levels.operate",
        "agency_claim": "custom:agency_id",
    }
    assert "https://d1.cloudfront.net/console" in capsys.readouterr().out


@pytest.mark.usefixtures("region")
def test_a_stack_without_pages_says_how_to_switch_them_on() -> None:
    create({"ApiUrl": "https://api.example.com"})
    with pytest.raises(UserMistake, match="Pages=true"):
        pages.main(["--stack", STACK])
    assert uploaded() == {}
