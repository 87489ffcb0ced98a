"""make smoke can fail: a stack that is not as it has to be, and a sheet with faults, are told as such."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from functions.rating.workbook.folder import read_folder
from local.commandline import UserMistake
from tests.aws import create_bucket, emulated_aws
from tests.fakes.sheets import FakeSheets
from tests.workbooks import DESCRIPTION, ROOT
from tools.sheet.builder import build
from tools.smoke import configuration
from tools.smoke.__main__ import check_all, main
from tools.smoke.deployed import Deployed
from tools.smoke.results import Failed, NotProvable, Results
from tools.smoke.sheet import Sheet

PLAIN_HTTP = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": "*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
ALARM: dict[str, Any] = {
    "AlarmName": "held",
    "Namespace": "mcn-levels",
    "MetricName": "Held",
    "Statistic": "Sum",
    "Period": 300,
    "EvaluationPeriods": 1,
    "ComparisonOperator": "GreaterThanThreshold",
    "Threshold": 0,
}
KINDS = {
    "Held": "AWS::CloudWatch::Alarm",
    "FailedRuns": "AWS::SQS::Queue",
    "Extracts": "AWS::S3::Bucket",
    "Log": "AWS::Logs::LogGroup",
}


@pytest.fixture
def aws() -> Iterator[None]:
    with emulated_aws():
        yield


def deployed(denied: dict[str, Any] | None = None, **alarm: Any) -> Deployed:
    """A stack of one of each kind, as it has to be but for what is changed."""
    topic = boto3.client("sns").create_topic(Name="alarms")["TopicArn"]
    boto3.client("cloudwatch").put_metric_alarm(**(ALARM | {"AlarmActions": [topic]} | alarm))
    queue = boto3.client("sqs").create_queue(QueueName="failed-runs")["QueueUrl"]
    create_bucket(boto3.client("s3"), "extracts")
    policy = json.dumps({"Version": "2012-10-17", "Statement": [denied or PLAIN_HTTP]})
    boto3.client("s3").put_bucket_policy(Bucket="extracts", Policy=policy)
    boto3.client("logs").create_log_group(logGroupName="rating")
    boto3.client("logs").put_retention_policy(logGroupName="rating", retentionInDays=90)
    resources = {"Held": "held", "FailedRuns": queue, "Extracts": "extracts", "Log": "rating"}
    template = {"Resources": {name: {"Type": kind, "Properties": {}} for name, kind in KINDS.items()}}
    outputs, parameters = {"AlarmTopicArn": topic}, {"LogRetentionDays": "90"}
    return Deployed(boto3.Session(), "levels", parameters, outputs, template, resources)


@pytest.mark.usefixtures("aws")
class TestAStack:
    def test_as_it_has_to_be_is_proved(self) -> None:
        stack = deployed()
        assert configuration.alarms(stack).startswith("1 alarms, none raised")
        assert configuration.queues(stack) == "FailedRuns"
        assert configuration.logs(stack) == "1 log groups, 90 days"

    def test_an_alarm_that_nobody_hears_fails(self) -> None:
        with pytest.raises(Failed, match="nobody hears of held"):
            configuration.alarms(deployed(AlarmActions=[]))

    def test_an_alarm_that_is_switched_off_fails(self) -> None:
        with pytest.raises(Failed, match="nobody hears of held"):
            configuration.alarms(deployed(ActionsEnabled=False))

    def test_an_alarm_that_somebody_deleted_fails(self) -> None:
        stack = deployed()
        boto3.client("cloudwatch").delete_alarms(AlarmNames=["held"])
        with pytest.raises(Failed, match="not there: held"):
            configuration.alarms(stack)

    def test_an_alarm_that_is_raised_fails_with_its_reason(self) -> None:
        stack = deployed()
        boto3.client("cloudwatch").set_alarm_state(AlarmName="held", StateValue="ALARM", StateReason="2026-10 is held")
        with pytest.raises(Failed, match="2026-10 is held"):
            configuration.alarms(stack)

    def test_a_failed_run_that_waits_in_its_queue_fails(self) -> None:
        stack = deployed()
        boto3.client("sqs").send_message(QueueUrl=stack.resources["FailedRuns"], MessageBody="{}")
        with pytest.raises(Failed, match="'FailedRuns': 1"):
            configuration.queues(stack)

    def test_a_bucket_that_answers_without_tls_fails(self) -> None:
        """moto lets everybody do everything, as a bucket whose policy does not work would."""
        stack = deployed()
        boto3.client("s3").list_objects_v2(Bucket="extracts")
        with pytest.raises(Failed, match="extracts was listed without TLS"):
            configuration.policy(stack, "Extracts")

    def test_a_bucket_whose_policy_denies_nothing_fails(self) -> None:
        with pytest.raises(Failed, match="no statement denies requests without TLS"):
            configuration.policy(deployed(PLAIN_HTTP | {"Condition": {}}), "Extracts")

    def test_logs_without_an_end_fail(self) -> None:
        stack = deployed()
        boto3.client("logs").delete_retention_policy(logGroupName="rating")
        with pytest.raises(Failed, match="kept for ever: rating"):
            configuration.logs(stack)

    def test_a_name_of_no_stack_is_one_line(self) -> None:
        with pytest.raises(UserMistake, match="there is no such stack in cn-north-1"):
            main(["--stack", "nowhere"])


def denied() -> str:
    raise ClientError({"Error": {"Code": "AccessDenied", "Message": "you may not"}}, "GetSchedule")


def broken() -> str:
    raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": "not there"}}, "GetSchedule")


def beyond() -> str:
    raise NotProvable("nobody gave a token")


def test_each_line_is_proved_failed_or_not_provable_and_the_table_says_why() -> None:
    results = Results(lambda _: None)
    for what, look in (("good", lambda: "seen"), ("denied", denied), ("broken", broken), ("beyond", beyond)):
        results.check(what, look)
    assert [(line.what, line.state) for line in results.lines] == [
        ("good", "proved"),
        ("denied", "not provable here"),
        ("broken", "failed"),
        ("beyond", "not provable here"),
    ]
    summary = results.summary()
    assert "proved: 1\n  ✓ good" in summary
    assert "failed: 1\n  ✗ broken: AWS refused GetSchedule: ResourceNotFoundException: not there" in summary
    assert "– beyond: nobody gave a token" in summary


def test_without_a_stack_or_a_sheet_it_says_how_it_is_called(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([])
    assert "make smoke STACK=<name>" in capsys.readouterr().err


class TestASheet:
    def checked(self, google: FakeSheets, key: str = "key-1") -> Results:
        results = Results(lambda _: None)
        check_all(results, Sheet(key, google.client()).checks())
        return results

    def built(self) -> FakeSheets:
        google = FakeSheets()
        google.book("key-1", {"Sheet1": []})
        sheet = Sheet("key-1", google.client())
        build(sheet.sheet(), DESCRIPTION, read_folder(ROOT / "config" / "workbook"), "zh")
        return google

    def test_that_can_be_read_and_written_is_proved_and_left_as_it_was(self) -> None:
        google = self.built()
        before = Sheet("key-1", google.client()).titles()
        results = self.checked(google)
        assert [line.state for line in results.lines] == ["proved"] * 4 + ["not provable here"], results.lines
        assert Sheet("key-1", google.client()).titles() == before

    def test_with_faults_fails_and_names_them(self) -> None:
        google = FakeSheets()
        google.book("key-1", {"等级": [["等级", "名称", "说明"], ["x", "一级", ""]]})
        (failed,) = self.checked(google).of("failed")
        assert failed.what == "sheet: it has no faults"
        assert "等级!A2" in failed.because

    def test_that_is_not_there_fails(self) -> None:
        assert "there is no such spreadsheet" in self.checked(FakeSheets(), "nowhere").of("failed")[0].because
