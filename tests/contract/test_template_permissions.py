"""Least privilege: a role allows what its program does, on its own resources, and nothing else."""

from __future__ import annotations

import pytest

from tests.contract.transformed import listed, of_type, properties, statements, template

STARTS_RATING = {  # an upload, and the end of the Spark job
    "WorkbookUploadedPermission",
    "MeasuringEndedPermission",
    "MeasuringFailedPermission",
}
RESTORED = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${RestoredTable}"
TABLE = {"Fn::If": ["HasRestoredTable", {"Fn::Sub": RESTORED}, {"Fn::GetAtt": ["Table", "Arn"]}]}


def allowed_actions(role: str, service: str) -> set[str]:
    return {
        action
        for name, statement in statements()
        for action in listed(statement["Action"])
        if name == role and action.startswith(f"{service}:")
    }


def test_no_action_has_a_wildcard() -> None:
    for role, statement in statements():
        assert not [action for action in listed(statement["Action"]) if "*" in action], role


def test_only_tracing_and_files_in_a_folder_need_a_wildcard_in_the_resource() -> None:
    for role, statement in statements():
        for found in listed(statement["Resource"]):
            text = found.get("Fn::Sub", "") if isinstance(found, dict) else found
            text = text[0] if isinstance(text, list) else text  # the second one is the values of its variables
            if "*" in text:
                tracing = set(listed(statement["Action"])) == {"xray:PutTelemetryRecords", "xray:PutTraceSegments"}
                assert tracing or text.endswith(
                    ("Prefix}/*", "Prefix}/measured/*", "{WorkbookPrefix}*", "*status.*")
                ), (role, statement)


def test_listing_a_bucket_stops_at_its_folder() -> None:
    listing = [s for _, s in statements() if s["Action"] == "s3:ListBucket" and s["Sid"] != "ListWorkbook"]
    assert listing
    assert all(statement["Condition"]["StringLike"]["s3:prefix"]["Fn::Sub"].endswith("/*") for statement in listing)


def test_the_rating_function_writes_reports_but_never_extracts() -> None:
    statements_of_role = [statement for role, statement in statements() if role == "RatingRole"]
    writing = [statement for statement in statements_of_role if "s3:PutObject" in listed(statement["Action"])]
    assert {statement["Sid"] for statement in writing} == {"KeepReports", "AnswerBesideWorkbook"}
    assert not [statement for statement in writing if "Extracts" in str(statement["Resource"])]


def test_the_lookup_function_only_reads_and_only_the_table() -> None:
    assert allowed_actions("LookupRole", "dynamodb") == {"dynamodb:BatchGetItem", "dynamodb:GetItem"}
    assert not allowed_actions("LookupRole", "s3")
    assert not allowed_actions("LookupRole", "events")


def test_no_function_may_delete_anything_and_only_verify_reads_the_whole_table() -> None:
    """verify has to find items that were added to a run under any key; a function that serves requests never scans."""
    roles = {role for role, _ in statements()}
    assert not [(role, action) for role in roles for action in allowed_actions(role, "dynamodb") if "Delete" in action]
    assert [role for role in roles if "dynamodb:Scan" in allowed_actions(role, "dynamodb")] == ["RatingRole"]


def test_database_actions_are_for_the_one_table() -> None:
    for _, statement in statements():
        if any(action.startswith("dynamodb:") for action in listed(statement["Action"])):
            assert statement["Resource"] == TABLE


def test_the_secret_can_be_read_only_if_a_secret_is_given() -> None:
    found = [statement for _, statement in statements() if statement["Action"] == "secretsmanager:GetSecretValue"]
    assert [statement["Resource"] for statement in found] == [{"Ref": "GoogleKeySecret"}]
    assert template()["Conditions"]["HasGoogleKey"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "GoogleKeySecret"}, ""]}]}


def test_the_console_writes_only_tickets_and_the_workbook() -> None:
    found = [statement for role, statement in statements() if role == "OperationsRole"]
    (writing,) = [one for one in found if "dynamodb:PutItem" in listed(one["Action"])]
    assert writing["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["TICKET#*"]}}
    assert allowed_actions("OperationsRole", "s3") == {"s3:GetObject", "s3:ListBucket", "s3:PutObject"}
    (replacing,) = [one for one in found if "s3:PutObject" in listed(one["Action"])]
    assert replacing["Sid"] == "ReplaceWorkbook"
    assert not allowed_actions("OperationsRole", "events")
    (asking,) = [one for one in found if one["Action"] == "lambda:InvokeFunction"]
    assert asking["Resource"] == {"Fn::GetAtt": ["RatingFunction", "Arn"]}


def test_only_the_console_and_the_schedules_may_start_a_run() -> None:
    asking = {role for role, statement in statements() if "lambda:InvokeFunction" in listed(statement["Action"])}
    schedules = {f"RatingFunction{schedule}Role" for schedule in ("Console", "Refresh", "Renewal")}
    assert asking == {"OperationsRole", *schedules}


PROVED = {  # by running the code with them: tests/integration/test_permissions.py and test_glue.py
    "RatingRole": {"ReadGoogleKey", "ReadWorkbook", "ListWorkbook", "AnswerBesideWorkbook", "StartMeasuring"},
    "LookupRole": set(),
    "OperationsRole": {"ReplaceWorkbook"},
    "MeasuringRole": set(),
}
"""The roles of programs, each with its conditional statements."""


def test_every_role_of_a_program_and_every_conditional_statement_is_proved_by_use() -> None:
    """A new one needs a test that uses it, then an entry here. The roles of schedules only invoke."""
    roles = {name for name in of_type("AWS::IAM::Role") if not name.startswith("RatingFunction")}
    assert {name for name in roles if "codedeploy" not in str(of_type("AWS::IAM::Role")[name])} == PROVED.keys()
    conditional = {
        (name, statement["Fn::If"][1]["Sid"])
        for name in PROVED
        for policy in of_type("AWS::IAM::Role")[name]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        if "Fn::If" in statement
    }
    assert conditional == {(name, sid) for name, sids in PROVED.items() for sid in sids}


def test_functions_have_roles_of_their_own_without_managed_policies() -> None:
    for name in ("RatingRole", "LookupRole", "OperationsRole"):
        assert "ManagedPolicyArns" not in of_type("AWS::IAM::Role")[name]
    assert properties("RatingFunction")["Role"] == {"Fn::GetAtt": ["RatingRole", "Arn"]}
    assert properties("LookupFunction")["Role"] == {"Fn::GetAtt": ["LookupRole", "Arn"]}


def test_only_the_api_may_call_the_lookup_function() -> None:
    for name, permission in of_type("AWS::Lambda::Permission").items():
        if name in STARTS_RATING:
            assert permission["FunctionName"] == {"Ref": "RatingFunction"}
            continue
        assert permission["Principal"] == "apigateway.amazonaws.com"
        source = permission["SourceArn"]["Fn::Sub"]
        assert "${__ApiId__}" in source[0] if isinstance(source, list) else ":${Api}/" in source


@pytest.mark.parametrize("queue", ["FailedRuns", "FailedSchedules"])
def test_only_the_expected_roles_send_to_a_queue(queue: str) -> None:
    senders = [
        role
        for role, statement in statements()
        if "sqs:SendMessage" in listed(statement["Action"]) and statement["Resource"] == {"Fn::GetAtt": [queue, "Arn"]}
    ]
    expected = {
        "FailedRuns": ["RatingRole"],
        "FailedSchedules": ["RatingFunctionRefreshRole", "RatingFunctionRenewalRole"],
    }
    assert sorted(senders) == expected[queue]


def test_no_role_and_no_bucket_has_a_fixed_name() -> None:
    assert not [role for role in of_type("AWS::IAM::Role").values() if "RoleName" in role]
    assert "BucketName" not in template()["Resources"]["ExtractsBucket"]["Properties"]


def test_only_the_rating_function_uses_glue_and_only_for_the_job_of_a_stack_that_measures_with_it() -> None:
    ((role, statement),) = [one for one in statements() if "glue:" in str(one[1]["Action"])]
    assert role == "RatingRole"
    assert statement["Action"] == ["glue:GetJobRuns", "glue:StartJobRun"]
    assert statement["Resource"]["Fn::Sub"].endswith(f":job/{properties('MeasuringJob')['Name']['Fn::Sub']}")
    names = [name for name in template()["Resources"] if name.startswith("Measuring")]
    assert {template()["Resources"][name]["Condition"] for name in names} == {"HasMeasuringJob"}
    assert template()["Parameters"]["Measuring"]["Default"] == "embedded"


def test_the_spark_job_reads_extracts_and_writes_measurements_only() -> None:
    assert allowed_actions("MeasuringRole", "dynamodb") == set()
    assert allowed_actions("MeasuringRole", "s3") == {
        *("s3:AbortMultipartUpload", "s3:GetObject", "s3:ListBucket", "s3:PutObject"),
    }
    (writing,) = [s for role, s in statements() if role == "MeasuringRole" and "s3:PutObject" in listed(s["Action"])]
    assert writing["Resource"] == {"Fn::Sub": "${ReportsBucket.Arn}/${ReportsPrefix}/measured/*"}
