"""make smoke can fail: a stack that is not as it has to be, and a sheet with faults, are told as such."""

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


SCHEDULE: dict[str, Any] = {
    "ScheduleExpression": "cron(0/30 2-23 3 * ? *)",
    "ScheduleExpressionTimezone": "Asia/Shanghai",
    "State": "ENABLED",
    "Target": {"Arn": "arn:aws:lambda:cn-north-1:123456789012:function:rating", "Input": '{"mode": "check"}'},
}
ROLE = "arn:aws:iam::123456789012:role/levels"


def client(service: str) -> Any:
    return boto3.client(service)  # type: ignore[call-overload]


def of_parts(parameters: dict[str, str] | None = None) -> Deployed:
    """A stack of a schedule, a table, a bucket and a function with an alias, as each has to be."""
    scheduler, dynamodb, s3 = (client(name) for name in ("scheduler", "dynamodb", "s3"))
    target = {**SCHEDULE["Target"], "RoleArn": ROLE, "DeadLetterConfig": {"Arn": "arn:aws:sqs:cn-north-1:1:lost"}}
    scheduler.create_schedule(**{**SCHEDULE, "Target": target}, Name="renewal", FlexibleTimeWindow={"Mode": "OFF"})
    dynamodb.create_table(
        TableName="levels",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
        DeletionProtectionEnabled=True,
    )
    expiry = {"Enabled": True, "AttributeName": "expires_at"}
    dynamodb.update_time_to_live(TableName="levels", TimeToLiveSpecification=expiry)
    switch_backups(on=True)
    create_bucket(s3, "extracts")
    block = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    s3.put_public_access_block(Bucket="extracts", PublicAccessBlockConfiguration=dict.fromkeys(block, True))
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    s3.put_bucket_encryption(Bucket="extracts", ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_bucket_versioning(Bucket="extracts", VersioningConfiguration={"Status": "Enabled"})
    expire = {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 800}}
    s3.put_bucket_lifecycle_configuration(Bucket="extracts", LifecycleConfiguration={"Rules": [expire]})
    meant = {**SCHEDULE, "Target": {**SCHEDULE["Target"], "DeadLetterConfig": {}}}
    template = {
        "Resources": {
            "Renewal": {"Type": "AWS::Scheduler::Schedule", "Properties": meant},
            "Extracts": {
                "Type": "AWS::S3::Bucket",
                "Properties": {"VersioningConfiguration": {}, "LifecycleConfiguration": {}},
            },
        }
    }
    resources = {"Renewal": "renewal", "Extracts": "extracts", "LookupFunction": "lookup"}
    return Deployed(boto3.Session(), "levels", parameters or {}, {"TableName": "levels"}, template, resources)


def switch_backups(*, on: bool) -> None:
    client("dynamodb").update_continuous_backups(
        TableName="levels", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": on}
    )


def change_schedule(**changed: Any) -> None:
    found = client("scheduler").get_schedule(Name="renewal")
    kept = {name: found[name] for name in (*SCHEDULE, "Name", "FlexibleTimeWindow")}
    client("scheduler").update_schedule(**kept | changed)


@pytest.mark.usefixtures("aws")
class TestItsParts:
    def test_as_they_have_to_be_are_proved(self) -> None:
        stack = of_parts()
        assert configuration.schedule(stack, "Renewal") == "cron(0/30 2-23 3 * ? *) Asia/Shanghai, ENABLED"
        assert configuration.table(stack) == "levels, 0 items"
        assert configuration.bucket(stack, "Extracts") == "extracts"

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({"ScheduleExpressionTimezone": "UTC"}, "ScheduleExpressionTimezone is UTC; expected Asia/Shanghai"),
            ({"ScheduleExpression": "rate(1 day)"}, r"ScheduleExpression is rate\(1 day\); expected cron"),
            ({"State": "DISABLED"}, "State is DISABLED; expected ENABLED"),
        ],
    )
    def test_a_schedule_that_somebody_changed_fails(self, changed: dict[str, str], said: str) -> None:
        stack = of_parts()
        change_schedule(**changed)
        with pytest.raises(Failed, match=said):
            configuration.schedule(stack, "Renewal")

    def test_a_schedule_that_asks_for_something_else_or_loses_what_it_can_not_hand_over_fails(self) -> None:
        stack = of_parts()
        target = client("scheduler").get_schedule(Name="renewal")["Target"]
        change_schedule(Target={**target, "Input": '{"mode": "refresh"}'})
        with pytest.raises(Failed, match=r"it sends \{.mode.: .refresh.\}"):
            configuration.schedule(stack, "Renewal")
        change_schedule(Target={name: value for name, value in target.items() if name != "DeadLetterConfig"})
        with pytest.raises(Failed, match="it has no queue"):
            configuration.schedule(stack, "Renewal")

    def test_a_table_that_keeps_everything_or_can_be_lost_fails(self) -> None:
        stack, dynamodb = of_parts(), client("dynamodb")
        dynamodb.update_table(TableName="levels", DeletionProtectionEnabled=False)
        with pytest.raises(Failed, match="deletion protection is off"):
            configuration.table(stack)
        switch_backups(on=False)
        with pytest.raises(Failed, match="point-in-time recovery is off"):
            configuration.table(stack)
        off = {"Enabled": False, "AttributeName": "expires_at"}
        dynamodb.update_time_to_live(TableName="levels", TimeToLiveSpecification=off)
        with pytest.raises(Failed, match="nothing expires"):
            configuration.table(stack)

    def test_a_bucket_that_is_public_or_forgets_versions_fails(self) -> None:
        stack, s3 = of_parts(), client("s3")
        s3.put_bucket_versioning(Bucket="extracts", VersioningConfiguration={"Status": "Suspended"})
        with pytest.raises(Failed, match="versioning is off"):
            configuration.bucket(stack, "Extracts")
        s3.put_public_access_block(Bucket="extracts", PublicAccessBlockConfiguration={"BlockPublicAcls": True})
        with pytest.raises(Failed, match="public access is not blocked"):
            configuration.bucket(stack, "Extracts")

    def test_a_bucket_without_an_end_of_its_objects_fails(self) -> None:
        stack, results = of_parts(), Results(lambda _: None)
        client("s3").delete_bucket_lifecycle(Bucket="extracts")
        results.check("bucket", lambda: configuration.bucket(stack, "Extracts"))
        assert "NoSuchLifecycleConfiguration" in results.of("failed")[0].because


@dataclass
class AnsweringLambda:
    """What AWS says of a function's versions: the emulation has no snapshots, and a version is never another one."""

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
    """A session that has that one client."""

    def __init__(self, client: AnsweringLambda) -> None:
        self._client = client

    def client(self, *_: Any, **__: Any) -> AnsweringLambda:
        return self._client


def looking_up(
    parameters: dict[str, str] | None = None, live: dict[str, Any] | None = None, version: str = "7"
) -> Deployed:
    answering: Any = Answering(AnsweringLambda(FUNCTION | (live or {}), FUNCTION, version))
    return Deployed(answering, "levels", parameters or {}, {}, {"Resources": {}}, {"LookupFunction": "lookup"})


class TestTheLookupFunction:
    def test_an_alias_that_has_what_was_deployed_last_is_proved(self) -> None:
        assert configuration.alias(looking_up()) == "live is version 7, 1024 MB"

    @pytest.mark.parametrize(("name", "old"), [("MemorySize", 512), ("CodeSha256", "b"), ("Environment", {"X": "1"})])
    def test_an_alias_that_stayed_behind_fails(self, name: str, old: object) -> None:
        with pytest.raises(Failed, match=f"version 7, which differs from what was deployed in {name}"):
            configuration.alias(looking_up(live={name: old}))

    def test_an_alias_of_no_version_fails(self) -> None:
        with pytest.raises(Failed, match="LATEST"):
            configuration.alias(looking_up(version="$LATEST"))

    def test_a_snapshot_is_proved_missing_or_not_to_be_had(self) -> None:
        on, off = ({"SnapStart": {"OptimizationStatus": state}} for state in ("On", "Off"))
        meant = {"SnapStart": "PublishedVersions"}
        assert configuration.snapshot(looking_up(meant, on)) == "OptimizationStatus On"
        with pytest.raises(Failed, match="expected OptimizationStatus On"):
            configuration.snapshot(looking_up(meant, off))
        with pytest.raises(NotProvable, match="SnapStart=None"):
            configuration.snapshot(looking_up({"SnapStart": "None"}))
        with pytest.raises(NotProvable, match="does not say"):
            configuration.snapshot(looking_up(meant))


class TestItsParameters:
    def test_thresholds_of_ones_own_are_proved_and_the_example_is_for_trying(self) -> None:
        own = {"Workbook": "gsheet:key", "ExampleThresholds": "refuse"}
        assert configuration.workbook(looking_up(own)) == "Workbook=gsheet:key, ExampleThresholds=refuse"
        with pytest.raises(NotProvable, match="for trying"):
            configuration.workbook(looking_up(own | {"ExampleThresholds": "allow"}))

    @pytest.fixture
    def issuer(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """An issuer on this machine, and what it says at each path."""
        says: dict[str, Any] = {}

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200 if self.path in says else 404)
                self.end_headers()
                self.wfile.write(json.dumps(says.get(self.path)).encode())

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        with HTTPServer(("127.0.0.1", 0), Answer) as server:
            thread = Thread(target=server.serve_forever)
            thread.start()
            yield f"http://127.0.0.1:{server.server_address[1]}", says
            server.shutdown()
            thread.join()

    def test_an_issuer_that_publishes_its_keys_is_proved(self, issuer: tuple[str, dict[str, Any]]) -> None:
        address, says = issuer
        says["/keys"] = {"keys": [{"kid": "1"}, {"kid": "2"}]}
        says["/.well-known/openid-configuration"] = {"issuer": address, "jwks_uri": f"{address}/keys"}
        assert configuration.issuer(looking_up({"JwtIssuer": address})) == f"{address}, 2 keys"

    def test_an_issuer_that_is_not_there_or_calls_itself_otherwise_fails(
        self, issuer: tuple[str, dict[str, Any]]
    ) -> None:
        address, says = issuer
        with pytest.raises(Failed, match="answers 404"):
            configuration.issuer(looking_up({"JwtIssuer": address}))
        says["/.well-known/openid-configuration"] = {"issuer": f"{address}/", "jwks_uri": f"{address}/keys"}
        with pytest.raises(Failed, match="names the issuer"):
            configuration.issuer(looking_up({"JwtIssuer": address}))


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
