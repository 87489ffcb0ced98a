"""Staging and sending at the real limits of DynamoDB and EventBridge, in model time.

Requests are sent one at a time. A real run has eight writers and four senders, so it is faster.
"""

from __future__ import annotations

import random
import threading
from contextlib import suppress

import pytest
from botocore.config import Config

from functions.rating.publication import staging
from functions.rating.publication.items import items_of
from shared.errors import EventsUnsent, TableUnavailable
from shared.table import Table
from tests.dynamodb import DynamoDB, Throughput
from tests.publishing import PublishingSystem, rating

MONTH = "2026-05"
REQUESTS = 600.0  # of PutEvents a second, in the regions with the lowest limit
ANSWER = 0.02  # seconds that a request takes
FIRING = 900.0  # seconds of the function


class ModelTime:
    """A clock that advances only while the code waits."""

    def __init__(self) -> None:
        self.now = 0.0
        self._lock = threading.Lock()

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.now += seconds


@pytest.mark.parametrize(
    ("agencies", "burst"),
    [(20_000, 1.0), (20_000, 5.0), (100_000, 1.0), pytest.param(100_000, 5.0, marks=pytest.mark.sweep)],
)
def test_a_month_of_long_introductions_is_written_within_four_minutes(agencies: int, burst: float) -> None:
    time = ModelTime()
    limits = Throughput(lambda: time.now, burst=burst, latency=lambda: time.sleep(ANSWER))
    system = PublishingSystem(DynamoDB())
    record = system.stage(MONTH, {"a": 1})
    system.dynamodb.throughput = limits
    unchecked = Config(parameter_validation=False)  # the SDK's own validation takes half of the time
    client = system.session.client("dynamodb", config=unchecked)
    table = Table(client, "levels", sleep=time.sleep, clock=lambda: time.now)
    long = "好" * 200  # of 20,000 agencies
    ratings = [rating(MONTH, f"a{n:06d}", 1 + n % 5, long if n < 20_000 else None) for n in range(agencies)]
    written = staging.stage(table, items_of(ratings, record, 2_000_000_000), lambda _: None, writers=1)
    assert written > agencies
    assert len(table.standings(record.run)) == agencies
    assert time.now < 240


def test_writing_stops_after_a_minute_in_which_the_table_accepts_nothing() -> None:
    time = ModelTime()
    system = PublishingSystem(DynamoDB())
    record = system.stage(MONTH, {"a": 1})
    system.dynamodb.throughput = Throughput(lambda: time.now, partitions=1, burst=0.0)
    table = Table(system.table.client, "levels", sleep=time.sleep, clock=lambda: time.now)
    with pytest.raises(TableUnavailable, match="has accepted nothing for 60 s"):
        staging.stage(table, items_of([rating(MONTH, "a", 1)], record, 2_000_000_000), lambda _: None, writers=1)
    assert 60 < time.now < 70


@pytest.mark.parametrize(("agencies", "seconds"), [(8_000, 120), pytest.param(100_000, 600, marks=pytest.mark.sweep)])
def test_a_month_in_which_every_level_changes_is_published_and_sent_within_one_firing(
    agencies: int, seconds: float
) -> None:
    time, chance = ModelTime(), random.Random(1)
    limits = Throughput(lambda: time.now, latency=lambda: time.sleep(ANSWER))
    system = PublishingSystem(DynamoDB(limits), lambda: FIRING - time.now, time.sleep, lambda: time.now)
    system.bus.wait = lambda: time.sleep(max(ANSWER, 1 / REQUESTS))
    system.bus.refuses = lambda: chance.random() < 0.005
    system.publish(MONTH, {f"a{n:06d}": 1 + n % 3 for n in range(agencies)})
    assert system.send() == agencies + 1
    ids = {event["event_id"] for event in system.bus.accepted}
    assert len(ids) == len(system.bus.accepted) == agencies + 1
    assert system.bus.calls < agencies * 0.12
    assert time.now < seconds


def test_with_a_slow_bus_the_next_firing_sends_the_rest_of_the_events() -> None:
    time, began, firings = ModelTime(), 0.0, 0
    system = PublishingSystem(DynamoDB(), lambda: 300 - (time.now - began), time.sleep, lambda: time.now)
    system.publish(MONTH, {f"a{n:06d}": 1 for n in range(2_000)})
    system.bus.wait = lambda: time.sleep(1.9)
    while system.dynamodb.items["OUTBOX", "0000000001"]["sent"] != {"N": "2001"}:
        assert firings < 2, "two firings are enough"
        firings, began = firings + 1, time.now
        with suppress(EventsUnsent):
            system.send()
        assert time.now - began < 300
    assert firings == 2
    assert len({event["event_id"] for event in system.bus.accepted}) == len(system.bus.accepted) == 2_001
