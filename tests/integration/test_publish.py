"""Staging and publishing in DynamoDB: a run is invisible until the pointer moves, and is published whole or not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from functions.rating.publication import ledger, staging
from functions.rating.publication.items import items_of
from functions.rating.publication.ledger import Entry
from functions.rating.publication.pointer import move_pointer
from functions.rating.run.guardrails import Guardrail, Totals
from functions.rating.run.record import Compared, DataQuality, Input, RunRecord, record_from, record_item
from shared.errors import NothingPublished, PublicationConflict, RunUnknown, TableUnavailable
from shared.items import Pointer, Publication
from shared.levels import Change, Ladder, Level, Measured, Rating, Rulebook, Status
from shared.table import Table
from tests.aws import empty_table, emulated_aws, stored_items

EXPIRES = 2_000_000_000


def ignore_progress(_: float) -> None:
    pass


@pytest.fixture
def table() -> Iterator[Table]:
    with emulated_aws():
        yield empty_table()


def rating(number: int, level: int | None = 1) -> Rating:
    measured = Measured(f"A{number:05d}", f"Agency {number}", 0, paid_gmv=number)
    status = Status.RATED if level else Status.BELOW_LADDER
    return Rating("2026-05", measured, status, level, level, None, None, Change.NEW, {"gmv": number})


def record(run: str = "r1", month: str = "2026-05") -> RunRecord:
    return RunRecord(
        run=run,
        month=month,
        rulebook="b1",
        rules_version="1",
        compared_with=Compared("2026-04", "r0"),
        inputs=(Input("orders", "x/orders/month=2026-05/a.csv", "etag", 7),),
        agencies=1,
        levels={"1": 1},
        moves={"up": 0},
        totals=Totals(5, {"orders": 1}),
        quality=DataQuality({"read": 1}, {}, (), ()),
        guardrails=(),
    )


def publication(run: str = "r1", month: str = "2026-05") -> Publication:
    return Publication(month, run, "b1", "2026-06-03T02:00:00.000000+00:00", "published")


def line(run: str = "r1", month: str = "2026-05", action: ledger.Action = "published", at: str = "1") -> Entry:
    return Entry(at, action, month, run, "b1", "code")


def put(table: Table, ratings: list[Rating], run: str = "r1") -> int:
    return staging.stage(table, items_of(ratings, record(run), EXPIRES), ignore_progress)


def move(table: Table, seen: Pointer, valid: Publication, entry: Entry) -> None:
    move_pointer(table, seen, seen.following(valid), entry)


def test_staged_ratings_are_read_back_as_they_were(table: Table) -> None:
    ratings = [rating(n, level=n % 3 or None) for n in range(260)]
    put(table, ratings)
    assert table.ratings((r.agency_id, publication()) for r in ratings) == ratings
    assert table.rating("A00007", publication()) == ratings[7]
    assert table.rating("unknown", publication()) is None
    assert len(table.standings("r1")) == 260


def test_the_pages_of_the_directory_have_every_rated_agency_in_order(table: Table) -> None:
    put(table, [rating(n) for n in range(250)])
    pages = [table.listings("r1", 1, page) for page in range(4)]
    assert [len(page) for page in pages] == [100, 100, 50, 0]
    listed = [listing.agency_id for page in pages for listing in page]
    assert listed == sorted(listed)


def test_staging_twice_writes_the_same_bytes(table: Table) -> None:
    ratings = [rating(n) for n in range(30)]
    put(table, ratings)
    before = stored_items(table)
    put(table, ratings)
    assert stored_items(table) == before


def test_nothing_is_visible_before_the_pointer_moves(table: Table) -> None:
    put(table, [rating(1)])
    with pytest.raises(NothingPublished):
        table.pointer().current()
    move(table, table.pointer(), publication(), line())
    assert table.pointer().current() == publication()


def test_the_pointer_moves_only_from_the_version_that_was_read_and_the_ledger_with_it(table: Table) -> None:
    seen = table.pointer()
    move(table, seen, publication("r1"), line("r1", at="1"))
    with pytest.raises(PublicationConflict):
        move(table, seen, publication("r2"), line("r2", at="2"))
    assert table.pointer().current().run == "r1"
    assert [entry.run for entry in ledger.entries(table, "2026-05")] == ["r1"]


def test_a_backfill_never_lowers_the_current_month(table: Table) -> None:
    move(table, table.pointer(), publication("r5", "2026-05"), line("r5", at="1"))
    move(table, table.pointer(), publication("r3", "2026-03"), line("r3", "2026-03", at="2"))
    pointer = table.pointer()
    assert pointer.current().run == "r5"
    assert pointer.before("2026-05") == publication("r3", "2026-03")
    assert pointer.before("2026-03") is None


def test_a_run_is_held_until_somebody_decides(table: Table) -> None:
    ledger.append(table, line("r1", action="held", at="1"))
    assert ledger.held_entry(table, "2026-05", "r1")
    assert not ledger.held_entry(table, "2026-05", "r2")
    move(table, table.pointer(), publication("r1"), line("r1", action="accepted", at="2"))
    assert not ledger.held_entry(table, "2026-05", "r1")


def test_a_rulebook_is_stored_once_and_expires_with_its_last_use(table: Table) -> None:
    rulebook = Rulebook((Level(1, "一级", ""),), (), (Ladder(None, ()),), ())
    one = staging.keep_rulebook(table, rulebook, 100)
    assert staging.keep_rulebook(table, rulebook, 300) == one
    assert staging.keep_rulebook(table, rulebook, 200) == one
    [item] = stored_items(table).values()
    assert item["expires_at"] == {"N": "300"}
    assert table.rulebook(one) == rulebook
    with pytest.raises(RunUnknown, match="nothing-like-it"):
        table.rulebook("nothing-like-it")


def test_a_run_record_is_read_back_as_it_was() -> None:
    assert record_from(record_item(record(), EXPIRES)) == record()


def test_a_record_is_held_when_any_guardrail_is_exceeded() -> None:
    assert not record().held
    assert replace(record(), guardrails=(Guardrail("max_changed_share", Decimal("0.1"), 0.2, True),)).held


class Unwritten:
    """Answers this number of batch writes instead of DynamoDB: nothing was written."""

    def __init__(self, times: int) -> None:
        self.times = times

    def __call__(self, params: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]] | None:
        self.times -= 1
        if self.times < 0:
            return None
        unwritten = json.loads(params["body"])["RequestItems"]
        return SimpleNamespace(status_code=200), {"UnprocessedItems": unwritten, "ResponseMetadata": {}}


def test_unwritten_items_are_written_again(table: Table) -> None:
    table.client.meta.events.register("before-call.dynamodb.BatchWriteItem", Unwritten(3))  # type: ignore[arg-type]
    assert put(table, [rating(1)]) == 4
    assert table.rating("A00001", publication()) == rating(1)


def test_writing_stops_with_an_error_if_the_table_never_accepts_an_item(table: Table) -> None:
    slept: list[float] = []
    without_pauses = Table(table.client, table.name, sleep=slept.append, clock=lambda: sum(slept))
    table.client.meta.events.register("before-call.dynamodb.BatchWriteItem", Unwritten(10**6))  # type: ignore[arg-type]
    with pytest.raises(TableUnavailable, match="throttled"):
        put(without_pauses, [rating(2)])
    assert sum(slept) > staging.PATIENCE


def test_a_ledger_line_is_written_with_the_bytes_of_an_earlier_version() -> None:
    """Otherwise `verify` would report every line that is older than the newest field."""
    entry = Entry.of("published", record(), datetime(2026, 6, 3, tzinfo=UTC), "code", version=3)
    body = json.loads(ledger.entry_item(entry)["entry"]["S"])
    assert not {"workbook", "engine"} & body.keys()
    assert ledger.entry_item(ledger.entry_from(ledger.entry_item(entry))) == ledger.entry_item(entry)
