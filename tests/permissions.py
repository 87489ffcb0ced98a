"""Enforces the template's roles on the code's AWS requests: evaluates actions, resources and conditions.

An emulated AWS allows everything. Here each request of the SDK is checked against the role's statements, with the names
of the emulation's resources; a request that no statement allows is refused as AWS refuses it. A missing object is
refused as S3 does it: only a caller who may list the bucket without a condition gets NoSuchKey.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import boto3
from botocore.exceptions import ClientError

from tests.aws import TABLE
from tests.cloud import BUCKET, REPORTS
from tests.contract.transformed import listed, template

ACCOUNT, REGION = "123456789012", "ap-east-1"
PSEUDO = {"AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": ACCOUNT, "AWS::StackName": "levels"}
SMALL_CLOUD = {
    "ExtractsBucket": BUCKET,
    "ReportsBucket": REPORTS,
    "Table": TABLE,
    "ExtractsPrefix": "in",
    "ReportsPrefix": "out",
}
"""The names of the template's resources in the small cloud of tests."""
TRANSACTION = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}


@dataclass(frozen=True)
class Asked:
    """One request to AWS. ``context``: the values that conditions may use."""

    action: str
    resource: str
    context: Mapping[str, str | list[str]] = field(default_factory=dict)


@dataclass
class Role:
    """A role of the template with its references resolved. It remembers which actions were used."""

    statements: Sequence[Mapping[str, Any]]
    needed: set[tuple[str, str]] = field(default_factory=set)
    denied: list[Asked] = field(default_factory=list)

    @property
    def given(self) -> set[tuple[str, str]]:
        """Statement and action, for every action that the role allows."""
        return {(s["Sid"], action) for s in self.statements for action in listed(s["Action"])}

    def allows(self, asked: Asked) -> bool:
        fitting = [s for s in self.statements if _fits(s, asked)]
        self.needed |= {(statement["Sid"], asked.action) for statement in fitting}
        if not fitting:
            self.denied.append(asked)
        return bool(fitting)

    @contextmanager
    def enforced(self, events: Any) -> Iterator[None]:
        """Within the block, requests of clients with these events (a session's, or one client's) are refused unless
        allowed."""

        def check(params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
            context["asked_of_bucket"] = params.get("Bucket")
            for asked in asked_by(model.service_model.service_name, model.name, params):
                if not self.allows(asked):
                    message = f"not authorized to perform: {asked.action} on resource: {asked.resource}"
                    raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": message}}, model.name)

        def hide(parsed: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
            missing = parsed.get("Error", {}).get("Code") in ("NoSuchKey", "404")
            listing = Asked("s3:ListBucket", f"arn:aws:s3:::{context.get('asked_of_bucket')}")
            if missing and not any(_fits(statement, listing) for statement in self.statements):
                parsed["Error"] = {"Code": "AccessDenied", "Message": "Access Denied"}

        events.register("before-parameter-build", check)
        events.register("after-call.s3", hide)
        try:
            yield
        finally:
            events.unregister("before-parameter-build", check)
            events.unregister("after-call.s3", hide)


@contextmanager
def session_events() -> Iterator[Any]:
    """The events of the session of ``boto3.client``, for clients that are made within the block."""
    boto3.setup_default_session()
    try:
        yield boto3._get_default_session().events
    finally:
        boto3.setup_default_session()


def role(name: str, **parameters: str) -> Role:
    """A role of a stack with these parameters. ``Table``, buckets and queues are named like their resources."""
    policies = template()["Resources"][name]["Properties"]["Policies"]
    declared = {n: p.get("Default", "") for n, p in template()["Parameters"].items()}
    known = {**{n: str(value) for n, value in declared.items()}, **PSEUDO, **parameters}
    statements = [s for policy in policies for s in resolved(policy["PolicyDocument"]["Statement"], known)]
    return Role([statement for statement in statements if statement is not None])


def asked_by(service: str, operation: str, params: Mapping[str, Any]) -> Iterator[Asked]:
    """The actions that IAM checks for a request of the SDK. Raises KeyError for an unknown operation."""
    if service == "s3":
        yield _asked_of_s3(operation, params)
    elif service == "dynamodb":
        yield from _asked_of_dynamodb(operation, params)
    elif (service, operation) == ("events", "PutEvents"):
        for entry in params["Entries"]:
            yield Asked("events:PutEvents", f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/{entry['EventBusName']}")
    elif (service, operation) == ("lambda", "Invoke"):
        yield Asked("lambda:InvokeFunction", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{params['FunctionName']}")
    elif service == "glue":
        yield Asked(f"glue:{operation}", f"arn:aws:glue:{REGION}:{ACCOUNT}:job/{params['JobName']}")
    elif (service, operation) == ("secretsmanager", "GetSecretValue"):
        yield Asked("secretsmanager:GetSecretValue", params["SecretId"])
    else:
        raise KeyError(f"{service}:{operation}: say in tests/permissions.py what IAM checks for it")


def _asked_of_s3(operation: str, params: Mapping[str, Any]) -> Asked:
    bucket = f"arn:aws:s3:::{params['Bucket']}"
    if operation == "ListObjectsV2":
        return Asked("s3:ListBucket", bucket, {"s3:prefix": params.get("Prefix", "")})
    action = {"GetObject": "GetObject", "HeadObject": "GetObject", "PutObject": "PutObject"}[operation]
    version = "Version" if "VersionId" in params else ""
    return Asked(f"s3:{action}{version}", f"{bucket}/{params['Key']}")


def _asked_of_dynamodb(operation: str, params: Mapping[str, Any]) -> Iterator[Asked]:
    def asked(action: str, table: str, *keys: Mapping[str, Any]) -> Asked:
        leading = {"dynamodb:LeadingKeys": [key["pk"]["S"] for key in keys if "pk" in key]}
        return Asked(f"dynamodb:{action}", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}", leading)

    if operation == "TransactWriteItems":
        for item in params["TransactItems"]:
            ((kind, written),) = item.items()
            yield asked(TRANSACTION[kind], written["TableName"])
    elif operation in ("BatchGetItem", "BatchWriteItem"):
        for table in params["RequestItems"]:
            yield asked(operation, table)
    else:
        yield asked(operation, params["TableName"], params.get("Key") or params.get("Item") or {})


def _fits(statement: Mapping[str, Any], asked: Asked) -> bool:
    return (
        statement["Effect"] == "Allow"
        and asked.action in listed(statement["Action"])
        and any(_like(asked.resource, pattern) for pattern in listed(statement["Resource"]))
        and all(_holds(operator, wanted, asked) for operator, wanted in statement.get("Condition", {}).items())
    )


def _holds(operator: str, wanted: Mapping[str, Any], asked: Asked) -> bool:
    """Whether a condition is met. ForAllValues is met by a request without the key, as in IAM."""
    assert operator in ("StringLike", "ForAllValues:StringLike"), f"the evaluator does not know {operator}"
    if operator == "StringLike" and not asked.context.keys() >= wanted.keys():
        return False
    return all(
        any(_like(value, pattern) for pattern in listed(patterns))
        for key, patterns in wanted.items()
        for value in listed(asked.context.get(key, []))
    )


def _like(text: str, pattern: str) -> bool:
    """IAM's wildcards: * and ?, and nothing else is special."""
    return fnmatchcase(text, pattern.replace("[", "[[]"))


def resolved(value: Any, known: Mapping[str, str]) -> Any:
    """A value of the template as CloudFormation resolves it with these parameters and names; None for AWS::NoValue."""
    if isinstance(value, list):
        return [resolved(one, known) for one in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and next(iter(value)) in _FUNCTIONS:
        ((function, argument),) = value.items()
        return _FUNCTIONS[function](argument, known)
    return {name: resolved(one, known) for name, one in value.items()}


def _ref(name: str, known: Mapping[str, str]) -> str | None:
    return None if name == "AWS::NoValue" else known[name]


def _get_att(argument: Sequence[str], known: Mapping[str, str]) -> str:
    name, attribute = argument
    assert attribute == "Arn"
    kind = template()["Resources"][name]["Type"]
    named = known.get(name, name)
    return {
        "AWS::S3::Bucket": f"arn:aws:s3:::{named}",
        "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{named}",
        "AWS::Lambda::Function": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{named}",
        "AWS::SQS::Queue": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{named}",
        "AWS::Logs::LogGroup": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{named}:*",
    }[kind]


def _sub(argument: Any, known: Mapping[str, str]) -> str:
    text, own = (argument, {}) if isinstance(argument, str) else argument
    values = {**known, **{name: resolved(value, known) for name, value in own.items()}}
    return re.sub(
        r"\$\{([^}]+)\}",
        lambda found: _get_att(found[1].split("."), known) if found[1].endswith(".Arn") else values[found[1]],
        text,
    )


def _if(argument: Sequence[Any], known: Mapping[str, str]) -> Any:
    condition, yes, no = argument
    return resolved(yes if _is_true(template()["Conditions"][condition], known) else no, known)


def _is_true(condition: Mapping[str, Any], known: Mapping[str, str]) -> bool:
    ((function, argument),) = condition.items()
    if function == "Fn::Not":
        return not _is_true(argument[0], known)
    if function == "Condition":
        return _is_true(template()["Conditions"][argument], known)
    assert function == "Fn::Equals", function
    one, other = resolved(argument, known)
    return bool(one == other)


_FUNCTIONS: dict[str, Callable[[Any, Mapping[str, str]], Any]] = {
    "Ref": _ref,
    "Fn::GetAtt": _get_att,
    "Fn::Sub": _sub,
    "Fn::If": _if,
    "Fn::Split": lambda argument, known: resolved(argument[1], known).split(argument[0]),
    "Fn::Select": lambda argument, known: resolved(argument[1], known)[int(argument[0])],
}
