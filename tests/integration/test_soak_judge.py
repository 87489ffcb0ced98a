"""The judge of the soak test is no judge that finds everything right: whatever is altered, it says so."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from shared.errors import LevelsError
from tests.publishing import House, decide_at_random
from tests.soak.judge import Judge, Levels

Items = dict[tuple[str, str], dict[str, Any]]


class Kept(House):
    """A house that remembers the levels of each run as they were made up."""

    def __init__(self) -> None:
        super().__init__()
        self.made_up: dict[str, Levels] = {}

    def stage(self, month: str, levels: Levels) -> Any:
        record = super().stage(month, levels)
        self.made_up[record.run] = dict(levels)
        return record


@pytest.fixture(scope="module")
def house() -> Kept:
    """Sixty decisions about six months; all events are sent."""
    house, chance, runs = Kept(), random.Random(3), dict[str, list[str]]()
    for _ in range(60):
        decide_at_random(house, chance, runs)
    house.send()
    return house


def check(house: Kept) -> None:
    """All that the judge has to say about months and events."""
    judge = Judge(house.dynamodb, house.table, house.made_up.__getitem__)
    for month in judge.valid():
        for agency in "abcdef":
            judge.check_readers(month, agency)
    judge.check_events(house.bus.taken, all_sent=True)


def test_what_is_right_is_found_right(house: Kept) -> None:
    check(house)


def of_kind(items: Items, kind: str, among: str = "") -> tuple[str, str]:
    """The last item whose key begins so."""
    return max(names for names in items if names[0].startswith(kind) and among in "".join(names))


def without(kind: str) -> Callable[[Items, str], None]:
    def alter(items: Items, run: str) -> None:
        del items[of_kind(items, kind, "" if kind == "LEDGER#" else run)]

    return alter


def another_level(items: Items, run: str) -> None:
    names = of_kind(items, "AGENCY#", run)
    rating = json.loads(items[names]["rating"]["S"])
    items[names] = items[names] | {"rating": {"S": json.dumps({**rating, "level": (rating["level"] or 0) % 3 + 1})}}


def a_stranger(items: Items, run: str) -> None:
    _, sk = of_kind(items, "AGENCY#", run)
    items["AGENCY#stranger", sk] = items[of_kind(items, "AGENCY#", run)] | {"pk": {"S": "AGENCY#stranger"}}


def another_pointer(items: Items, run: str) -> None:
    pointer = items["POINTER", "POINTER"]
    items["POINTER", "POINTER"] = pointer | {
        "publications": {"S": pointer["publications"]["S"].replace(run, "0" * len(run))}
    }


@pytest.mark.parametrize(
    "alter",
    [
        *(pytest.param(without(kind), id=kind) for kind in ("AGENCY#", "STANDINGS#", "LEVEL#", "LEDGER#")),
        another_level,
        a_stranger,
        another_pointer,
    ],
)
def test_whatever_is_stored_otherwise_is_noticed(house: Kept, alter: Callable[[Items, str], None]) -> None:
    before = dict(house.dynamodb.items)
    try:
        alter(house.dynamodb.items, house.table.pointer().current().run)
        with pytest.raises((AssertionError, LevelsError)):
            check(house)
    finally:
        house.dynamodb.items.clear()
        house.dynamodb.items.update(before)


def lost(sent: list[dict[str, Any]]) -> None:
    del sent[5]


def made_up(sent: list[dict[str, Any]]) -> None:
    sent.append({**sent[-1], "agency_id": "nobody"})


def another_id(sent: list[dict[str, Any]]) -> None:
    sent.append({**sent[-1], "event_id": "0"})


def one_id_for_two(sent: list[dict[str, Any]]) -> None:
    sent[-1] = {**sent[-1], "event_id": sent[-2]["event_id"]}


def another_old_level(sent: list[dict[str, Any]]) -> None:
    last = max(number for number, event in enumerate(sent) if "old_level" in event)
    sent[last] = {**sent[last], "old_level": 9}


@pytest.mark.parametrize("alter", [lost, made_up, another_id, one_id_for_two, another_old_level])
def test_whatever_was_sent_otherwise_is_noticed(house: Kept, alter: Callable[[list[dict[str, Any]]], None]) -> None:
    before = list(house.bus.taken)
    try:
        alter(house.bus.taken)
        with pytest.raises(AssertionError):
            check(house)
    finally:
        house.bus.taken[:] = before
