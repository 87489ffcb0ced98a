"""Least privilege, proved: everything that the functions do is allowed by their roles, and nothing more is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from functions.lookup.api import api
from functions.rating.workbook.google.identity import READING, credentials
from shared.errors import ExtractsUnavailable, LevelsError, WorkbookUnavailable
from shared.settings import GoogleSettings
from tests.aws import create_bucket
from tests.cloud import BUCKET, REPORTS, WORKBOOK, Cloud, small_cloud
from tests.permissions import Asked, Role, role, session_events
from tests.published import agency, empty_world

# Done with the role by Lambda itself, so no request of the code asks for it.
BY_LAMBDA = {"KeepFailures", "Log", "Trace"}
STACK = {
    "ExtractsBucket": BUCKET,
    "ReportsBucket": REPORTS,
    "Table": "levels",
    "ExtractsPrefix": "in",
    "ReportsPrefix": "out",
}
DECIDED = {"by": "Li", "reason": "looked at it"}
BIG, MIDDLE, SMALL, NONE = (5, 500_000), (2, 10_000), (1, 0), (0, 0)
HALF = "setting,value\nmax_downgraded_share,0.4\n"


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with small_cloud(tmp_path) as cloud:
        yield cloud


@pytest.fixture
def events() -> Iterator[Any]:
    with session_events() as events:
        yield events


def every_outcome(cloud: Cloud) -> list[str]:
    """Three months of everything that can be asked of the rating function; what came of it."""
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


def test_the_rating_function_needs_all_that_its_role_allows_and_nothing_else(cloud: Cloud, events: Any) -> None:
    rating = role("RatingRole", **STACK)
    with rating.enforced(events):
        outcomes = every_outcome(cloud)
    assert outcomes == [
        *("checked", "not_ready", "previewed", "published", "published", "unchanged", "held", "published"),
        *("refreshed", "verified", "published", "rolled_back", "differs"),
    ]
    assert rating.denied == []
    assert unneeded(rating) == set()


def test_the_lookup_function_needs_all_that_its_role_allows_and_nothing_else() -> None:
    with empty_world() as world:
        lookup = role("LookupRole", **{**STACK, "Table": world.table.name})
        for month in ("2026-08", "2026-09", "2026-10"):
            world.publish(month, [agency("A", four=1), agency("B")])
        caller = world.caller()
        with lookup.enforced(world.table.client.meta.events):
            statuses = {operation.name: caller.operation(operation).status for operation in api.operations}
            caller.operation(api.operations[0], "no-such-agency")
    assert set(statuses.values()) <= {200, 403}, statuses
    assert lookup.denied == []
    assert unneeded(lookup) == set()


def unneeded(of: Role) -> set[tuple[str, str]]:
    """Statements and actions that nothing needed."""
    return {pair for pair in of.given - of.needed if pair[0] not in BY_LAMBDA}


@pytest.mark.parametrize("workbook", ["s3://workbooks/levels/", "s3://workbooks/levels/workbook.xlsx"])
def test_a_workbook_in_s3_is_read_and_answered_beside_and_no_other_object_is(
    workbook: str, cloud: Cloud, events: Any
) -> None:
    create_bucket(cloud.s3, "workbooks")
    rating = role("RatingRole", **STACK, Workbook=workbook)
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


def test_a_key_for_google_is_read_only_where_the_stack_has_one(cloud: Cloud, events: Any) -> None:
    arn = boto3.client("secretsmanager").create_secret(Name="google-key", SecretString="{}")["ARN"]
    settings = GoogleSettings(key_secret=arn)
    for given, message in (
        ({"GoogleKeySecret": arn}, "it is no service account key"),
        ({}, "not authorized to perform"),
    ):
        with role("RatingRole", **STACK, **given).enforced(events), pytest.raises(WorkbookUnavailable, match=message):
            credentials(settings, READING, boto3._get_default_session())


def test_the_restored_table_is_the_one_that_may_be_written_once_a_stack_has_it() -> None:
    rating = role("RatingRole", **STACK, RestoredTable="levels-restored")
    arn = "arn:aws:dynamodb:ap-east-1:123456789012:table/"
    assert rating.allows(Asked("dynamodb:PutItem", f"{arn}levels-restored"))
    assert not rating.allows(Asked("dynamodb:PutItem", f"{arn}levels"))


# --- the evaluator itself: what it must refuse ------------------------------------------------------------------------


def test_a_missing_statement_is_noticed(cloud: Cloud, events: Any) -> None:
    rating = role("RatingRole", **STACK)
    rating.statements = [statement for statement in rating.statements if statement["Sid"] != "ListExtracts"]
    cloud.put_month("2026-05", {"a": BIG})
    with rating.enforced(events), pytest.raises(ExtractsUnavailable, match="s3:ListBucket"):
        cloud.rate({"month": "2026-05"})


def test_another_folder_of_the_same_bucket_is_refused(cloud: Cloud, events: Any) -> None:
    cloud.put_month("2026-05", {"a": BIG})
    with role("RatingRole", **{**STACK, "ExtractsPrefix": "elsewhere"}).enforced(events), pytest.raises(LevelsError):
        cloud.rate({"month": "2026-05"})


def test_a_statement_that_nothing_needs_is_noticed(cloud: Cloud, events: Any) -> None:
    rating = role("RatingRole", **STACK)
    more = {"Sid": "More", "Effect": "Allow", "Action": "dynamodb:DeleteItem", "Resource": "*"}
    rating.statements = [*rating.statements, more]
    with rating.enforced(events):
        every_outcome(cloud)
    assert json.dumps(sorted(unneeded(rating))) == '[["More", "dynamodb:DeleteItem"]]'
