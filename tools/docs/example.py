"""A small invented world in memory. The real lookup handler answers from it: the source of every documented answer.

The shipped rulebook rates a few agencies for two months. Nothing depends on a clock, a file's time or the network.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

from functions.lookup.api import Handler, serving
from functions.lookup.cursors import Cursors
from functions.lookup.publications import Publications
from functions.lookup.routing import Services
from functions.rating.run.rules import Rules
from functions.rating.run.standings import count_levels
from functions.rating.workbook.description import load_description
from functions.rating.workbook.folder import read_folder
from functions.rating.workbook.rulebook import parse
from local.cloud.gateway import Answer, Request, ask
from local.cloud.template import ROOT
from shared.content import content_id
from shared.items import (
    Listing,
    Pointer,
    Publication,
    directory_item,
    key_of,
    pointer_item,
    rating_item,
    rulebook_item,
    run_key,
)
from shared.levels import Measured, Removed, Rulebook, SlotCounts, Standing
from shared.months import Month
from shared.settings import DEFAULT_ZONE
from shared.table import Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TABLE_NAME = "example"
ZONE = ZoneInfo(DEFAULT_ZONE)
NOW = datetime(2026, 11, 20, tzinfo=UTC)
SEPTEMBER, OCTOBER = Month(2026, 9), Month(2026, 10)
JOINED_LONG_AGO, JOINED_IN_NOVEMBER = 1_700_000_000_000_000, 1_793_600_000_000_000

RISING = Measured(
    "A-0042",
    "星河文化（虚构）",
    JOINED_LONG_AGO,
    city="杭州",
    introduction="专注本地生活的虚构机构",
    logo_url="https://example.invalid/a-0042.png",
    creators_by_power=(40, 31, 22, 12, 9, 8, 5, 1),
    paid_gmv=412_345_67,
    excluded_creators=(Removed("云剪辑", 2, 0),),
    excluded_orders=(Removed("刷单", 17, 98_700), Removed("虚假订单", 3, 12_050)),
    slots=SlotCounts(bound=7, base=8, kept=6),
)
BEFORE = replace(RISING, creators_by_power=(38, 30, 20, 12, 6, 3, 2, 0), paid_gmv=150_000_00)
BY_HAND = Measured("A-0007", "远山传媒（虚构）", JOINED_LONG_AGO, city="成都", paid_gmv=80_000_00)
NEWCOMER = Measured("A-0311", "新叶文化（虚构）", JOINED_IN_NOVEMBER, city="长沙")


class InMemory:
    """Items by key, with the two read operations of DynamoDB that the lookup uses."""

    def __init__(self, items: Iterable[dict[str, Any]]) -> None:
        self._items = {key_of(item): item for item in items}

    def get_item(self, **asked: Any) -> dict[str, Any]:
        item = self._items.get(key_of(asked["Key"]))
        return {"Item": item} if item else {}

    def batch_get_item(self, **asked: Any) -> dict[str, Any]:
        wanted = (key_of(key) for key in asked["RequestItems"][TABLE_NAME]["Keys"])
        return {"Responses": {TABLE_NAME: [self._items[key] for key in wanted if key in self._items]}}


def example_answer(request: Request) -> Answer:
    """The API's answer in the example world."""
    return ask(example_handler(), request)


@cache
def example_handler() -> Handler:
    """The lookup handler, answering from the example world."""
    client = cast("DynamoDBClient", InMemory(example_items()))
    return serving(Services(Publications(Table(client, TABLE_NAME), ZONE, now=lambda: NOW), Cursors("example")))


def example_items() -> Iterator[dict[str, Any]]:
    """Every item of the example world's table."""
    publications = {}
    earlier: dict[str, Standing] = {}
    for month, agencies in ((SEPTEMBER, (BEFORE, BY_HAND)), (OCTOBER, (RISING, BY_HAND, NEWCOMER))):
        rulebook = shipped_rulebook(month)
        rulebook_id = content_id(rulebook)
        run = content_id(["example", str(month)])
        rules = Rules(rulebook, month, ZONE)
        ratings = [rules.rate(agency, earlier.get(agency.agency_id)) for agency in agencies]
        earlier = {r.agency_id: Standing(r.status, r.level) for r in ratings}
        publications[str(month)] = Publication(
            str(month), run, rulebook_id, f"{month.renewed_on}T02:11:42.000000+08:00", "published"
        )
        yield rulebook_item(rulebook, rulebook_id, expires_at=0)
        yield from (rating_item(rating, run, expires_at=0) for rating in ratings)
        counts = count_levels(ratings, len(rulebook.levels))
        yield run_key(run) | {"record": {"B": zlib.compress(json.dumps({"levels": counts}).encode())}}
        for level in {rating.level for rating in ratings} - {None}:
            yield directory_item(run, level or 0, 0, [Listing.of(r) for r in ratings if r.level == level], expires_at=0)
    yield pointer_item(Pointer(len(publications), publications))


def shipped_rulebook(month: Month) -> Rulebook:
    """The rulebook of config/workbook for a month."""
    raw = read_folder(ROOT / "config" / "workbook")
    verdict = parse(raw, load_description(ROOT / "config" / "workbook.json"), month)
    if verdict.rulebook is None:
        raise ValueError(f"config/workbook has faults: {[str(fault) for fault in verdict.errors]}")
    return verdict.rulebook
