"""make smoke fails for a stack that is not configured as it must be, and for a sheet with faults."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from functions.rating.workbook.folder import read_folder
from local.cloud.template import table_definition
from local.commandline import UserMistake
from tests.aws import TABLE, create_bucket, empty_table, emulated_aws
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
    """A stack with one resource of each kind, valid except for the given policy and alarm properties."""
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
    def test_that_is_valid_is_proved(self) -> None:
        stack = deployed()
        assert configuration.alarms(stack).startswith("1 alarms, none raised")
        assert configuration.queues(stack) == "FailedRuns"
        assert configuration.logs(stack) == "1 log groups, 90 days"

    def test_an_alarm_without_an_action_fails(self) -> None:
        with pytest.raises(Failed, match="nobody hears of held"):
            configuration.alarms(deployed(AlarmActions=[]))

    def test_an_alarm_with_disabled_actions_fails(self) -> None:
        with pytest.raises(Failed, match="nobody hears of held"):
            configuration.alarms(deployed(ActionsEnabled=False))

    def test_a_deleted_alarm_fails(self) -> None:
        stack = deployed()
        boto3.client("cloudwatch").delete_alarms(AlarmNames=["held"])
        with pytest.raises(Failed, match="not there: held"):
            configuration.alarms(stack)

    def test_a_raised_alarm_fails_with_its_reason(self) -> None:
        stack = deployed()
        boto3.client("cloudwatch").set_alarm_state(AlarmName="held", StateValue="ALARM", StateReason="2026-10 is held")
        with pytest.raises(Failed, match="2026-10 is held"):
            configuration.alarms(stack)

    def test_a_failed_run_in_its_queue_fails(self) -> None:
        stack = deployed()
        boto3.client("sqs").send_message(QueueUrl=stack.resources["FailedRuns"], MessageBody="{}")
        with pytest.raises(Failed, match="'FailedRuns': 1"):
            configuration.queues(stack)

    def test_a_bucket_that_answers_without_tls_fails(self) -> None:
        """moto ignores policies, as a bucket with a wrong policy would."""
        stack = deployed()
        boto3.client("s3").list_objects_v2(Bucket="extracts")
        with pytest.raises(Failed, match="extracts was listed without TLS"):
            configuration.policy(stack, "Extracts")

    def test_a_bucket_whose_policy_denies_nothing_fails(self) -> None:
        with pytest.raises(Failed, match="no statement denies requests without TLS"):
            configuration.policy(deployed(PLAIN_HTTP | {"Condition": {}}), "Extracts")

    def test_logs_without_a_retention_fail(self) -> None:
        stack = deployed()
        boto3.client("logs").delete_retention_policy(logGroupName="rating")
        with pytest.raises(Failed, match="kept for ever: rating"):
            configuration.logs(stack)

    def test_that_does_not_exist_is_refused(self) -> None:
        with pytest.raises(UserMistake, match="there is no such stack in cn-north-1"):
            main(["--stack", "nowhere"])


SCHEDULE: dict[str, Any] = {
    "ScheduleExpression": "cron(0/30 2-23 3 * ? *)",
    "ScheduleExpressionTimezone": "Asia/Shanghai",
    "State": "ENABLED",
    "Target": {"Arn": "arn:aws:lambda:cn-north-1:123456789012:function:rating", "Input": '{"mode": "check"}'},
}
ROLE = "arn:aws:iam::123456789012:role/levels"


def client(service: str) -> Any:
    return boto3.client(service)  # type: ignore[call-overload]


def with_resources() -> Deployed:
    """A stack with a valid schedule, table and bucket."""
    scheduler, dynamodb, s3 = (client(name) for name in ("scheduler", "dynamodb", "s3"))
    target = {**SCHEDULE["Target"], "RoleArn": ROLE, "DeadLetterConfig": {"Arn": "arn:aws:sqs:cn-north-1:1:lost"}}
    scheduler.create_schedule(**{**SCHEDULE, "Target": target}, Name="renewal", FlexibleTimeWindow={"Mode": "OFF"})
    empty_table(dynamodb)
    dynamodb.update_table(TableName=TABLE, DeletionProtectionEnabled=True)
    dynamodb.update_time_to_live(TableName=TABLE, TimeToLiveSpecification=table_definition().expiry)
    switch_backups(on=True)
    create_bucket(s3, "extracts")
    block = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    s3.put_public_access_block(Bucket="extracts", PublicAccessBlockConfiguration=dict.fromkeys(block, True))
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    s3.put_bucket_encryption(Bucket="extracts", ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_bucket_versioning(Bucket="extracts", VersioningConfiguration={"Status": "Enabled"})
    expire = {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 800}}
    s3.put_bucket_lifecycle_configuration(Bucket="extracts", LifecycleConfiguration={"Rules": [expire]})
    declared = {**SCHEDULE, "Target": {**SCHEDULE["Target"], "DeadLetterConfig": {}}}
    template = {
        "Resources": {
            "Renewal": {"Type": "AWS::Scheduler::Schedule", "Properties": declared},
            "Extracts": {
                "Type": "AWS::S3::Bucket",
                "Properties": {"VersioningConfiguration": {}, "LifecycleConfiguration": {}},
            },
        }
    }
    resources = {"Renewal": "renewal", "Extracts": "extracts", "LookupFunction": "lookup"}
    return Deployed(boto3.Session(), "levels", {}, {"TableName": TABLE}, template, resources)


def switch_backups(*, on: bool) -> None:
    client("dynamodb").update_continuous_backups(
        TableName=TABLE, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": on}
    )


def change_schedule(**changed: Any) -> None:
    found = client("scheduler").get_schedule(Name="renewal")
    kept = {name: found[name] for name in (*SCHEDULE, "Name", "FlexibleTimeWindow")}
    client("scheduler").update_schedule(**kept | changed)


@pytest.mark.usefixtures("aws")
class TestItsResources:
    def test_that_are_valid_are_proved(self) -> None:
        stack = with_resources()
        assert configuration.schedule(stack, "Renewal") == "cron(0/30 2-23 3 * ? *) Asia/Shanghai, ENABLED"
        assert configuration.table(stack) == "levels, 0 items"
        assert configuration.bucket(stack, "Extracts") == "extracts"

    @pytest.mark.parametrize(
        ("changed", "message"),
        [
            ({"ScheduleExpressionTimezone": "UTC"}, "ScheduleExpressionTimezone is UTC; expected Asia/Shanghai"),
            ({"ScheduleExpression": "rate(1 day)"}, r"ScheduleExpression is rate\(1 day\); expected cron"),
            ({"State": "DISABLED"}, "State is DISABLED; expected ENABLED"),
        ],
    )
    def test_a_changed_schedule_fails(self, changed: dict[str, str], message: str) -> None:
        stack = with_resources()
        change_schedule(**changed)
        with pytest.raises(Failed, match=message):
            configuration.schedule(stack, "Renewal")

    def test_a_schedule_with_another_event_or_without_a_queue_fails(self) -> None:
        stack = with_resources()
        target = client("scheduler").get_schedule(Name="renewal")["Target"]
        change_schedule(Target={**target, "Input": '{"mode": "refresh"}'})
        with pytest.raises(Failed, match=r"it sends \{.mode.: .refresh.\}"):
            configuration.schedule(stack, "Renewal")
        change_schedule(Target={name: value for name, value in target.items() if name != "DeadLetterConfig"})
        with pytest.raises(Failed, match="it has no queue"):
            configuration.schedule(stack, "Renewal")

    def test_a_table_without_protection_backups_or_expiry_fails(self) -> None:
        stack, dynamodb = with_resources(), client("dynamodb")
        dynamodb.update_table(TableName=TABLE, DeletionProtectionEnabled=False)
        with pytest.raises(Failed, match="deletion protection is off"):
            configuration.table(stack)
        switch_backups(on=False)
        with pytest.raises(Failed, match="point-in-time recovery is off"):
            configuration.table(stack)
        off = {"Enabled": False, "AttributeName": "expires_at"}
        dynamodb.update_time_to_live(TableName=TABLE, TimeToLiveSpecification=off)
        with pytest.raises(Failed, match="nothing expires"):
            configuration.table(stack)

    def test_a_bucket_that_is_public_or_has_no_versions_fails(self) -> None:
        stack, s3 = with_resources(), client("s3")
        s3.put_bucket_versioning(Bucket="extracts", VersioningConfiguration={"Status": "Suspended"})
        with pytest.raises(Failed, match="versioning is off"):
            configuration.bucket(stack, "Extracts")
        s3.put_public_access_block(Bucket="extracts", PublicAccessBlockConfiguration={"BlockPublicAcls": True})
        with pytest.raises(Failed, match="public access is not blocked"):
            configuration.bucket(stack, "Extracts")

    def test_a_bucket_whose_objects_do_not_expire_fails(self) -> None:
        stack, results = with_resources(), Results(lambda _: None)
        client("s3").delete_bucket_lifecycle(Bucket="extracts")
        results.check("bucket", lambda: configuration.bucket(stack, "Extracts"))
        assert "NoSuchLifecycleConfiguration" in results.of("failed")[0].because


@dataclass
class AnsweringLambda:
    """Answers about a function's versions. The emulation has no snapshots, and all its versions are equal."""

    live: dict[str, Any]
    last: dict[str, Any]
    version: str = "7"

    def get_alias(self, **_: str) -> dict[str, str]:
        return {"FunctionVersion": self.version}

    def get_function_configuration(self, FunctionName: str, Qualifier: str = "") -> dict[str, Any]:  # noqa: N803 - AWS's
        assert FunctionName == "lookup"
        return self.live if Qualifier else self.last


FUNCTION = {"CodeSha256": "a", "MemorySize": 1024, "Timeout": 10, "Environment": {}, "Architectures": ["arm64"]}


class Answering:
    """A session whose only client is that one."""

    def __init__(self, client: AnsweringLambda) -> None:
        self._client = client

    def client(self, *_: Any, **__: Any) -> AnsweringLambda:
        return self._client


def with_lookup(
    parameters: dict[str, str] | None = None, live: dict[str, Any] | None = None, version: str = "7"
) -> Deployed:
    answering: Any = Answering(AnsweringLambda(FUNCTION | (live or {}), FUNCTION, version))
    return Deployed(answering, "levels", parameters or {}, {}, {"Resources": {}}, {"LookupFunction": "lookup"})


class TestTheLookupFunction:
    def test_an_alias_of_the_last_deployed_version_is_proved(self) -> None:
        assert configuration.alias(with_lookup()) == "live is version 7, 1024 MB"

    @pytest.mark.parametrize(("name", "old"), [("MemorySize", 512), ("CodeSha256", "b"), ("Environment", {"X": "1"})])
    def test_an_alias_of_an_older_version_fails(self, name: str, old: object) -> None:
        with pytest.raises(Failed, match=f"version 7, which differs from what was deployed in {name}"):
            configuration.alias(with_lookup(live={name: old}))

    def test_an_alias_of_latest_fails(self) -> None:
        with pytest.raises(Failed, match="LATEST"):
            configuration.alias(with_lookup(version="$LATEST"))

    def test_a_snapshot_is_proved_or_fails_or_is_not_provable(self) -> None:
        on, off = ({"SnapStart": {"OptimizationStatus": state}} for state in ("On", "Off"))
        parameters = {"SnapStart": "PublishedVersions"}
        assert configuration.snapshot(with_lookup(parameters, on)) == "OptimizationStatus On"
        with pytest.raises(Failed, match="expected OptimizationStatus On"):
            configuration.snapshot(with_lookup(parameters, off))
        with pytest.raises(NotProvable, match="SnapStart=None"):
            configuration.snapshot(with_lookup({"SnapStart": "None"}))
        with pytest.raises(NotProvable, match="does not say"):
            configuration.snapshot(with_lookup(parameters))


class TestItsParameters:
    def test_own_thresholds_are_proved_and_those_of_the_example_are_not_provable(self) -> None:
        own = {"Workbook": "gsheet:key", "ExampleThresholds": "refuse"}
        assert configuration.workbook(with_lookup(own)) == "Workbook=gsheet:key, ExampleThresholds=refuse"
        with pytest.raises(NotProvable, match="for trying"):
            configuration.workbook(with_lookup(own | {"ExampleThresholds": "allow"}))

    @pytest.fixture
    def issuer(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """An issuer on this machine, and its answer at each path."""
        answers: dict[str, Any] = {}

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200 if self.path in answers else 404)
                self.end_headers()
                self.wfile.write(json.dumps(answers.get(self.path)).encode())

            def log_message(self, *_: Any) -> None:
                """Prints nothing."""

        with HTTPServer(("127.0.0.1", 0), Answer) as server:
            thread = Thread(target=server.serve_forever)
            thread.start()
            yield f"http://127.0.0.1:{server.server_address[1]}", answers
            server.shutdown()
            thread.join()

    def test_an_issuer_that_publishes_its_keys_is_proved(self, issuer: tuple[str, dict[str, Any]]) -> None:
        address, answers = issuer
        answers["/keys"] = {"keys": [{"kid": "1"}, {"kid": "2"}]}
        answers["/.well-known/openid-configuration"] = {"issuer": address, "jwks_uri": f"{address}/keys"}
        assert configuration.issuer(with_lookup({"JwtIssuer": address})) == f"{address}, 2 keys"

    def test_an_issuer_without_a_configuration_or_with_another_name_fails(
        self, issuer: tuple[str, dict[str, Any]]
    ) -> None:
        address, answers = issuer
        with pytest.raises(Failed, match="answers 404"):
            configuration.issuer(with_lookup({"JwtIssuer": address}))
        answers["/.well-known/openid-configuration"] = {"issuer": f"{address}/", "jwks_uri": f"{address}/keys"}
        with pytest.raises(Failed, match="names the issuer"):
            configuration.issuer(with_lookup({"JwtIssuer": address}))


def access_denied() -> str:
    raise ClientError({"Error": {"Code": "AccessDenied", "Message": "you may not"}}, "GetSchedule")


def not_found() -> str:
    raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": "not there"}}, "GetSchedule")


def without_token() -> str:
    raise NotProvable("no token was given")


def test_each_check_is_proved_failed_or_not_provable_and_the_summary_says_why() -> None:
    results = Results(lambda _: None)
    for name, check in (
        ("good", lambda: "seen"),
        ("denied", access_denied),
        ("broken", not_found),
        ("no token", without_token),
    ):
        results.check(name, check)
    assert [(line.what, line.state) for line in results.lines] == [
        ("good", "proved"),
        ("denied", "not provable here"),
        ("broken", "failed"),
        ("no token", "not provable here"),
    ]
    summary = results.summary()
    assert "proved: 1\n  ✓ good" in summary
    assert "failed: 1\n  ✗ broken: AWS refused GetSchedule: ResourceNotFoundException: not there" in summary
    assert "– no token: no token was given" in summary


def test_without_a_stack_or_a_sheet_it_prints_its_usage(capsys: pytest.CaptureFixture[str]) -> None:
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

    def test_that_can_be_read_and_written_is_proved_and_not_changed(self) -> None:
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

    def test_that_does_not_exist_fails(self) -> None:
        assert "there is no such spreadsheet" in self.checked(FakeSheets(), "nowhere").of("failed")[0].because
