"""Staging at DynamoDB's real limits, in model time: one writer, so that the eight of a real run are faster."""

from __future__ import annotations

import pytest

from functions.rating.publication import staging
from functions.rating.publication.items import items_of
from shared.errors import TableUnavailable
from shared.table import Table
from tests.dynamodb import DynamoDB, Throughput
from tests.publishing import House, rating

MONTH = "2026-05"


class ModelTime:
    """A clock that goes on only while somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize(
    ("agencies", "burst"),
    [(20_000, 1.0), (20_000, 5.0), (100_000, 1.0), pytest.param(100_000, 5.0, marks=pytest.mark.sweep)],
)
def test_a_month_of_long_introductions_is_written_within_four_minutes(agencies: int, burst: float) -> None:
    time = ModelTime()
    limits = Throughput(lambda: time.now, burst=burst, latency=lambda: time.sleep(0.02))
    house = House(DynamoDB())
    record = house.stage(MONTH, {"a": 1})
    house.dynamodb.throughput = limits
    table = Table(house.table.client, "levels", sleep=time.sleep, clock=lambda: time.now)
    long = "好" * 200  # of 20,000 agencies
    ratings = [rating(MONTH, f"a{n:06d}", 1 + n % 5, long if n < 20_000 else None) for n in range(agencies)]
    written = staging.stage(table, items_of(ratings, record, 2_000_000_000), lambda _: None, writers=1)
    assert written > agencies
    assert len(table.standings(record.run)) == agencies
    assert time.now < 240


def test_a_table_that_takes_nothing_is_given_up_after_a_minute() -> None:
    time = ModelTime()
    house = House(DynamoDB())
    record = house.stage(MONTH, {"a": 1})
    house.dynamodb.throughput = Throughput(lambda: time.now, partitions=1, burst=0.0)
    table = Table(house.table.client, "levels", sleep=time.sleep, clock=lambda: time.now)
    with pytest.raises(TableUnavailable, match="has taken nothing for 60 s"):
        staging.stage(table, items_of([rating(MONTH, "a", 1)], record, 2_000_000_000), lambda _: None, writers=1)
    assert 60 < time.now < 70
