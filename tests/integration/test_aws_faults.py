"""Faults of AWS in each call of a run: the run retries a short one; a lasting one stops it with its cause."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, cast

import botocore.endpoint
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError

from functions.rating import wiring
from functions.rating.publication import ledger
from functions.rating.publication.outbox import outbox_entry_from
from shared.errors import EventsUnsent, ExtractsUnavailable, LevelsError, ReportUnwritten, TableUnavailable
from tests.cloud import WORKBOOK, Cloud, small_cloud
from tests.wire import on_each_call

APRIL, MAY = {"month": "2026-04"}, {"month": "2026-05"}
DECIDED = {"by": "Li", "reason": "looked at it"}
CALLS = (
    "dynamodb.GetItem",
    "s3.ListObjectsV2",
    "dynamodb.Query",
    "dynamodb.BatchGetItem",
    "dynamodb.PutItem",
    "s3.GetObject",
    "dynamodb.UpdateItem",
    "dynamodb.BatchWriteItem",
    "s3.PutObject",
    "dynamodb.TransactWriteItems",
    "eventbridge.PutEvents",
)
FOR_THE_CONSOLE = "dynamodb.PutItem"  # the result of the last check: levels do not depend on it
TYPES = {
    "s3.ListObjectsV2": ExtractsUnavailable,
    "s3.GetObject": ExtractsUnavailable,
    "s3.PutObject": ReportUnwritten,
    "eventbridge.PutEvents": EventsUnsent,
}


class Body:
    """The body of an answer as botocore reads it."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def stream(self) -> Iterator[bytes]:
        yield self.content


def refusal(status: int, code: str, service: str) -> AWSResponse:
    """An error answer as S3 (XML) or the JSON services send it."""
    if service == "s3":
        content = f"<Error><Code>{code}</Code><Message>injected</Message></Error>".encode()
    else:
        content = f'{{"__type":"{code}","message":"injected"}}'.encode()
    return AWSResponse("https://aws.invalid", status, HTTPHeaders(), Body(content))


def raising(error: Exception) -> Callable[[str], Any]:
    def fail(_: str) -> Any:
        raise error

    return fail


THROTTLED = {
    "s3": "SlowDown",
    "dynamodb": "ProvisionedThroughputExceededException",
    "eventbridge": "ThrottlingException",
}
FAULTS: dict[str, Callable[[str], Any]] = {
    "a server error": lambda service: refusal(500, "InternalError", service),
    "throttling": lambda service: refusal(503 if service == "s3" else 400, THROTTLED[service], service),
    "a time-out while reading": raising(ReadTimeoutError(endpoint_url="https://aws.invalid")),
    "a time-out while connecting": raising(ConnectTimeoutError(endpoint_url="https://aws.invalid")),
    "no connection": raising(EndpointConnectionError(endpoint_url="https://aws.invalid")),
}
FINAL: dict[str, Callable[[str], Any]] = {
    "expired credentials": lambda service: refusal(400, "ExpiredTokenException", service),
    "no permission": lambda service: refusal(403, "AccessDeniedException", service),
}
WITHOUT_SWEEP = ("a server error", "a time-out while reading", "expired credentials")


@pytest.fixture(scope="module")
def april(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """April is published; May is ready."""
    with small_cloud(tmp_path_factory.mktemp("cloud")) as cloud:
        cloud.put_month("2026-04", {"a": (2, 10_000), "b": (1, 0)})
        cloud.rate(APRIL)
        cloud.put_month("2026-05", {"a": (5, 500_000), "b": (0, 0)})
        cloud.remember()
        yield cloud


@pytest.fixture
def cloud(april: Cloud) -> Cloud:
    return april.bring_back()


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK's pauses between attempts take no time."""
    monkeypatch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=lambda _: None))


@pytest.fixture
def two_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients make only two attempts, so that a test of a lasting fault is quick."""
    monkeypatch.setattr(wiring, "CLIENT", Config(retries={"mode": "standard", "total_max_attempts": 2}))


def test_a_run_makes_exactly_these_calls(cloud: Cloud) -> None:
    made: list[str] = []
    with on_each_call(made.append):
        cloud.rate(MAY)
    assert set(made) == set(CALLS)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_short_fault_in_any_call_is_retried(cloud: Cloud, fault: str) -> None:
    failed: set[str] = set()

    def once(name: str) -> Any:
        if name in failed:
            return None
        failed.add(name)
        return FAULTS[fault](name.partition(".")[0])

    with on_each_call(once):
        assert cloud.rate(MAY)["outcome"] == "published"
    assert failed == set(CALLS)
    assert cloud.levels() == {"a": 3, "b": None}


def test_a_request_whose_answer_was_lost_can_be_sent_again(cloud: Cloud) -> None:
    lost: set[str] = set()

    def once(name: str) -> Any:
        if name in lost:
            return None
        lost.add(name)
        return refusal(500, "InternalError", name.partition(".")[0])

    with on_each_call(once, reaches_aws=True):
        assert cloud.rate(MAY)["outcome"] == "published"
    assert lost == set(CALLS)
    assert [entry.action for entry in ledger.entries(cloud.table, "2026-05")] == ["published"]


def test_items_that_dynamodb_did_not_write_are_sent_again(cloud: Cloud) -> None:
    refused: list[str] = []

    def refuse_all(request: AWSPreparedRequest, **_: object) -> Any:
        if len(refused) == 3:
            return None
        request.url, unwritten = "https://aws.invalid", json.loads(cast("bytes", request.body))["RequestItems"]
        refused.append(request.url)
        return AWSResponse(request.url, 200, HTTPHeaders(), Body(json.dumps({"UnprocessedItems": unwritten}).encode()))

    with on_each_call(lambda _: None) as session:
        session.events.register_first("before-send.dynamodb.BatchWriteItem", refuse_all)
        run = cloud.rate(MAY)["run"]
    assert len(refused) == 3
    assert cloud.rate({"verify": run})["outcome"] == "verified"


@pytest.mark.parametrize("name", [name for name in CALLS if name != FOR_THE_CONSOLE])
@pytest.mark.parametrize(
    "fault",
    [pytest.param(fault, marks=() if fault in WITHOUT_SWEEP else pytest.mark.sweep) for fault in (*FAULTS, *FINAL)],
)
@pytest.mark.usefixtures("two_attempts")
def test_a_lasting_fault_stops_the_run_with_its_cause_and_the_next_run_publishes(
    cloud: Cloud, name: str, fault: str
) -> None:
    before = cloud.levels()

    def always(called: str) -> Any:
        return {**FAULTS, **FINAL}[fault](called.partition(".")[0]) if called == name else None

    with on_each_call(always), pytest.raises(LevelsError) as caught:
        cloud.rate(MAY)
    assert type(caught.value) is TYPES.get(name, TableUnavailable)
    assert caught.value.__cause__ is not None
    assert str(caught.value.__cause__) in str(caught.value)
    after_publication = name == "eventbridge.PutEvents"
    assert cloud.levels() == ({"a": 3, "b": None} if after_publication else before)
    assert cloud.rate(MAY)["outcome"] == ("unchanged" if after_publication else "published")
    assert cloud.levels() == {"a": 3, "b": None}


def prepared(cloud: Cloud, action: str) -> tuple[dict[str, Any], str]:
    """The event of an action on a month that is ready for it, and the outcome if earlier attempts have done it."""
    if action == "accept":
        cloud.write_workbook(settings="setting,value\nmax_changed_share,0\n")
        return {"accept": cloud.rate(MAY)["run"], **DECIDED}, "unchanged"
    published = cloud.rate(MAY)["run"]
    if action == "verify":
        return {"verify": published}, "verified"
    if action == "rollback":
        cloud.put_month("2026-05", {"a": (2, 10_000), "b": (1, 0)})
        cloud.rate(MAY)
        return {"rollback": published, **DECIDED}, "unchanged"
    cloud.write_workbook(levels=WORKBOOK["levels"].replace("三级", "领航"))
    return {"mode": "refresh"}, "refreshed"


@pytest.mark.parametrize("action", ["accept", "rollback", "refresh", pytest.param("verify", marks=pytest.mark.sweep)])
def test_a_decision_can_be_repeated_after_credentials_expired_at_any_of_its_calls(cloud: Cloud, action: str) -> None:
    event, outcome = prepared(cloud, action)
    causes = []
    for working_calls in range(1_000):
        made: list[str] = []

        def expire(name: str, made: list[str] = made, working_calls: int = working_calls) -> Any:
            made.append(name)
            service = name.partition(".")[0]
            return FINAL["expired credentials"](service) if len(made) > working_calls else None

        try:
            with on_each_call(expire):
                answer = cloud.rate(event)
        except LevelsError as error:
            causes.append(str(error))
        else:
            break
    else:
        pytest.fail("the decision never succeeds")
    assert len(causes) > 4
    assert [cause for cause in causes if "ExpiredToken" not in cause] == []
    assert answer["outcome"] in (outcome, "unchanged")  # the texts may be published before the credentials expire
    assert cloud.levels() == {"a": 3, "b": None}
    entries = [(outbox_entry_from(item), int(item["sent"]["N"])) for item in cloud.table.query("OUTBOX")]
    assert entries
    assert [entry for entry, sent in entries if sent < entry.events] == []
