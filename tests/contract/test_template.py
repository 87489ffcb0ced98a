"""What the template promises about schedules, functions, stored data and alarms."""

from __future__ import annotations

import json
import re

import pytest

from tests.contract.transformed import of_type, paths, properties, resource, template

# --- the schedule -----------------------------------------------------------------------------------------------------


def test_the_renewal_fires_every_half_hour_of_the_3rd_in_shanghai() -> None:
    schedule = properties("RatingFunctionRenewal")
    assert schedule["ScheduleExpression"] == "cron(0/30 2-23 3 * ? *)"
    assert schedule["ScheduleExpressionTimezone"] == "Asia/Shanghai"
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert json.loads(schedule["Target"]["Input"]) == {"scheduled_at": "<aws.scheduler.scheduled-time>"}


def test_the_morning_refresh_fires_at_nine_in_shanghai() -> None:
    schedule = properties("RatingFunctionRefresh")
    assert schedule["ScheduleExpression"] == "cron(0 9 * * ? *)"
    assert schedule["ScheduleExpressionTimezone"] == "Asia/Shanghai"
    assert json.loads(schedule["Target"]["Input"]) == {"mode": "refresh"}


def test_the_console_tab_is_read_every_few_minutes_if_the_workbook_is_a_google_sheet() -> None:
    schedule, minutes = properties("RatingFunctionConsole"), template()["Parameters"]["ConsoleMinutes"]
    assert (minutes["Default"], minutes["MinValue"]) == (5, 1)
    assert schedule["ScheduleExpression"] == {"Fn::Sub": "cron(0/${ConsoleMinutes} * * * ? *)"}
    assert schedule["State"] == {"Fn::If": ["WorkbookInGoogle", "ENABLED", "DISABLED"]}
    assert json.loads(schedule["Target"]["Input"]) == {"mode": "console"}


@pytest.mark.parametrize("schedule", ["RatingFunctionRenewal", "RatingFunctionRefresh"])
def test_an_event_that_cannot_be_delivered_is_retried_and_then_kept(schedule: str) -> None:
    target = properties(schedule)["Target"]
    assert target["RetryPolicy"]["MaximumRetryAttempts"] > 0
    assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["FailedSchedules", "Arn"]}}


def test_a_renewal_is_not_retried_past_the_next_firing() -> None:
    assert properties("RatingFunctionRenewal")["Target"]["RetryPolicy"]["MaximumEventAgeInSeconds"] <= 1800


def test_a_run_that_fails_inside_the_function_is_kept_too() -> None:
    config = properties("RatingFunctionEventInvokeConfig")
    assert config["DestinationConfig"]["OnFailure"]["Destination"] == {"Fn::GetAtt": ["FailedRuns", "Arn"]}
    assert config["MaximumEventAgeInSeconds"] <= 1800


# --- the functions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", ["RatingFunction", "LookupFunction", "OperationsFunction"])
def test_functions_run_python_3_13_on_the_chosen_processor_and_are_traced(function: str) -> None:
    found = properties(function)
    assert found["Runtime"] == "python3.13"
    assert found["Architectures"] == [{"Ref": "Architecture"}]
    assert found["TracingConfig"] == {"Mode": {"Ref": "Tracing"}}
    assert template()["Parameters"]["Tracing"]["Default"] == "Active"


def test_handlers_have_the_import_paths_that_tests_use() -> None:
    assert properties("RatingFunction")["Handler"] == "functions.rating.app.handler"
    assert properties("LookupFunction")["Handler"] == "functions.lookup.app.handler"


def test_the_rating_function_has_15_minutes_and_up_to_10_gb_of_scratch() -> None:
    found = properties("RatingFunction")
    assert found["Timeout"] == 900
    assert found["EphemeralStorage"] == {"Size": {"Ref": "RatingStorage"}}
    assert template()["Parameters"]["RatingStorage"]["MaxValue"] == 10240


def test_lookups_start_from_a_snapshot_of_a_published_version() -> None:
    assert properties("LookupFunction")["SnapStart"] == {"ApplyOn": {"Ref": "SnapStart"}}
    assert template()["Parameters"]["SnapStart"]["Default"] == "PublishedVersions"
    assert properties("LookupFunctionAliaslive")["Name"] == "live"


def test_the_api_calls_the_alias_since_only_versions_have_snapshots() -> None:
    for path, methods in paths().items():
        for operation in methods.values():
            uri = json.dumps(operation["x-amazon-apigateway-integration"]["uri"])
            assert ("LookupFunctionAliaslive" in uri) == (not path.startswith("/v1/operations/")), path


def test_a_new_lookup_version_takes_over_by_canary_and_falls_back_on_errors() -> None:
    group = properties("LookupFunctionDeploymentGroup")
    assert template()["Parameters"]["DeploymentPreference"]["Default"].startswith("Canary")
    assert group["AlarmConfiguration"]["Alarms"] == [
        {"Name": {"Ref": "LookupFaultsAlarm"}},
        {"Name": {"Ref": "LookupErrorsAlarm"}},
    ]
    assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
    assert "CodeDeployLambdaAliasUpdate" in resource("LookupFunctionAliaslive")["UpdatePolicy"]


# --- what is kept -----------------------------------------------------------------------------------------------------


def test_the_table_is_encrypted_recoverable_and_hard_to_lose() -> None:
    table = properties("Table")
    assert table["SSESpecification"] == {"SSEEnabled": True}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["DeletionProtectionEnabled"] is True
    assert resource("Table")["DeletionPolicy"] == "RetainExceptOnCreate"
    assert resource("Table")["UpdateReplacePolicy"] == "Retain"


def test_the_table_has_the_keys_and_the_expiry_that_the_code_writes() -> None:
    table = properties("Table")
    assert [(key["AttributeName"], key["KeyType"]) for key in table["KeySchema"]] == [("pk", "HASH"), ("sk", "RANGE")]
    assert {key["AttributeType"] for key in table["AttributeDefinitions"]} == {"S"}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert table["BillingMode"] == "PAY_PER_REQUEST"


@pytest.mark.parametrize("bucket", ["ExtractsBucket", "ReportsBucket"])
def test_buckets_are_encrypted_and_private_and_their_objects_expire(bucket: str) -> None:
    found = properties(bucket)
    assert found["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert set(found["PublicAccessBlockConfiguration"].values()) == {True}
    assert found["LifecycleConfiguration"]["Rules"][0]["Status"] == "Enabled"
    assert resource(bucket)["DeletionPolicy"] == "RetainExceptOnCreate"
    assert resource(bucket)["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("bucket", ["ExtractsBucket", "ReportsBucket"])
def test_an_overwritten_object_is_kept_as_long_as_a_current_one(bucket: str) -> None:
    found = properties(bucket)
    rule = found["LifecycleConfiguration"]["Rules"][0]
    assert found["VersioningConfiguration"] == {"Status": "Enabled"}
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": rule["ExpirationInDays"]}


@pytest.mark.parametrize("bucket", ["ExtractsBucket", "ReportsBucket"])
def test_buckets_refuse_plain_http(bucket: str) -> None:
    policy = properties(f"{bucket}Policy")
    assert policy["Bucket"] == {"Ref": bucket}
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert len(statement["Resource"]) == 2  # the bucket and what is in it


def test_queues_are_encrypted_and_keep_messages_for_14_days() -> None:
    for queue in of_type("AWS::SQS::Queue").values():
        assert queue["SqsManagedSseEnabled"] is True
        assert queue["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_logs_expire_and_are_written_to_the_log_groups_of_the_template() -> None:
    assert {group["RetentionInDays"]["Ref"] for group in of_type("AWS::Logs::LogGroup").values()} == {
        "LogRetentionDays"
    }
    assert properties("RatingFunction")["LoggingConfig"] == {"LogGroup": {"Ref": "RatingLog"}}
    assert properties("LookupFunction")["LoggingConfig"] == {"LogGroup": {"Ref": "LookupLog"}}
    stage = properties("ApiApiGatewayDefaultStage")
    assert stage["AccessLogSettings"]["DestinationArn"] == {"Fn::GetAtt": ["AccessLog", "Arn"]}


def test_an_access_log_line_is_one_json_object_with_the_claim_that_names_the_agency() -> None:
    text = properties("ApiApiGatewayDefaultStage")["AccessLogSettings"]["Format"]["Fn::Sub"]
    line = json.loads(text)
    assert line["requestId"] == "$context.requestId"
    assert line["agency"] == "$context.authorizer.claims.${AgencyClaim}"
    assert re.findall(r"\$\{(\w+)\}", text) == ["AgencyClaim"]


TAGGABLE = (
    "AWS::CloudWatch::Alarm",
    "AWS::DynamoDB::Table",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SNS::Topic",
    "AWS::SecretsManager::Secret",
    "AWS::SQS::Queue",
)


@pytest.mark.parametrize("kind", TAGGABLE)
def test_what_costs_money_is_tagged(kind: str) -> None:
    found = of_type(kind)
    assert found
    for name, one in found.items():
        assert {"Key": "system", "Value": "mcn-levels"} in one["Tags"], name


def test_the_api_is_tagged() -> None:
    tags = {tag["name"]: tag["x-amazon-apigateway-tag-value"] for tag in properties("Api")["Body"]["tags"]}
    assert tags["system"] == properties("ApiApiGatewayDefaultStage")["Tags"]["system"] == "mcn-levels"


# --- alarms -----------------------------------------------------------------------------------------------------------

ALARMS = {
    "NotPublishedByNoonAlarm",
    "NotRunAlarm",
    "RunFailedAlarm",
    "WorkbookFaultyAlarm",
    "HeldAlarm",
    "QuarantinedRowsAlarm",
    "FailedSchedulesAlarm",
    "FailedRunsAlarm",
    "MeasuringFailedAlarm",
    "LookupFaultsAlarm",
    "LookupErrorsAlarm",
    "ApiFaultsAlarm",
}


def test_every_alarm_has_a_description_and_notifies_somebody() -> None:
    alarms = of_type("AWS::CloudWatch::Alarm")
    assert set(alarms) == ALARMS
    for name, alarm in alarms.items():
        assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}], name
        assert alarm["AlarmDescription"], name


def test_a_month_that_is_not_published_by_noon_in_shanghai_raises_an_alarm() -> None:
    alarm = properties("NotPublishedByNoonAlarm")
    assert alarm["MetricName"] == "Overdue"
    assert alarm["EvaluationWindow"] == {"WallClockWindow": {"Timezone": "Asia/Shanghai"}}


def test_a_rating_function_that_does_not_run_for_a_day_raises_an_alarm() -> None:
    alarm = properties("NotRunAlarm")
    assert alarm["TreatMissingData"] == "breaching"
    assert alarm["Period"] == 24 * 3600


def test_alarms_on_own_metrics_have_the_dimensions_that_the_code_writes() -> None:
    watched = [alarm for alarm in of_type("AWS::CloudWatch::Alarm").values() if alarm["Namespace"] == "mcn-levels"]
    by_rating = {alarm["MetricName"] for alarm in watched} - {"Faults"}
    assert by_rating == {"Overdue", "Runs", "WorkbookFaulty", "Held", "QuarantinedRows"}
    for alarm in watched:
        function = "LookupFunction" if alarm["MetricName"] == "Faults" else "RatingFunction"
        variables = properties(function)["Environment"]["Variables"]
        dimensions = {found["Name"]: found["Value"] for found in alarm["Dimensions"]}
        assert dimensions["stack"] == variables["STACK"] == {"Ref": "AWS::StackName"}
        assert dimensions["service"] == variables["POWERTOOLS_SERVICE_NAME"]


def test_alarms_are_mailed_only_if_an_address_is_given() -> None:
    assert resource("AlarmEmailSubscription")["Condition"] == "HasAlarmEmail"


def test_every_parameter_says_what_it_is_for() -> None:
    for name, parameter in template()["Parameters"].items():
        if not name.startswith("LookupFunction"):  # the transform adds some of its own
            assert parameter["Description"], name


def test_the_console_shows_every_parameter_in_a_group() -> None:
    groups = template()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [parameter for group in groups for parameter in group["Parameters"]]
    assert sorted(grouped) == sorted(template()["Parameters"])


def test_one_spark_job_runs_at_a_time_and_parameters_set_its_size() -> None:
    job = properties("MeasuringJob")
    assert job["ExecutionProperty"] == {"MaxConcurrentRuns": 1}
    assert job["MaxRetries"] == 0, "the rating function starts it again"
    chosen = {name: job[name] for name in ("GlueVersion", "WorkerType", "NumberOfWorkers")}
    assert chosen == {
        "GlueVersion": {"Ref": "GlueVersion"},
        "WorkerType": {"Ref": "GlueWorkerType"},
        "NumberOfWorkers": {"Ref": "GlueWorkers"},
    }


def test_the_rating_function_is_started_at_once_however_the_spark_job_ends() -> None:
    rules = [rule["Properties"] for rule in (resource("MeasuringEnded"), resource("MeasuringFailed"))]
    states = [state for rule in rules for state in rule["EventPattern"]["detail"]["state"]]
    assert sorted(states) == ["FAILED", "SUCCEEDED", "TIMEOUT"]
    for rule in rules:
        assert rule["EventPattern"]["detail"]["jobName"] == [properties("MeasuringJob")["Name"]]
        assert [target["Arn"] for target in rule["Targets"]] == [{"Fn::GetAtt": ["RatingFunction", "Arn"]}]
