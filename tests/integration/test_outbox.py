"""Events: each occurrence has one id, and all are sent in the end, whatever was decided, refused or interrupted."""

from __future__ import annotations

import json
import random
from collections import Counter
from itertools import count

import pytest
from pydantic import TypeAdapter

from functions.rating.publication.event_details import DETAILS
from functions.rating.publication.outbox import WINDOW
from local.cloud.gateway import Request, ask
from shared.errors import EventsUnsent, LevelsError
from shared.items import key
from tests.crashing import lookup_of
from tests.publishing import Consumer, PublishingSystem, decide_at_random

MAY, JUNE = "2026-05", "2026-06"


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.sweep) for seed in range(1, 20))])
def test_a_consumer_of_the_events_has_the_levels_that_readers_see(seed: int) -> None:
    chance, system, consumer = random.Random(seed), PublishingSystem(), Consumer()
    runs: dict[str, list[str]] = {}
    done: Counter[str] = Counter()
    for _ in range(200):
        done[decide_at_random(system, chance, runs)] += 1
        system.bus.down = chance.random() < 0.3
        try:
            system.send()
        except EventsUnsent:
            continue
        repeats = [event for event in system.bus.accepted if chance.random() < 0.2]
        delivered = [*system.bus.accepted, *repeats]
        chance.shuffle(delivered)
        consumer.receive(delivered)
        system.bus.accepted.clear()
        assert consumer.levels() == system.levels()
    system.bus.down = False
    system.send()
    consumer.receive(system.bus.accepted)
    assert consumer.levels() == shown(system)
    assert done["publish"] > 30
    assert done["roll back"] > 30
    assert done["hold and accept"] > 15


def shown(system: PublishingSystem) -> dict[str, int]:
    """The levels on the cards that the API answers; agencies without one are left out."""
    body = json.dumps({"agency_ids": [*"abcdef"]}).encode()
    request = Request("POST", "/v1/agencies/batch", [("content-type", "application/json")], body)
    cards = ask(lookup_of(system.table), request).json()["items"]
    return {card["agency_id"]: card["level"] for card in cards if card["level"] is not None}


def test_unsent_events_are_sent_later_and_the_oldest_first() -> None:
    system = PublishingSystem()
    system.bus.down = True
    for month, levels in ((MAY, {"a": 1}), (MAY, {"a": 2}), (JUNE, {"a": 3})):
        system.publish(month, levels)
        with pytest.raises(EventsUnsent, match="the bus is down"):
            system.send()
    system.bus.down = False
    assert system.send() == 6
    changes = [event for event in system.bus.accepted if event["type"] == "AgencyLevelChanged"]
    assert [(e["month"], e["old_level"], e["new_level"]) for e in changes] == [
        (MAY, None, 1),
        (MAY, 1, 2),
        (JUNE, 2, 3),
    ]
    assert [e["sequence"] for e in changes] == [1, 2, 3]
    assert system.send() == 0


def test_each_publication_of_a_run_has_its_own_event_ids_and_a_repeat_has_the_same_ids() -> None:
    system = PublishingSystem()
    first, second = system.publish(MAY, {"a": 1}).run, system.publish(MAY, {"a": 2}).run
    system.roll_back(first)
    assert system.publish(MAY, {"a": 2}).run == second
    system.send()
    ids = [event["event_id"] for event in system.bus.accepted]
    assert len(set(ids)) == len(ids) == 8
    for item in system.dynamodb.items.values():
        if item["pk"] == {"S": "OUTBOX"}:
            item["sent"] = {"N": "0"}
    system.send()
    assert [event["event_id"] for event in system.bus.accepted] == ids * 2


def test_events_that_the_bus_accepted_are_not_sent_again_after_it_refused_others() -> None:
    system, chance = PublishingSystem(), random.Random(2)
    system.publish(MAY, {f"a{n:04d}": 1 for n in range(1_000)})
    system.bus.refuses = lambda: chance.random() < 0.02 or len(system.bus.accepted) >= 560
    with pytest.raises(EventsUnsent, match="ThrottlingException"):
        system.send()
    system.bus.refuses = lambda: False
    system.send()
    sent = Counter(event["event_id"] for event in system.bus.accepted)
    assert (len(sent), set(sent.values())) == (1_001, {1})


def test_sending_stops_when_the_functions_time_is_up_and_the_next_run_continues() -> None:
    clock = count(900.0, -200.0)
    system = PublishingSystem(seconds_left=lambda: next(clock, 0.0))
    system.progress.remaining = None
    system.publish(MAY, {f"a{n:04d}": 1 for n in range(1_000)})
    system.progress.remaining = lambda: next(clock)
    with pytest.raises(EventsUnsent, match="time is up"):
        system.send()
    assert 0 < len(system.bus.accepted) < 1_001
    system.progress.remaining = None
    system.send()
    assert len(system.bus.accepted) == 1_001


def test_two_senders_at_once_send_all_events() -> None:
    system, chance = PublishingSystem(), random.Random(3)
    system.publish(MAY, {f"a{n:04d}": 1 for n in range(3 * WINDOW)})
    once = iter([True])

    def start_another_sender() -> bool:
        if chance.random() < 0.01 and next(once, False):
            system.send()
        return False

    system.bus.refuses = start_another_sender
    system.send()
    assert len({event["event_id"] for event in system.bus.accepted}) == 3 * WINDOW + 1
    assert system.send() == 0


def publish_and_send(system: PublishingSystem) -> None:
    system.publish(MAY, {"a": 2})
    system.send()
    system.publish(JUNE, {"a": 3})
    system.send()


@pytest.mark.parametrize("call", range(1, 22, 2))
def test_after_an_interruption_at_any_call_the_events_agree_with_the_levels(call: int) -> None:
    system = PublishingSystem()
    system.publish(MAY, {"a": 1})
    system.send()
    calls = count(1)

    def broken(**_: object) -> None:
        if next(calls) >= call:
            raise ConnectionResetError

    system.table.client.meta.events.register_first("before-call.dynamodb", broken)
    with pytest.raises((ConnectionResetError, LevelsError)):
        publish_and_send(system)
    system.table.client.meta.events.unregister("before-call.dynamodb", broken)
    system.send()
    consumer = Consumer()
    consumer.receive(system.bus.accepted)
    assert consumer.levels() == system.levels()


def test_every_event_has_the_documented_fields() -> None:
    system = PublishingSystem()
    system.publish(MAY, {"a": 1, "b": None})
    system.send()
    assert [event["type"] for event in system.bus.accepted] == ["LevelsPublished", "AgencyLevelChanged"]
    for event in system.bus.accepted:
        detail = {name: value for name, value in event.items() if name != "type"}
        assert TypeAdapter(DETAILS[event["type"]]).validate_python(detail, strict=True) == detail
        assert detail.keys() == DETAILS[event["type"]].__annotations__.keys()


def test_events_of_a_backfilled_month_are_not_current() -> None:
    system = PublishingSystem()
    system.publish(JUNE, {"a": 2})
    system.publish(MAY, {"a": 1})
    system.send()
    assert {event["month"]: event["current"] for event in system.bus.accepted} == {JUNE: True, MAY: False}


def test_unsent_events_of_the_previous_version_are_sent_first() -> None:
    system = PublishingSystem()
    run = system.publish(MAY, {"a": 1}).run
    for names, item in list(system.dynamodb.items.items()):  # as schema 1 left them
        if names[0] == "POINTER":
            del item["schema"]
        elif names[0] == "OUTBOX":
            del system.dynamodb.items[names]
    old = '[{"detail":{"agency_id":"a","event_id":"old"},"type":"AgencyLevelChanged"}]'
    page = {**key(f"OUTBOX#{run}", "first#0000"), "announcements": {"S": old}}
    system.dynamodb.items[f"OUTBOX#{run}", "first#0000"] = page
    assert system.send() == 1
    system.publish(JUNE, {"a": 2})
    system.send()
    assert system.bus.accepted[0]["event_id"] == "old"
    assert len(system.bus.accepted) == 3
    assert system.send() == 0


@pytest.mark.parametrize("sent", ["0", "2", "9", "x"])
def test_events_whose_counter_was_altered_are_all_sent_again_under_the_same_ids(sent: str) -> None:
    system = PublishingSystem()
    system.publish(MAY, {"a": 1, "b": 2, "c": 3})
    system.send()
    before = list(system.bus.accepted)
    entry = system.dynamodb.items["OUTBOX", "0000000001"]
    system.dynamodb.items["OUTBOX", "0000000001"] = entry | {"sent": {"N": sent}}
    system.send()
    assert system.bus.accepted == [*before, *before]
    assert system.dynamodb.items["OUTBOX", "0000000001"] == entry
    assert system.send() == 0


def test_sending_of_an_older_entry_without_a_digest_continues_at_its_counter() -> None:
    system = PublishingSystem()
    system.publish(MAY, {"a": 1, "b": 2, "c": 3})
    system.send()
    entry = system.dynamodb.items["OUTBOX", "0000000001"]
    older = {name: value for name, value in entry.items() if name != "sent_digest"}
    system.dynamodb.items["OUTBOX", "0000000001"] = older | {"sent": {"N": "3"}}
    assert system.send() == 1
