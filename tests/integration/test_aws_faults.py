"""AWS fails in each call of a run: for a moment, and the run goes on; for good, and it says why and changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import count
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
TO_THE_CONSOLE = "dynamodb.PutItem"  # what the last check found: levels do not depend on it
TYPES = {
    "s3.ListObjectsV2": ExtractsUnavailable,
    "s3.GetObject": ExtractsUnavailable,
    "s3.PutObject": ReportUnwritten,
    "eventbridge.PutEvents": EventsUnsent,
}


class Body:
    """The body of an answer that AWS would have sent."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def stream(self) -> Iterator[bytes]:
        yield self.content


def refusal(status: int, code: str, service: str) -> AWSResponse:
    """An error as S3 (XML) or the JSON services send it."""
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
TELLING = ("a server error", "a time-out while reading", "expired credentials")


@pytest.fixture(scope="module")
def april(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """April is published, and May can be."""
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
def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK's pauses between attempts take no time."""
    monkeypatch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=lambda _: None))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients that ask twice only, so that a fault which lasts is soon believed."""
    monkeypatch.setattr(wiring, "CLIENT", Config(retries={"mode": "standard", "total_max_attempts": 2}))


def test_these_are_the_calls_of_a_run(cloud: Cloud) -> None:
    made: list[str] = []
    with on_each_call(made.append):
        cloud.rate(MAY)
    assert set(made) == set(CALLS)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_passes_is_waited_for_in_every_call(cloud: Cloud, fault: str) -> None:
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


def test_a_request_whose_answer_got_lost_is_sent_again_without_harm(cloud: Cloud) -> None:
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


def test_items_that_dynamodb_leaves_unwritten_are_written_again(cloud: Cloud) -> None:
    refused: list[str] = []

    def hand_back(request: AWSPreparedRequest, **_: object) -> Any:
        if len(refused) == 3:
            return None
        request.url, unwritten = "https://aws.invalid", json.loads(cast("bytes", request.body))["RequestItems"]
        refused.append(request.url)
        return AWSResponse(request.url, 200, HTTPHeaders(), Body(json.dumps({"UnprocessedItems": unwritten}).encode()))

    with on_each_call(lambda _: None) as session:
        session.events.register_first("before-send.dynamodb.BatchWriteItem", hand_back)
        run = cloud.rate(MAY)["run"]
    assert len(refused) == 3
    assert cloud.rate({"verify": run})["outcome"] == "verified"


@pytest.mark.parametrize("name", [name for name in CALLS if name != TO_THE_CONSOLE])
@pytest.mark.parametrize(
    "fault",
    [pytest.param(fault, marks=() if fault in TELLING else pytest.mark.sweep) for fault in (*FAULTS, *FINAL)],
)
@pytest.mark.usefixtures("impatient")
def test_a_fault_that_lasts_stops_the_run_with_its_cause_and_the_next_run_publishes(
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
    told_too_late = name == "eventbridge.PutEvents"
    assert cloud.levels() == ({"a": 3, "b": None} if told_too_late else before)
    assert cloud.rate(MAY)["outcome"] == ("unchanged" if told_too_late else "published")
    assert cloud.levels() == {"a": 3, "b": None}


def asked_of(cloud: Cloud, action: str) -> tuple[dict[str, Any], str]:
    """The event of an action on a month that it can be done to, and the outcome once it was done bit by bit."""
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
def test_credentials_may_expire_at_any_call_of_a_decision_which_is_then_asked_for_again(
    cloud: Cloud, action: str
) -> None:
    event, outcome = asked_of(cloud, action)
    causes = []
    for sound_calls in count():
        made: list[str] = []

        def expire(name: str, made: list[str] = made, sound_calls: int = sound_calls) -> Any:
            made.append(name)
            service = name.partition(".")[0]
            return FINAL["expired credentials"](service) if len(made) > sound_calls else None

        try:
            with on_each_call(expire):
                answer = cloud.rate(event)
        except LevelsError as error:
            causes.append(str(error))
        else:
            break
    assert len(causes) > 4
    assert [cause for cause in causes if "ExpiredToken" not in cause] == []
    assert answer["outcome"] in (outcome, "unchanged")  # the texts may be out before the credentials expire
    assert cloud.levels() == {"a": 3, "b": None}
    entries = [(outbox_entry_from(item), int(item["sent"]["N"])) for item in cloud.table.query("OUTBOX")]
    assert entries
    assert [entry for entry, sent in entries if sent < entry.events] == []
