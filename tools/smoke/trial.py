"""A copy of the stack for a quarter of an hour: the deployed code under copies of the deployed roles.

Table, folders, bus, queue, roles and functions have the stack's name and a number of this trial, and are deleted at the
end. The copied roles have the policies of the stack's roles, with the names of the copy: what IAM refuses in the copy,
it refuses in the stack.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from shared.settings import S3Prefix
from tools.smoke.deployed import Deployed
from tools.smoke.results import Failed

PATIENCE_SECONDS = 90
COPIED = {"rating": "RatingFunction", "lookup": "LookupFunction"}
CONFIGURED = ("Runtime", "Handler", "MemorySize", "Timeout", "Architectures", "EphemeralStorage")


@dataclass(frozen=True)
class Trial:
    """The copy: its name, and the names of its parts."""

    stack: Deployed
    name: str
    extracts: S3Prefix
    queue: str

    @property
    def table(self) -> str:
        return self.name

    def put(self, key: str, body: bytes) -> None:
        self.stack.client("s3").put_object(Bucket=self.extracts.bucket, Key=self.extracts.key(key), Body=body)

    def ask(self, function: str, event: Mapping[str, Any]) -> dict[str, Any]:
        """The answer of a copied function. Raises Failed with its error."""
        answer = self.stack.client("lambda").invoke(FunctionName=f"{self.name}-{function}", Payload=json.dumps(event))
        found: dict[str, Any] = json.loads(answer["Payload"].read())
        if "FunctionError" in answer or "errorType" in found:
            raise Failed(f"{found.get('errorType')}: {found.get('errorMessage')}")
        return found

    def received(self, enough: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        """The events that arrived in the queue. Waits until ``enough`` returns True, at most PATIENCE_SECONDS."""
        sqs = self.stack.client("sqs")
        found: list[dict[str, Any]] = []
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not enough(found) and time.monotonic() < deadline:
            got = sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10, WaitTimeSeconds=2).get(
                "Messages", []
            )
            found += [json.loads(message["Body"]) for message in got]
            for message in got:
                sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        return found


@contextmanager
def trial(stack: Deployed, kept: list[str]) -> Iterator[Trial]:
    """A trial of a stack. It is deleted at the end, even after a failure. ``kept``: gets what could not be deleted."""
    name = f"{stack.name}-smoke-{secrets.token_hex(3)}"
    own = [S3Prefix.parse(stack.outputs[output]) for output in ("ExtractsUrl", "ReportsUrl")]
    extracts, reports = (S3Prefix(place.bucket, f"{name}/{place.prefix}") for place in own)
    with ExitStack() as undo:
        make = _Maker(stack, name, undo, kept)
        make.table()
        queue = make.queue_behind_a_bus()
        for place in (extracts, reports):
            make.later(f"s3://{place.bucket}/{name}/", lambda place=place: _empty(stack, place.bucket, f"{name}/"))  # type: ignore[misc]
        names = {
            f"table/{stack.outputs['TableName']}": f"table/{name}",
            f"event-bus/{stack.parameters['EventBusName']}": f"event-bus/{name}",
            **{
                place.url("")[5:].rstrip("/"): new.url("")[5:].rstrip("/")
                for place, new in zip(own, (extracts, reports), strict=True)
            },
        }
        prefixes = {f"{place.prefix}/*": f"{name}/{place.prefix}/*" for place in own}
        variables = {
            "TABLE_NAME": name,
            "EXTRACTS": extracts.url(),
            "REPORTS": reports.url(),
            "WORKBOOK": "dir:config/workbook",
            "EXAMPLE_THRESHOLDS": "allow",
            "EVENT_BUS": name,
            "STACK": name,
            "MEASURING": "embedded",
        }
        for short, logical in COPIED.items():
            role = make.role(short, f"{short.title()}Role", names, prefixes)
            make.function(short, logical, role, variables)
        yield Trial(stack, name, extracts, queue)


class _Maker:
    """Creates the parts of a trial, and remembers how to delete each."""

    def __init__(self, stack: Deployed, name: str, undo: ExitStack, kept: list[str]) -> None:
        self.stack = stack
        self.name = name
        self._undo = undo
        self._kept = kept

    def later(self, what: str, delete: Callable[[], object]) -> None:
        def attempt() -> None:
            try:
                delete()
            except (BotoCoreError, ClientError) as error:
                self._kept.append(f"{what} ({error})")

        self._undo.callback(attempt)

    def table(self) -> None:
        dynamodb = self.stack.client("dynamodb")
        found = dynamodb.describe_table(TableName=self.stack.outputs["TableName"])["Table"]
        dynamodb.create_table(
            TableName=self.name,
            AttributeDefinitions=found["AttributeDefinitions"],
            KeySchema=found["KeySchema"],
            BillingMode="PAY_PER_REQUEST",
        )
        self.later(f"table {self.name}", lambda: dynamodb.delete_table(TableName=self.name))
        dynamodb.get_waiter("table_exists").wait(TableName=self.name, WaiterConfig={"Delay": 3})

    def queue_behind_a_bus(self) -> str:
        """The address of a queue that receives everything that is sent to the trial's own bus."""
        sqs, events = self.stack.client("sqs"), self.stack.client("events")
        url: str = sqs.create_queue(QueueName=self.name)["QueueUrl"]
        self.later(f"queue {self.name}", lambda: sqs.delete_queue(QueueUrl=url))
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        events.create_event_bus(Name=self.name)
        self.later(f"event bus {self.name}", lambda: events.delete_event_bus(Name=self.name))
        pattern = json.dumps({"source": ["mcn.levels"]})
        rule = events.put_rule(Name=self.name, EventBusName=self.name, EventPattern=pattern)["RuleArn"]
        self.later(f"rule {self.name}", lambda: events.delete_rule(Name=self.name, EventBusName=self.name))
        allowed = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        events.put_targets(Rule=self.name, EventBusName=self.name, Targets=[{"Id": "queue", "Arn": arn}])
        self.later(
            f"target of rule {self.name}",
            lambda: events.remove_targets(Rule=self.name, EventBusName=self.name, Ids=["queue"]),
        )
        return url

    def role(self, short: str, logical: str, names: Mapping[str, str], prefixes: Mapping[str, str]) -> str:
        """The ARN of a role with the policies of the stack's role, over the trial's own things."""
        iam, original, name = self.stack.client("iam"), self.stack.resources[logical], f"{self.name}-{short}"
        trusted = iam.get_role(RoleName=original)["Role"]["AssumeRolePolicyDocument"]
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trusted))["Role"]["Arn"]
        self.later(f"role {name}", lambda: iam.delete_role(RoleName=name))
        for policy in iam.list_role_policies(RoleName=original)["PolicyNames"]:
            found = iam.get_role_policy(RoleName=original, PolicyName=policy)["PolicyDocument"]
            document = json.dumps(_renamed(found, names, prefixes))
            iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=document)
            self.later(
                f"policy of role {name}",
                lambda policy=policy: iam.delete_role_policy(RoleName=name, PolicyName=policy),  # type: ignore[misc]
            )
        return str(made)

    def function(self, short: str, logical: str, role: str, variables: Mapping[str, str]) -> None:
        """A function with the code and the settings of the stack's, and these variables in place of its own."""
        client, name = self.stack.client("lambda"), f"{self.name}-{short}"
        found = client.get_function_configuration(FunctionName=self.stack.resources[logical])
        own = found["Environment"]["Variables"]
        settings = {setting: found[setting] for setting in CONFIGURED if setting in found}
        if "LoggingConfig" in found:
            settings["LoggingConfig"] = found["LoggingConfig"]  # the roles let it log where the stack logs
        environment = {"Variables": own | {n: value for n, value in variables.items() if n in own}}
        code = self.stack.template["Resources"][logical]["Properties"]["Code"]

        def create() -> None:
            client.create_function(FunctionName=name, Role=role, Code=code, Environment=environment, **settings)

        _once_the_role_is_known(create)
        self.later(f"function {name}", lambda: client.delete_function(FunctionName=name))
        client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 2})


def _once_the_role_is_known(create: Callable[[], None]) -> None:
    """Repeat until Lambda knows a new role, which takes IAM some ten seconds."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            create()
        except ClientError as error:
            if "cannot be assumed" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(3)
        else:
            return


def _renamed(value: Any, names: Mapping[str, str], prefixes: Mapping[str, str]) -> Any:
    """A policy with the trial's names instead of the stack's."""
    if isinstance(value, dict):
        return {name: _renamed(one, names, prefixes) for name, one in value.items()}
    if isinstance(value, list):
        return [_renamed(one, names, prefixes) for one in value]
    if not isinstance(value, str):
        return value
    if value in prefixes:
        return prefixes[value]
    for old, new in names.items():
        if value.endswith(old) or f"{old}/" in value:
            return value.replace(old, new)
    return value


def _empty(stack: Deployed, bucket: str, prefix: str) -> None:
    """Delete every version of every object below a prefix."""
    s3 = stack.client("s3")
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        gone = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in found]
        if gone:
            s3.delete_objects(Bucket=bucket, Delete={"Objects": gone, "Quiet": True})
