"""Least privilege, proved by running: the roles allow everything that the functions do, and nothing more."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError

from functions.lookup.api import api
from functions.operations.asking import invoke_with
from functions.rating.workbook.google.identity import READING, credentials
from shared.errors import ExtractsUnavailable, LevelsError, WorkbookUnavailable
from shared.settings import GoogleSettings
from tests.aws import create_bucket
from tests.cloud import REPORTS, WORKBOOK, Cloud, small_cloud
from tests.operating import Console, declared_operations
from tests.permissions import SMALL_CLOUD, Asked, Role, role, session_events
from tests.published import agency, empty_world

# Used by Lambda itself, not by requests of the code.
BY_LAMBDA = {"KeepFailures", "Log", "Trace"}
DECIDED = {"by": "Li", "reason": "checked"}
BIG, MIDDLE, SMALL, NONE = (5, 500_000), (2, 10_000), (1, 0), (0, 0)
HALF = "setting,value\nmax_downgraded_share,0.4\n"


@pytest.fixture(scope="module")
def beginning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with small_cloud(tmp_path_factory.mktemp("cloud")) as cloud:
        cloud.remember()
        yield cloud


@pytest.fixture
def cloud(beginning: Cloud) -> Cloud:
    return beginning.bring_back()


@pytest.fixture
def events() -> Iterator[Any]:
    with session_events() as events:
        yield events


def every_outcome(cloud: Cloud) -> list[str]:
    """The outcomes of three months in which the rating function gets every kind of event."""
    four = {"a": BIG, "b": MIDDLE, "c": SMALL, "d": NONE}
    answers = [cloud.rate({"mode": "check"}), cloud.rate({"scheduled_at": "2026-05-02T18:00:00Z"})]
    cloud.put_month("2026-04", four)
    answers += [cloud.rate({"month": "2026-04", "mode": "preview"}), first := cloud.rate({"month": "2026-04"})]
    cloud.put_month("2026-05", four)
    answers += [
        cloud.rate({"scheduled_at": "2026-06-02T18:00:00Z"}),
        cloud.rate({"scheduled_at": "2026-06-02T18:30:00Z"}),
    ]
    cloud.write_workbook(settings=HALF)
    cloud.put_month("2026-06", {"a": SMALL, "b": SMALL, "c": SMALL, "d": NONE})
    answers += [held := cloud.rate({"month": "2026-06"}), cloud.rate({"accept": held["run"], **DECIDED})]
    cloud.write_workbook(settings=HALF, levels=WORKBOOK["levels"].replace("三级", "领航"))
    answers += [cloud.rate({"mode": "refresh"}), cloud.rate({"verify": held["run"]})]
    cloud.put_month("2026-04", {**four, "c": MIDDLE})
    answers += [cloud.rate({"month": "2026-04"}), cloud.rate({"rollback": first["run"], **DECIDED})]
    answers += [cloud.rate({"verify": first["run"]})]
    return [answer["outcome"] for answer in answers]


def test_the_rating_function_needs_exactly_what_its_role_allows(cloud: Cloud, events: Any) -> None:
    rating = role("RatingRole", **SMALL_CLOUD)
    with rating.enforced(events):
        outcomes = every_outcome(cloud)
    assert outcomes == [
        *("checked", "not_ready", "previewed", "published", "published", "unchanged", "held", "published"),
        *("refreshed", "verified", "published", "rolled_back", "differs"),
    ]
    assert rating.denied == []
    assert unneeded(rating) == set()


def test_the_lookup_function_needs_exactly_what_its_role_allows() -> None:
    with empty_world() as world:
        lookup = role("LookupRole", **{**SMALL_CLOUD, "Table": world.table.name})
        for month in ("2026-08", "2026-09", "2026-10"):
            world.publish(month, [agency("A", four=1), agency("B")])
        caller = world.caller()
        with lookup.enforced(world.table.client.meta.events):
            statuses = {operation.name: caller.operation(operation).status for operation in api.operations}
            caller.operation(api.operations[0], "no-such-agency")
    assert set(statuses.values()) <= {200, 403}, statuses
    assert lookup.denied == []
    assert unneeded(lookup) == set()


def test_the_consoles_function_needs_exactly_what_its_role_allows(
    cloud: Cloud,
) -> None:
    create_bucket(cloud.s3, "workbooks")
    cloud.write_workbook(settings=HALF)
    for month, rows in (
        ("2026-04", {"a": BIG, "b": BIG, "c": MIDDLE}),
        ("2026-05", {"a": SMALL, "b": SMALL, "c": SMALL}),
    ):
        cloud.put_month(month, rows)
        run = cloud.rate({"month": month})["run"]
    workbook = "s3://workbooks/levels/levels.xlsx"
    operations = role("OperationsRole", **SMALL_CLOUD, Workbook=workbook, RatingFunction="rating")
    console = WiredConsole(cloud, workbook)
    console.now += timedelta(days=31)  # June waits for its extracts
    with operations.enforced(console.session.events):
        statuses = every_operation(console, run)
        console.lambda_is_up = False
        console.now += timedelta(minutes=1)
        assert console.ask("POST", "/v1/operations/checks", {}).status == 503
    assert set(statuses.values()) == {200, 202}, statuses
    assert operations.denied == []
    assert unneeded(operations) == set()


def every_operation(console: Console, run: str) -> dict[str, int]:
    """The status of every operation of the console's function, with a held run."""
    decision = {"reason": "checked", "month": "2026-05", "pointer": console.get("months")["pointer"]}
    bodies: dict[str, Any] = {
        "accept": decision,
        "rollback": decision,
        "previews": {"month": "2026-05"},
        "checks": {},
        "workbook": {"content": b64encode(b"PK\x03\x04 and more").decode(), "replaces": None},
    }
    console.ask("POST", "/v1/operations/checks", {})
    console.work()
    bodies["refresh"] = {
        "reason": "agreed",
        "pointer": decision["pointer"],
        "checked_at": console.get("workbook")["at"],
    }
    ticket = console.ask("POST", "/v1/operations/previews", bodies["previews"]).json["ticket"]
    statuses = {}
    for method, path in declared_operations():
        query = "?month=2026-05" if path.endswith("/runs") else ""
        target = path.replace("<run>", run).replace("<ticket>", ticket) + query
        body = bodies[path.rpartition("/")[2]] if method == "POST" else None
        statuses[f"{method} {path}"] = console.ask(method, target, body).status
    return statuses


@dataclass
class WiredConsole(Console):
    """Has its own clients and invokes Lambda, which is emulated: ``work`` runs what was invoked."""

    session: boto3.Session = field(default_factory=boto3.Session)
    lambda_is_up: bool = True

    @property
    def handler(self) -> Any:
        client = self.session.client("lambda")

        def accepted(model: Any, params: dict[str, Any], **_: Any) -> tuple[SimpleNamespace, dict[str, Any]]:
            if not self.lambda_is_up:
                raise EndpointConnectionError(endpoint_url="https://lambda.invalid")
            self.asked.append(json.loads(params["body"]))
            return SimpleNamespace(status_code=202), {"StatusCode": 202}

        hook: Any = accepted  # botocore's types say that a hook returns nothing
        client.meta.events.register("before-call.lambda.Invoke", hook)
        return self.handler_asking(invoke_with(client, "rating"), self.session)


def test_the_console_answers_404_for_a_run_without_a_report_although_s3_says_access_denied(
    cloud: Cloud,
) -> None:
    cloud.put_month("2026-04", {"a": BIG})
    run = cloud.rate({"month": "2026-04"})["run"]
    cloud.s3.delete_object(Bucket=REPORTS, Key=f"out/month=2026-04/run={run}/report.json")
    console = WiredConsole(cloud)
    with role("OperationsRole", **SMALL_CLOUD, RatingFunction="rating").enforced(console.session.events):
        assert console.ask("GET", f"/v1/operations/runs/{run}").status == 404


def test_a_decision_about_a_run_without_a_report_gives_no_warning(
    cloud: Cloud, events: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.put_month("2026-04", {"a": BIG})
    first = cloud.rate({"month": "2026-04"})["run"]
    cloud.put_month("2026-04", {"a": MIDDLE})
    cloud.rate({"month": "2026-04"})
    cloud.s3.delete_object(Bucket=REPORTS, Key=f"out/month=2026-04/run={first}/report.json")
    capsys.readouterr()
    with role("RatingRole", **SMALL_CLOUD).enforced(events):
        assert cloud.rate({"rollback": first, **DECIDED})["outcome"] == "rolled_back"
    assert "could not be written again" not in capsys.readouterr().out


def unneeded(used: Role) -> set[tuple[str, str]]:
    """The statements and actions of a role that no request needed."""
    return {pair for pair in used.given - used.needed if pair[0] not in BY_LAMBDA}


@pytest.mark.parametrize("workbook", ["s3://workbooks/levels/", "s3://workbooks/levels/workbook.xlsx"])
def test_the_role_allows_the_workbook_in_s3_and_no_other_object_of_its_bucket(
    workbook: str, cloud: Cloud, events: Any
) -> None:
    create_bucket(cloud.s3, "workbooks")
    rating = role("RatingRole", **SMALL_CLOUD, Workbook=workbook)
    with pytest.MonkeyPatch.context() as patch, rating.enforced(events):
        patch.setenv("WORKBOOK", workbook)
        for name, text in WORKBOOK.items():
            cloud.s3.put_object(Bucket="workbooks", Key=f"levels/{name}.csv", Body=text.encode())
        if workbook.endswith("/"):
            assert cloud.rate({"mode": "check"})["outcome"] == "checked"
        else:
            with pytest.raises(WorkbookUnavailable, match="no such object"):
                cloud.rate({"mode": "check"})
    assert rating.denied == []
    for other in ("arn:aws:s3:::workbooks/other.csv", "arn:aws:s3:::workbooks-of-others/levels/levels.csv"):
        assert not rating.allows(Asked("s3:GetObject", other))
        assert not rating.allows(Asked("s3:PutObject", other))


def test_the_key_for_google_can_be_read_only_if_the_stack_has_one(cloud: Cloud, events: Any) -> None:
    arn = boto3.client("secretsmanager").create_secret(Name="google-key", SecretString="{}")["ARN"]
    settings = GoogleSettings(key_secret=arn)
    for parameters, message in (
        ({"GoogleKeySecret": arn}, "it is not a service account key"),
        ({}, "not authorized to perform"),
    ):
        with (
            role("RatingRole", **SMALL_CLOUD, **parameters).enforced(events),
            pytest.raises(WorkbookUnavailable, match=message),
        ):
            credentials(settings, READING, boto3._get_default_session())


def test_with_a_restored_table_the_role_allows_that_table_only() -> None:
    rating = role("RatingRole", **SMALL_CLOUD, RestoredTable="levels-restored")
    arn = "arn:aws:dynamodb:ap-east-1:123456789012:table/"
    assert rating.allows(Asked("dynamodb:PutItem", f"{arn}levels-restored"))
    assert not rating.allows(Asked("dynamodb:PutItem", f"{arn}levels"))


# --- the evaluator of these tests -------------------------------------------------------------------------------------


def test_a_missing_statement_is_noticed(cloud: Cloud, events: Any) -> None:
    rating = role("RatingRole", **SMALL_CLOUD)
    rating.statements = [statement for statement in rating.statements if statement["Sid"] != "ListExtracts"]
    cloud.put_month("2026-05", {"a": BIG})
    with rating.enforced(events), pytest.raises(ExtractsUnavailable, match="s3:ListBucket"):
        cloud.rate({"month": "2026-05"})


def test_another_folder_of_the_same_bucket_is_refused(cloud: Cloud, events: Any) -> None:
    cloud.put_month("2026-05", {"a": BIG})
    with (
        role("RatingRole", **{**SMALL_CLOUD, "ExtractsPrefix": "elsewhere"}).enforced(events),
        pytest.raises(LevelsError),
    ):
        cloud.rate({"month": "2026-05"})


def test_a_statement_that_nothing_needs_is_noticed(cloud: Cloud, events: Any) -> None:
    rating = role("RatingRole", **SMALL_CLOUD)
    more = {"Sid": "More", "Effect": "Allow", "Action": "dynamodb:DeleteItem", "Resource": "*"}
    rating.statements = [*rating.statements, more]
    with rating.enforced(events):
        every_outcome(cloud)
    assert json.dumps(sorted(unneeded(rating))) == '[["More", "dynamodb:DeleteItem"]]'
