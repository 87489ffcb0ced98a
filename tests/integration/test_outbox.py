"""Events: each occurrence once by its id, all of them in the end, whatever was decided, refused, or broke off."""

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
from tests.publishing import Consumer, House, decide_at_random

MAY, JUNE = "2026-05", "2026-06"


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.sweep) for seed in range(1, 20))])
def test_a_consumer_that_follows_the_events_holds_the_levels_that_readers_see(seed: int) -> None:
    chance, house, consumer = random.Random(seed), House(), Consumer()
    runs: dict[str, list[str]] = {}
    done: Counter[str] = Counter()
    for _ in range(200):
        done[decide_at_random(house, chance, runs)] += 1
        house.bus.down = chance.random() < 0.3
        try:
            house.send()
        except EventsUnsent:
            continue
        repeats = [event for event in house.bus.taken if chance.random() < 0.2]
        heard = [*house.bus.taken, *repeats]
        chance.shuffle(heard)
        consumer.hear(heard)
        house.bus.taken.clear()
        assert consumer.levels() == house.levels()
    house.bus.down = False
    house.send()
    consumer.hear(house.bus.taken)
    assert consumer.levels() == shown(house)
    assert done["publish"] > 30
    assert done["roll back"] > 30
    assert done["hold and accept"] > 15


def shown(house: House) -> dict[str, int]:
    """The levels on the cards that the API answers; agencies without one are left out."""
    body = json.dumps({"agency_ids": [*"abcdef"]}).encode()
    request = Request("POST", "/v1/agencies/batch", [("content-type", "application/json")], body)
    cards = ask(lookup_of(house.table), request).json()["items"]
    return {card["agency_id"]: card["level"] for card in cards if card["level"] is not None}


def test_publications_whose_events_could_not_be_sent_are_told_later_and_the_oldest_first() -> None:
    house = House()
    house.bus.down = True
    for month, levels in ((MAY, {"a": 1}), (MAY, {"a": 2}), (JUNE, {"a": 3})):
        house.publish(month, levels)
        with pytest.raises(EventsUnsent, match="the bus is down"):
            house.send()
    house.bus.down = False
    assert house.send() == 6
    changes = [event for event in house.bus.taken if event["type"] == "AgencyLevelChanged"]
    assert [(e["month"], e["old_level"], e["new_level"]) for e in changes] == [
        (MAY, None, 1),
        (MAY, 1, 2),
        (JUNE, 2, 3),
    ]
    assert [e["sequence"] for e in changes] == [1, 2, 3]
    assert house.send() == 0


def test_each_occurrence_of_the_same_publication_has_another_id_and_a_repeat_has_the_same() -> None:
    house = House()
    first, second = house.publish(MAY, {"a": 1}).run, house.publish(MAY, {"a": 2}).run
    house.roll_back(first)
    assert house.publish(MAY, {"a": 2}).run == second
    house.send()
    ids = [event["event_id"] for event in house.bus.taken]
    assert len(set(ids)) == len(ids) == 8
    for item in house.dynamodb.items.values():
        if item["pk"] == {"S": "OUTBOX"}:
            item["sent"] = {"N": "0"}
    house.send()
    assert [event["event_id"] for event in house.bus.taken] == ids * 2


def test_when_the_bus_takes_no_more_it_is_written_down_for_each_event_what_it_took() -> None:
    house, chance = House(), random.Random(2)
    house.publish(MAY, {f"a{n:04d}": 1 for n in range(1_000)})
    house.bus.refuses = lambda: chance.random() < 0.02 or len(house.bus.taken) >= 560
    with pytest.raises(EventsUnsent, match="ThrottlingException"):
        house.send()
    house.bus.refuses = lambda: False
    house.send()
    told = Counter(event["event_id"] for event in house.bus.taken)
    assert (len(told), set(told.values())) == (1_001, {1})


def test_sending_stops_when_the_functions_time_is_up_and_the_next_one_goes_on() -> None:
    clock = count(900.0, -200.0)
    house = House(seconds_left=lambda: next(clock, 0.0))
    house.progress.remaining = None
    house.publish(MAY, {f"a{n:04d}": 1 for n in range(1_000)})
    house.progress.remaining = lambda: next(clock)
    with pytest.raises(EventsUnsent, match="time is up"):
        house.send()
    assert 0 < len(house.bus.taken) < 1_001
    house.progress.remaining = None
    house.send()
    assert len(house.bus.taken) == 1_001


def test_two_senders_at_once_tell_everything_and_leave_nothing_unsent() -> None:
    house, chance = House(), random.Random(3)
    house.publish(MAY, {f"a{n:04d}": 1 for n in range(3 * WINDOW)})
    once = iter([True])

    def another_sender_begins() -> bool:
        if chance.random() < 0.01 and next(once, False):
            house.send()
        return False

    house.bus.refuses = another_sender_begins
    house.send()
    assert len({event["event_id"] for event in house.bus.taken}) == 3 * WINDOW + 1
    assert house.send() == 0


def publish_and_send(house: House) -> None:
    house.publish(MAY, {"a": 2})
    house.send()
    house.publish(JUNE, {"a": 3})
    house.send()


@pytest.mark.parametrize("call", range(1, 22, 2))
def test_a_publication_that_breaks_off_anywhere_is_told_whole_or_not_at_all(call: int) -> None:
    house = House()
    house.publish(MAY, {"a": 1})
    house.send()
    calls = count(1)

    def broken(**_: object) -> None:
        if next(calls) >= call:
            raise ConnectionResetError

    house.table.client.meta.events.register_first("before-call.dynamodb", broken)
    with pytest.raises((ConnectionResetError, LevelsError)):
        publish_and_send(house)
    house.table.client.meta.events.unregister("before-call.dynamodb", broken)
    house.send()
    consumer = Consumer()
    consumer.hear(house.bus.taken)
    assert consumer.levels() == house.levels()


def test_every_event_is_as_its_documented_detail_says() -> None:
    house = House()
    house.publish(MAY, {"a": 1, "b": None})
    house.send()
    assert [event["type"] for event in house.bus.taken] == ["LevelsPublished", "AgencyLevelChanged"]
    for event in house.bus.taken:
        detail = {name: value for name, value in event.items() if name != "type"}
        assert TypeAdapter(DETAILS[event["type"]]).validate_python(detail, strict=True) == detail
        assert detail.keys() == DETAILS[event["type"]].__annotations__.keys()


def test_a_backfilled_month_is_told_as_one_that_nobody_holds_levels_of() -> None:
    house = House()
    house.publish(JUNE, {"a": 2})
    house.publish(MAY, {"a": 1})
    house.send()
    assert {event["month"]: event["current"] for event in house.bus.taken} == {JUNE: True, MAY: False}


def test_events_that_the_previous_version_could_not_send_are_sent_before_anything_else() -> None:
    house = House()
    run = house.publish(MAY, {"a": 1}).run
    for names, item in list(house.dynamodb.items.items()):  # as schema 1 left them
        if names[0] == "POINTER":
            del item["schema"]
        elif names[0] == "OUTBOX":
            del house.dynamodb.items[names]
    old = '[{"detail":{"agency_id":"a","event_id":"old"},"type":"AgencyLevelChanged"}]'
    page = {**key(f"OUTBOX#{run}", "first#0000"), "announcements": {"S": old}}
    house.dynamodb.items[f"OUTBOX#{run}", "first#0000"] = page
    assert house.send() == 1
    house.publish(JUNE, {"a": 2})
    house.send()
    assert house.bus.taken[0]["event_id"] == "old"
    assert len(house.bus.taken) == 3
    assert house.send() == 0


@pytest.mark.parametrize("sent", ["0", "2", "9", "x"])
def test_events_whose_counter_was_altered_are_all_sent_again_under_the_same_ids(sent: str) -> None:
    house = House()
    house.publish(MAY, {"a": 1, "b": 2, "c": 3})
    house.send()
    before = list(house.bus.taken)
    entry = house.dynamodb.items["OUTBOX", "0000000001"]
    house.dynamodb.items["OUTBOX", "0000000001"] = entry | {"sent": {"N": sent}}
    house.send()
    assert house.bus.taken == [*before, *before]
    assert house.dynamodb.items["OUTBOX", "0000000001"] == entry
    assert house.send() == 0


def test_an_entry_that_an_older_version_wrote_has_no_digest_and_is_sent_on_from_where_it_was() -> None:
    house = House()
    house.publish(MAY, {"a": 1, "b": 2, "c": 3})
    house.send()
    entry = house.dynamodb.items["OUTBOX", "0000000001"]
    older = {name: value for name, value in entry.items() if name != "sent_digest"}
    house.dynamodb.items["OUTBOX", "0000000001"] = older | {"sent": {"N": "3"}}
    assert house.send() == 1
