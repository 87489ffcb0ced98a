"""Checks that only read: whether each part of the stack is what its template says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import requests
from botocore.exceptions import ClientError

from tools.smoke.deployed import Deployed
from tools.smoke.results import Failed, NotProvable

Check = tuple[str, Callable[[], str]]
SECONDS = 20


def checks(stack: Deployed) -> Iterator[Check]:
    """Every check, with what it is about."""
    yield "parameters: the tokens' issuer publishes its keys", partial(issuer, stack)
    yield "parameters: levels are not those of the example", partial(workbook, stack)
    yield "lookups: the alias has what was deployed last", partial(alias, stack)
    yield "lookups: started from a snapshot", partial(snapshot, stack)
    for name in stack.of_type("AWS::Scheduler::Schedule"):
        yield f"schedule {name}: as the template has it, with its time zone", partial(schedule, stack, name)
    yield "alarms: on, and heard", partial(alarms, stack)
    yield "alarms: whoever is on call has confirmed", partial(subscribers, stack)
    yield "queues of failures are empty", partial(queues, stack)
    for name in stack.of_type("AWS::S3::Bucket"):
        what = f"bucket {name}: private, encrypted, versions and expiry as the template has them"
        yield what, partial(bucket, stack, name)
        yield f"bucket {name}: refuses plain HTTP", partial(policy, stack, name)
    for name in stack.of_type("AWS::Glue::Job"):
        yield f"Spark job {name}: there, with its code", partial(job, stack, name)
    yield "table: keys, expiry, and a way back", partial(table, stack)
    yield "logs end by themselves", partial(logs, stack)
    yield "routes: closed but for those that are meant to be open", partial(routes, stack)


def issuer(stack: Deployed) -> str:
    named = stack.parameters["JwtIssuer"]
    found = requests.get(f"{named.rstrip('/')}/.well-known/openid-configuration", timeout=SECONDS)
    if found.status_code != requests.codes.ok:
        raise Failed(f"{found.url} answers {found.status_code}; expected the issuer's own description")
    described = found.json()
    if described.get("issuer") != named:
        raise Failed(f"{found.url} names the issuer {described.get('issuer')!r}; JwtIssuer is {named!r}")
    keys = requests.get(described["jwks_uri"], timeout=SECONDS).json()["keys"]
    return f"{named}, {len(keys)} keys"


def workbook(stack: Deployed) -> str:
    found, example = stack.parameters["Workbook"], stack.parameters["ExampleThresholds"]
    if example == "allow":
        raise NotProvable(f"ExampleThresholds=allow, Workbook={found}: this stack is for trying")
    return f"Workbook={found}, ExampleThresholds={example}"


def alias(stack: Deployed) -> str:
    function = stack.resources["LookupFunction"]
    version = stack.client("lambda").get_alias(FunctionName=function, Name="live")["FunctionVersion"]
    live = stack.client("lambda").get_function_configuration(FunctionName=function, Qualifier=version)
    last = stack.client("lambda").get_function_configuration(FunctionName=function)
    different = [
        name
        for name in ("CodeSha256", "MemorySize", "Timeout", "Environment", "Architectures", "Role")
        if live.get(name) != last.get(name)
    ]
    if version == "$LATEST" or different:
        raise Failed(f"live is version {version}, which differs from what was deployed in {', '.join(different)}")
    return f"live is version {version}, {live['MemorySize']} MB"


def snapshot(stack: Deployed) -> str:
    if stack.parameters["SnapStart"] == "None":
        raise NotProvable("SnapStart=None")
    function = stack.resources["LookupFunction"]
    found = stack.client("lambda").get_function_configuration(FunctionName=function, Qualifier="live").get("SnapStart")
    if not found or "OptimizationStatus" not in found:
        raise NotProvable("Lambda does not say whether there is a snapshot")
    if found["OptimizationStatus"] != "On":
        raise Failed(f"SnapStart is {found}; expected OptimizationStatus On")
    return "OptimizationStatus On"


def schedule(stack: Deployed, name: str) -> str:
    meant, client = stack.of_type("AWS::Scheduler::Schedule")[name], stack.client("scheduler")
    found = client.get_schedule(Name=stack.resources[name].rpartition("|")[2].rpartition("/")[2])
    for attribute in ("ScheduleExpression", "ScheduleExpressionTimezone", "State"):
        wanted = stack.meant(meant.get(attribute, "ENABLED"))
        if wanted is not None and found[attribute] != wanted:
            raise Failed(f"{attribute} is {found[attribute]}; expected {wanted}")
    if found["Target"]["Input"] != meant["Target"]["Input"]:
        raise Failed(f"it sends {found['Target']['Input']}; expected {meant['Target']['Input']}")
    if "DeadLetterConfig" in meant["Target"] and not found["Target"].get("DeadLetterConfig", {}).get("Arn"):
        raise Failed("what it can't hand over is lost: it has no queue")
    return f"{found['ScheduleExpression']} {found['ScheduleExpressionTimezone']}, {found['State']}"


def alarms(stack: Deployed) -> str:
    wanted = stack.of_type("AWS::CloudWatch::Alarm")
    names = {stack.resources[name]: name for name in wanted}
    found = stack.client("cloudwatch").describe_alarms(AlarmNames=sorted(names))["MetricAlarms"]
    if missing := names.keys() - {alarm["AlarmName"] for alarm in found}:
        raise Failed(f"not there: {', '.join(sorted(missing))}")
    topic = stack.outputs["AlarmTopicArn"]
    if silent := [
        alarm["AlarmName"] for alarm in found if not alarm["ActionsEnabled"] or topic not in alarm["AlarmActions"]
    ]:
        raise Failed(f"nobody hears of {', '.join(silent)}; expected the action {topic}")
    if raised := [
        f"{alarm['AlarmName']} ({alarm['StateReason']})" for alarm in found if alarm["StateValue"] == "ALARM"
    ]:
        raise Failed(f"raised now: {'; '.join(raised)}. What to do about each: docs/runbook")
    return f"{len(found)} alarms, none raised, all to {topic}"


def subscribers(stack: Deployed) -> str:
    topic = stack.outputs["AlarmTopicArn"]
    found = stack.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    if pending := [one["Endpoint"] for one in found if one["SubscriptionArn"] == "PendingConfirmation"]:
        raise Failed(f"not confirmed: {', '.join(pending)}. Open the mail that AWS sent, and confirm")
    if not found:
        raise NotProvable("nobody is subscribed: AlarmEmail is empty. Subscribe those who are on call")
    return ", ".join(sorted(one["Endpoint"] for one in found))


def queues(stack: Deployed) -> str:
    counts = {}
    for name in stack.of_type("AWS::SQS::Queue"):
        url = stack.resources[name]
        asked = ["ApproximateNumberOfMessages"]
        found = stack.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=asked)["Attributes"]
        counts[name] = int(found["ApproximateNumberOfMessages"])
    if full := {name: count for name, count in counts.items() if count}:
        raise Failed(f"{full}: what is in them and how to empty them: docs/runbook")
    return ", ".join(counts)


def bucket(stack: Deployed, name: str) -> str:
    s3, physical, meant = stack.client("s3"), stack.resources[name], stack.of_type("AWS::S3::Bucket")[name]
    open_to = s3.get_public_access_block(Bucket=physical)["PublicAccessBlockConfiguration"]
    if not all(open_to.values()):
        raise Failed(f"{physical}: public access is not blocked: {open_to}")
    s3.get_bucket_encryption(Bucket=physical)
    versioned = s3.get_bucket_versioning(Bucket=physical).get("Status") == "Enabled"
    if "VersioningConfiguration" in meant and not versioned:
        raise Failed(f"{physical}: versioning is off; an overwritten object would be lost")
    if "LifecycleConfiguration" in meant:
        s3.get_bucket_lifecycle_configuration(Bucket=physical)
    return physical


def policy(stack: Deployed, name: str) -> str:
    physical = stack.resources[name]
    found = json.loads(stack.client("s3").get_bucket_policy(Bucket=physical)["Policy"])
    denied = [
        s for s in _listed(found["Statement"]) if s["Effect"] == "Deny" and s.get("Principal") in ("*", {"AWS": "*"})
    ]
    if not any(s.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport") == "false" for s in denied):
        raise Failed(f"{physical}: no statement denies requests without TLS")
    if stack.emulated:
        raise NotProvable("the policy says so; an emulator lets everybody do everything")
    plain = stack.session.client("s3", use_ssl=False)
    try:
        plain.list_objects_v2(Bucket=physical, MaxKeys=1)
    except ClientError as error:
        if error.response["Error"]["Code"] == "AccessDenied":
            return f"{physical} answers AccessDenied without TLS"
        raise
    raise Failed(f"{physical} was listed without TLS")


def job(stack: Deployed, name: str) -> str:
    found = stack.client("glue").get_job(JobName=stack.resources[name])["Job"]
    arguments = found.get("DefaultArguments", {})
    for address in (found["Command"]["ScriptLocation"], arguments["--additional-python-modules"]):
        bucket, _, key = address.removeprefix("s3://").partition("/")
        if not stack.client("s3").list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("Contents"):
            raise Failed(f"{address}: there is no such object. make deploy puts it there")
    return f"{found['Name']}, {found.get('NumberOfWorkers')} workers"


def table(stack: Deployed) -> str:
    dynamodb, name = stack.client("dynamodb"), stack.outputs["TableName"]
    found = dynamodb.describe_table(TableName=name)["Table"]
    if [(key["AttributeName"], key["KeyType"]) for key in found["KeySchema"]] != [("pk", "HASH"), ("sk", "RANGE")]:
        raise Failed(f"{name}: its keys are {found['KeySchema']}")
    expiry = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    if (expiry.get("AttributeName"), expiry.get("TimeToLiveStatus")) != ("expires_at", "ENABLED"):
        raise Failed(f"{name}: nothing expires: {expiry}")
    backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    if backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] != "ENABLED":
        raise Failed(f"{name}: point-in-time recovery is off (docs/disaster)")
    if not found.get("DeletionProtectionEnabled"):
        raise Failed(f"{name}: it can be deleted by mistake: deletion protection is off")
    return f"{name}, {found.get('ItemCount', 0)} items"


def logs(stack: Deployed) -> str:
    groups = [stack.resources[name] for name in stack.of_type("AWS::Logs::LogGroup")]
    endless = []
    for group in groups:
        found = stack.client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]
        endless += [
            one["logGroupName"] for one in found if one["logGroupName"] == group and "retentionInDays" not in one
        ]
    if endless:
        raise Failed(f"kept for ever: {', '.join(endless)}")
    return f"{len(groups)} log groups, {stack.parameters['LogRetentionDays']} days"


def routes(stack: Deployed) -> str:
    pages = stack.client("apigatewayv2").get_paginator("get_routes").paginate(ApiId=stack.resources["Api"])
    found = [route for page in pages for route in page["Items"]]
    meant = {"GET /healthz", "$default"} if stack.parameters["OpenRoutes"] == "true" else set()
    open_to_all = {
        route["RouteKey"]
        for route in found
        if route.get("AuthorizationType") != "JWT" or not route.get("AuthorizationScopes")
    }
    if open_to_all - meant:
        raise Failed(f"open without a token: {', '.join(sorted(open_to_all - meant))}")
    if meant - open_to_all:
        raise Failed(f"not there: {', '.join(sorted(meant - open_to_all))}")
    return f"{len(found)} routes, {len(open_to_all)} of them open"


def _listed(value: Any) -> list[Mapping[str, Any]]:
    return value if isinstance(value, list) else [value]
