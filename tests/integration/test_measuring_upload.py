"""The code of the Spark job is uploaded into the bucket of a stack that has the job."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from local.commandline import UserMistake
from tests.aws import create_bucket, emulated_aws
from tools.measuring import CODE, upload

BUCKET = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "code"}}


@pytest.fixture
def aws() -> Iterator[None]:
    with emulated_aws():
        yield


def make_stack(*, with_job: bool) -> None:
    create_bucket(boto3.client("s3"), "other")
    outputs = {"MeasuringCodeBucket": {"Value": "other"}} if with_job else {}
    template = {"Resources": {"Code": BUCKET}, "Outputs": outputs}
    boto3.client("cloudformation").create_stack(StackName="levels", TemplateBody=json.dumps(template))


@pytest.mark.usefixtures("aws")
def test_the_code_is_uploaded_into_the_bucket_that_the_stack_names(tmp_path: Path) -> None:
    make_stack(with_job=True)
    for name in CODE:
        (tmp_path / name).write_text(name, encoding="utf-8")

    assert upload("levels", built=tmp_path) == "other"

    listed = boto3.client("s3").list_objects_v2(Bucket="other")["Contents"]
    assert {found["Key"] for found in listed} == set(CODE)


@pytest.mark.usefixtures("aws")
def test_nothing_is_uploaded_for_a_stack_without_the_job(tmp_path: Path) -> None:
    make_stack(with_job=False)

    assert upload("levels", built=tmp_path) is None


@pytest.mark.usefixtures("aws")
def test_without_built_code_the_error_names_the_command_that_builds_it(tmp_path: Path) -> None:
    make_stack(with_job=True)

    with pytest.raises(UserMistake, match=r"no measuring\.gluewheels\.zip and no measure\.py\. Make them: make build"):
        upload("levels", built=tmp_path)
