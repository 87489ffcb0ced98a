"""The judge of the soak test can fail: it notices every alteration of stored items and sent events."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from shared.errors import LevelsError
from tests.publishing import PublishingSystem, decide_at_random
from tests.soak.judge import Judge, Levels

Items = dict[tuple[str, str], dict[str, Any]]


class Recording(PublishingSystem):
    """A system that records the levels of each run."""

    def __init__(self) -> None:
        super().__init__()
        self.levels_of_runs: dict[str, Levels] = {}

    def stage(self, month: str, levels: Levels) -> Any:
        record = super().stage(month, levels)
        self.levels_of_runs[record.run] = dict(levels)
        return record


@pytest.fixture(scope="module")
def system() -> Recording:
    """Sixty decisions about six months; all events are sent."""
    system, chance, runs = Recording(), random.Random(3), dict[str, list[str]]()
    for _ in range(60):
        decide_at_random(system, chance, runs)
    system.send()
    return system


def check(system: Recording) -> None:
    """Runs every check of the judge on months and events."""
    judge = Judge(system.dynamodb, system.table, system.levels_of_runs.__getitem__)
    for month in judge.valid():
        for agency in "abcdef":
            judge.check_readers(month, agency)
    judge.check_events(system.bus.accepted, all_sent=True)


def test_the_judge_accepts_what_was_not_altered(system: Recording) -> None:
    check(system)


def of_kind(items: Items, kind: str, among: str = "") -> tuple[str, str]:
    """The key of the last item whose partition key begins with ``kind``."""
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
def test_an_altered_item_is_noticed(system: Recording, alter: Callable[[Items, str], None]) -> None:
    before = dict(system.dynamodb.items)
    try:
        alter(system.dynamodb.items, system.table.pointer().current().run)
        with pytest.raises((AssertionError, LevelsError)):
            check(system)
    finally:
        system.dynamodb.items.clear()
        system.dynamodb.items.update(before)


def lost_event(sent: list[dict[str, Any]]) -> None:
    del sent[5]


def invented_event(sent: list[dict[str, Any]]) -> None:
    sent.append({**sent[-1], "agency_id": "nobody"})


def another_id(sent: list[dict[str, Any]]) -> None:
    sent.append({**sent[-1], "event_id": "0"})


def one_id_for_two(sent: list[dict[str, Any]]) -> None:
    sent[-1] = {**sent[-1], "event_id": sent[-2]["event_id"]}


def another_old_level(sent: list[dict[str, Any]]) -> None:
    last = max(number for number, event in enumerate(sent) if "old_level" in event)
    sent[last] = {**sent[last], "old_level": 9}


@pytest.mark.parametrize("alter", [lost_event, invented_event, another_id, one_id_for_two, another_old_level])
def test_an_altered_event_is_noticed(system: Recording, alter: Callable[[list[dict[str, Any]]], None]) -> None:
    before = list(system.bus.accepted)
    try:
        alter(system.bus.accepted)
        with pytest.raises(AssertionError):
            check(system)
    finally:
        system.bus.accepted[:] = before
