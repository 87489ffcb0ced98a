"""Least privilege: a function may do what its code does, to what is its own, and nothing else."""

from __future__ import annotations

import pytest

from tests.contract.transformed import listed, of_type, properties, statements, template

STARTING = {  # the rating function: an upload, and the end of the Spark job
    "WorkbookUploadedPermission",
    "MeasuringEndedPermission",
    "MeasuringFailedPermission",
}
RESTORED = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${RestoredTable}"
TABLE = {"Fn::If": ["HasRestoredTable", {"Fn::Sub": RESTORED}, {"Fn::GetAtt": ["Table", "Arn"]}]}


def allowed(role: str, service: str) -> set[str]:
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
            text = text[0] if isinstance(text, list) else text  # the other one is what its names stand for
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
    mine = [statement for role, statement in statements() if role == "RatingRole"]
    writing = [statement for statement in mine if "s3:PutObject" in listed(statement["Action"])]
    assert {statement["Sid"] for statement in writing} == {"KeepReports", "AnswerBesideWorkbook"}
    assert not [statement for statement in writing if "Extracts" in str(statement["Resource"])]


def test_the_lookup_function_only_reads_and_only_the_table() -> None:
    assert allowed("LookupRole", "dynamodb") == {"dynamodb:BatchGetItem", "dynamodb:GetItem"}
    assert not allowed("LookupRole", "s3")
    assert not allowed("LookupRole", "events")


def test_no_function_may_delete_anything_and_only_verify_reads_the_whole_table() -> None:
    """verify has to find what was added to a run, wherever it lies; nobody who serves requests reads so much."""
    roles = {role for role, _ in statements()}
    assert not [(role, action) for role in roles for action in allowed(role, "dynamodb") if "Delete" in action]
    assert [role for role in roles if "dynamodb:Scan" in allowed(role, "dynamodb")] == ["RatingRole"]


def test_database_actions_are_for_the_one_table() -> None:
    for _, statement in statements():
        if any(action.startswith("dynamodb:") for action in listed(statement["Action"])):
            assert statement["Resource"] == TABLE


def test_the_one_secret_is_read_only_where_there_is_one() -> None:
    found = [statement for _, statement in statements() if statement["Action"] == "secretsmanager:GetSecretValue"]
    assert [statement["Resource"] for statement in found] == [{"Ref": "GoogleKeySecret"}]
    assert template()["Conditions"]["HasGoogleKey"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "GoogleKeySecret"}, ""]}]}


def test_the_console_writes_nothing_but_what_it_asks() -> None:
    found = [statement for role, statement in statements() if role == "OperationsRole"]
    (writing,) = [one for one in found if "dynamodb:PutItem" in listed(one["Action"])]
    assert writing["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["TICKET#*"]}}
    assert allowed("OperationsRole", "s3") == {"s3:GetObject", "s3:ListBucket", "s3:PutObject"}
    (replacing,) = [one for one in found if "s3:PutObject" in listed(one["Action"])]
    assert replacing["Sid"] == "ReplaceWorkbook"
    assert not allowed("OperationsRole", "events")
    (asking,) = [one for one in found if one["Action"] == "lambda:InvokeFunction"]
    assert asking["Resource"] == {"Fn::GetAtt": ["RatingFunction", "Arn"]}


def test_only_the_console_may_ask_for_a_run_beside_the_schedules() -> None:
    asking = {role for role, statement in statements() if "lambda:InvokeFunction" in listed(statement["Action"])}
    schedules = {f"RatingFunction{schedule}Role" for schedule in ("Console", "Refresh", "Renewal")}
    assert asking == {"OperationsRole", *schedules}


PROVED = {  # by what the code does under them: tests/integration/test_permissions.py and test_glue.py
    "RatingRole": {"ReadGoogleKey", "ReadWorkbook", "ListWorkbook", "AnswerBesideWorkbook", "StartMeasuring"},
    "LookupRole": set(),
    "OperationsRole": {"ReplaceWorkbook"},
    "MeasuringRole": set(),
}
"""The roles of programs, each with the statements that only some stacks have."""


def test_every_role_of_a_program_and_every_conditional_statement_is_proved_by_use() -> None:
    """A new one needs a test that uses it, and then a place here; the schedules' own roles only invoke."""
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
        if name in STARTING:
            assert permission["FunctionName"] == {"Ref": "RatingFunction"}
            continue
        assert permission["Principal"] == "apigateway.amazonaws.com"
        source = permission["SourceArn"]["Fn::Sub"]
        assert "${__ApiId__}" in source[0] if isinstance(source, list) else ":${Api}/" in source


@pytest.mark.parametrize("queue", ["FailedRuns", "FailedSchedules"])
def test_each_queue_has_one_sender(queue: str) -> None:
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


def test_deploying_needs_no_right_to_name_roles() -> None:
    assert not [role for role in of_type("AWS::IAM::Role").values() if "RoleName" in role]
    assert "BucketName" not in template()["Resources"]["ExtractsBucket"]["Properties"]


def test_glue_is_asked_by_the_rating_function_alone_for_the_one_job_where_a_stack_has_it() -> None:
    found = [(role, statement) for role, statement in statements() if "glue:" in str(statement["Action"])]
    ((role, statement),) = found
    assert role == "RatingRole"
    assert statement["Action"] == ["glue:GetJobRuns", "glue:StartJobRun"]
    assert statement["Resource"]["Fn::Sub"].endswith(f":job/{properties('MeasuringJob')['Name']['Fn::Sub']}")
    mine = [name for name in template()["Resources"] if name.startswith("Measuring")]
    assert {template()["Resources"][name]["Condition"] for name in mine} == {"HasMeasuringJob"}
    assert template()["Parameters"]["Measuring"]["Default"] == "embedded"


def test_the_spark_job_reads_extracts_and_writes_measurements_only() -> None:
    assert allowed("MeasuringRole", "dynamodb") == set()
    assert allowed("MeasuringRole", "s3") == {
        *("s3:AbortMultipartUpload", "s3:GetObject", "s3:ListBucket", "s3:PutObject"),
    }
    (writing,) = [s for role, s in statements() if role == "MeasuringRole" and "s3:PutObject" in listed(s["Action"])]
    assert writing["Resource"] == {"Fn::Sub": "${ReportsBucket.Arn}/${ReportsPrefix}/measured/*"}


def test_one_run_of_the_spark_job_at_a_time() -> None:
    assert properties("MeasuringJob")["ExecutionProperty"] == {"MaxConcurrentRuns": 1}
