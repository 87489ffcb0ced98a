"""A run can be killed anywhere: readers see the whole old month or the whole new one; the next run completes it."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from functions.rating.publication.outbox import outbox_entry_from
from local.cloud.embedded import EmbeddedAws
from local.cloud.gateway import Request
from shared.content import canonical_json
from shared.months import Month
from shared.table import Table
from tests.cloud import Cloud
from tests.crashing import Death, answer, lookup_of, rate, repeating
from tests.dynamodb import DynamoDB
from tests.soak.aws import Faults, Services, serving
from tests.soak.s3 import S3

FIRST = Month.parse("2016-01")
BIG, MIDDLE, SMALL, NONE = (5, 500_000), (2, 10_000), (1, 0), (0, 0)
EVEN = {"a": BIG, "b": MIDDLE, "c": SMALL, "d": NONE}
ODD = {"a": MIDDLE, "b": BIG, "c": SMALL, "d": SMALL, "e": NONE}
QUESTIONS = (
    Request("POST", "/v1/agencies/batch", [("content-type", "application/json")], b'{"agency_ids":["a","b","c","d"]}'),
    *(Request("GET", f"/v1/agencies/{agency}/level") for agency in "abcd"),
    *(Request("GET", f"/v1/agencies?level={level}") for level in (1, 2, 3)),
    Request("GET", "/v1/levels"),
    Request("GET", "/v1/publication"),
)


PAUSE = 0.25  # seconds of the reader between two rounds
SET_BY_THE_CLOCK = ("event_id", "published_at")


class Stack:
    """A table and an event bus, and the environment of a function that works with them."""

    def __init__(self, services: Services, endpoint: str, folder: Path) -> None:
        self.environment = EmbeddedAws(endpoint).environment() | {
            "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
            "EXTRACTS": "s3://extracts/in",
            "WORKBOOK": f"dir:{folder / 'workbook'}",
            "SCRATCH": str(folder),
            "RETENTION_MONTHS": "600",
            "POWERTOOLS_LOG_LEVEL": "CRITICAL",
            "POWERTOOLS_METRICS_DISABLED": "true",
        }
        self.services = services
        session = boto3.Session("nobody", "nothing", region_name="us-east-1")
        s3 = session.client("s3", endpoint_url=endpoint, config=Config(request_checksum_calculation="when_required"))
        services.dynamodb.attach(session.events)
        table = Table(session.client("dynamodb"), self.environment["TABLE_NAME"])
        self.cloud = Cloud(folder / "workbook", s3, table)
        self.lookup = lookup_of(table)

    def rate(self, month: Month, death: Death | None = None) -> Any:
        return rate(self.environment, {"month": str(month)}, death)

    def answers(self) -> list[str]:
        """The answers that readers get now."""
        return [answer(self.lookup, question) for question in QUESTIONS]

    @contextmanager
    def read(self) -> Iterator[list[list[str]]]:
        """Within the block a thread reads. Yields the answers to each question, without those equal to the last."""
        seen: list[list[str]] = [[] for _ in QUESTIONS]

        def ask() -> None:
            for texts, text in zip(seen, self.answers(), strict=True):
                if texts[-1:] != [text]:
                    texts.append(text)

        with repeating(ask, PAUSE):
            yield seen


@pytest.fixture
def stacks(tmp_path: Path) -> Iterator[tuple[Stack, Stack]]:
    """Two tables over the same extracts: in one, runs are left alone; in the other, they are killed."""
    (tmp_path / "workbook").mkdir()
    extracts, no_faults = S3(), Faults(random.Random(0))
    with ExitStack() as servers:
        both = [Services(DynamoDB(), extracts, no_faults) for _ in range(2)]
        undisturbed, disturbed = (
            Stack(services, servers.enter_context(serving(services)), tmp_path) for services in both
        )
        undisturbed.cloud.write_workbook()
        yield undisturbed, disturbed


@pytest.mark.parametrize("step", [2, pytest.param(1, marks=pytest.mark.sweep)])
def test_a_run_that_is_killed_at_any_of_its_calls_is_completed_by_the_next(
    stacks: tuple[Stack, Stack], step: int
) -> None:
    """In steps of 2, odd calls are never sent and the answers of even ones are lost. In steps of 1, both."""
    undisturbed, disturbed = stacks
    extracts = undisturbed.cloud
    extracts.put_month(str(FIRST), EVEN)
    for stack in stacks:
        assert stack.rate(FIRST)["outcome"] == "published"
    expected = [[text] for text in undisturbed.answers()]
    with disturbed.read() as answers:
        for call, month in zip(count(1, step), map(FIRST.plus, count(1)), strict=False):
            extracts.put_month(str(month), EVEN if month.number % 2 else ODD)
            assert undisturbed.rate(month)["outcome"] == "published"
            for texts, text in zip(expected, undisturbed.answers(), strict=True):
                texts.append(text)
            deaths = (Death(call, answered=False), Death(call + step - 1, answered=True))
            answered = [disturbed.rate(month, death) for death in deaths]
            assert disturbed.rate(month)["outcome"] in ("published", "unchanged")
            if all(answered):
                break
    assert call > 20
    for read, texts in zip(answers, expected, strict=True):
        order = [texts.index(text) for text in read]
        assert order == sorted(order)
    assert len(answers[0]) > 3, "the reader was too slow: it saw fewer than four months"
    assert _timeless(disturbed.cloud.items()) == _timeless(undisturbed.cloud.items())
    assert _sent(disturbed) == _sent(undisturbed)


def _timeless(items: dict[tuple[str, str], dict[str, Any]]) -> dict[tuple[str, str], Any]:
    """The items without what a clock wrote: published_at in the pointer, at in the ledger (in its sort key too)."""
    found: dict[tuple[str, str], Any] = {}
    for (pk, sk), item in items.items():
        if pk == "POINTER":
            publications = json.loads(item["publications"]["S"])
            for publication in publications.values():
                del publication["published_at"]
            found[pk, sk] = (item["version"], publications)
        elif pk.startswith("LEDGER#"):
            entry = json.loads(item["entry"]["S"])
            found[pk, sk.replace(entry.pop("at"), "")] = entry
        elif pk == "OUTBOX":
            entry = json.loads(item["entry"]["S"])
            del entry["published_at"]
            found[pk, sk] = (entry, item["sent"])
        else:
            found[pk, sk] = item
    return found


def _sent(stack: Stack) -> set[str]:
    """The events that the bus accepted, without ids and times. The outbox says of each entry that all were sent."""
    for item in stack.cloud.table.query("OUTBOX"):
        entry = outbox_entry_from(item)
        assert item["sent"] == {"N": str(entry.events)}
    return {
        canonical_json({name: value for name, value in event.items() if name not in SET_BY_THE_CLOCK})
        for event in stack.services.sent
    }
