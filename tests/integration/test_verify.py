"""Verification finds every alteration of stored items, and a repair writes a damaged month as it was."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator
from typing import Any

import pytest

from functions.rating.publication import ledger
from shared.errors import ItemInvalid, LevelsError, MonthExpired, RunUnknown, RunUnrepairable
from tests.cloud import WORKBOOK, Cloud, small_cloud

DECIDED = {"by": "Li", "reason": "looked at it"}
MAY, JUNE = {"month": "2026-05"}, {"month": "2026-06"}
BIG, MIDDLE, SMALL, NONE = (5, 500_000), (2, 10_000), (1, 0), (0, 0)
KINDS = ("POINTER", "LEDGER", "OUTBOX", "CHANGES", "RULEBOOK", "RUN", "STANDINGS", "LEVEL", "AGENCY")
CONTENT = (
    "publications", "entry", "changes", "content", "record", "standings", "listings", "rating", "version", "sent",
)  # fmt: skip
Item = dict[str, Any]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """May is restated, June is published and its texts refreshed. Each test restores the cloud."""
    with small_cloud(tmp_path_factory.mktemp("verify")) as cloud:
        cloud.put_month("2026-05", {"a": SMALL, "b": BIG})
        cloud.rate(MAY)
        cloud.put_month("2026-05", {"a": BIG, "b": MIDDLE, "c": SMALL, "d": NONE})
        cloud.rate(MAY)
        cloud.put_month("2026-06", {"a": MIDDLE, "b": MIDDLE, "c": SMALL})
        cloud.rate(JUNE)
        cloud.write_workbook(levels=WORKBOOK["levels"].replace("三级", "领航"))
        cloud.rate({"mode": "refresh"})
        yield cloud


def differences(cloud: Cloud, run: str) -> list[str]:
    """The differences that verifying a run finds."""
    answer = cloud.rate({"verify": run})
    assert (answer["outcome"] == "differs") == bool(answer["differences"])
    return list(answer["differences"])


def put(cloud: Cloud, item: Item) -> None:
    cloud.table.client.put_item(TableName=cloud.table.name, Item=item)


def delete(cloud: Cloud, item: Item) -> None:
    key = {name: item[name] for name in ("pk", "sk")}
    cloud.table.client.delete_item(TableName=cloud.table.name, Key=key)


def of_kind(cloud: Cloud, valid: list[str], kind: str, chance: random.Random) -> Item:
    """A random item of a kind that belongs to a valid run."""
    found = [
        item
        for (pk, sk), item in sorted(cloud.items().items())
        if pk.partition("#")[0] == kind
        and (kind in ("POINTER", "LEDGER", "OUTBOX", "RULEBOOK") or any(run in pk or sk.endswith(run) for run in valid))
    ]
    return chance.choice(found)


def altered(item: Item, chance: random.Random) -> Item:
    """The item with one byte of its content changed."""
    name = chance.choice([name for name in CONTENT if name in item])
    [(kind, content)] = item[name].items()
    data = bytearray(content if kind == "B" else content.encode())
    position = chance.randrange(len(data))
    if kind == "B":
        data[position] ^= 1 << chance.randrange(8)
        return item | {name: {"B": bytes(data)}}
    text = content[:position] + chance.choice([c for c in "0129abXZ" if c != content[position : position + 1]])
    if kind == "N":
        return item | {name: {"N": str(int(content) + chance.choice((-1, 1, 7)))}}
    return item | {name: {"S": text + content[position + 1 :]}}


def added(item: Item, chance: random.Random) -> Item:
    """A copy of the item under a new key."""
    pk, sk = item["pk"]["S"], item["sk"]["S"]
    kind = pk.partition("#")[0]
    if kind == "AGENCY":
        return item | {"pk": {"S": f"AGENCY#stranger{chance.randrange(9)}"}}
    if kind == "LEDGER":
        return item | {"sk": {"S": f"V{chance.randrange(90, 99):010d}#0"}}
    if kind == "OUTBOX":
        return item | {"sk": {"S": f"{chance.randrange(90, 99):010d}"}}
    return item | {"pk": {"S": f"{pk.rpartition('#')[0]}#{chance.randrange(7000, 7999)}"}, "sk": {"S": sk}}


def found_by_verifying(cloud: Cloud, valid: list[str], item: Item) -> bool:
    """Whether verifying a valid run names the item, or finds any difference if the item is of the ledger or pointer."""
    kind = item["pk"]["S"].partition("#")[0]
    named = f"{item['pk']['S']} {item['sk']['S']}"
    for run in valid:
        found = differences(cloud, run)
        if named in found or (kind in ("LEDGER", "POINTER") and found):
            return True
    return False


@pytest.fixture(scope="module")
def valid(cloud: Cloud) -> list[str]:
    """The runs of May and June that were valid before any damage."""
    return [publication.run for publication in cloud.table.pointer().publications.values()]


@pytest.fixture(autouse=True)
def unchanged_afterwards(cloud: Cloud, valid: list[str]) -> Iterator[None]:
    before = cloud.items()
    yield
    after = cloud.items()
    for item in (item for names, item in after.items() if names not in before):
        delete(cloud, item)
    for item in (item for names, item in before.items() if after.get(names) != item):
        put(cloud, item)


def test_unaltered_months_are_verified(cloud: Cloud, valid: list[str]) -> None:
    assert [differences(cloud, run) for run in valid] == [[], []]


@pytest.mark.parametrize(
    "choice", [pytest.param(choice, marks=() if choice < 27 else pytest.mark.sweep) for choice in range(300)]
)
def test_every_alteration_of_every_kind_of_item_is_found(cloud: Cloud, valid: list[str], choice: int) -> None:
    chance = random.Random(choice)
    kind, way = KINDS[choice % len(KINDS)], ("alter", "delete", "add")[choice // len(KINDS) % 3]
    item = of_kind(cloud, valid, kind, chance)
    if way == "delete":
        delete(cloud, item)
    elif way == "alter" or kind in ("POINTER", "RULEBOOK", "RUN"):  # the table may hold other runs and rulebooks
        item = altered(item, chance)
        put(cloud, item)
    else:
        item = added(item, chance)
        put(cloud, item)
    assert found_by_verifying(cloud, valid, item), (way, item)


def test_another_compression_is_no_difference(cloud: Cloud, valid: list[str]) -> None:
    for item in cloud.items().values():
        for name in ("record", "content"):
            if name in item:
                recompressed = zlib.compress(zlib.decompress(item[name]["B"]), 1)
                put(cloud, item | {name: {"B": recompressed}})
    assert [differences(cloud, run) for run in valid] == [[], []]


def test_a_pointer_that_names_another_rulebook_is_found(cloud: Cloud, valid: list[str]) -> None:
    pointer = cloud.items()["POINTER", "POINTER"]
    may, june = (publication.rulebook for publication in cloud.table.pointer().publications.values())
    put(cloud, pointer | {"publications": {"S": pointer["publications"]["S"].replace(june, may)}})
    assert "POINTER POINTER" in differences(cloud, valid[1])


def test_an_unreadable_item_is_an_error_that_names_it(cloud: Cloud, valid: list[str]) -> None:
    record = cloud.items()[f"RUN#{valid[1]}", "RUN"]
    put(cloud, record | {"record": {"B": b"not zlib"}})
    with pytest.raises(ItemInvalid, match=f"RUN#{valid[1]} RUN"):
        cloud.rate({"mode": "refresh"})


def test_publishing_without_the_pointer_is_an_error_that_names_it(cloud: Cloud) -> None:
    """Otherwise the first month would be published again and overwrite existing items."""
    delete(cloud, cloud.items()["POINTER", "POINTER"])
    with pytest.raises(ItemInvalid, match="OUTBOX 0000000001 is there already, and POINTER POINTER is not there"):
        cloud.rate(JUNE)


# --- repair -----------------------------------------------------------------------------------------------------------


def test_a_damaged_month_is_repaired_and_the_ledger_says_so(cloud: Cloud, valid: list[str]) -> None:
    before = cloud.items()
    for names, item in before.items():
        if valid[1] in names[0] or names[1].endswith(valid[1]):
            delete(cloud, item)
    assert cloud.rate({**JUNE, "repair": True})["outcome"] == "repaired"
    after = cloud.items()
    lines = list(after.keys() - before.keys())
    assert [pk for pk, _ in lines] == ["LEDGER#2026-06"]
    assert {names: after[names] for names in before} == before
    assert [entry.action for entry in ledger.entries(cloud.table, "2026-06")][-1] == "repaired"
    assert differences(cloud, valid[1]) == []


def test_a_damaged_rulebook_is_repaired_from_the_same_sheet(cloud: Cloud, valid: list[str]) -> None:
    publication = cloud.table.pointer().current()
    rulebook = cloud.items()[f"RULEBOOK#{publication.rulebook}", "RULEBOOK"]
    put(cloud, rulebook | {"content": {"B": b"damaged"}})
    cloud.rate({**JUNE, "repair": True})
    assert differences(cloud, valid[1]) == []


def test_repairing_a_month_does_not_change_later_ones(cloud: Cloud, valid: list[str]) -> None:
    before = cloud.items()
    cloud.rate({**MAY, "repair": True})
    assert {names: cloud.items()[names] for names in before} == before
    assert [differences(cloud, run) for run in valid] == [[], []]


def test_a_lost_rulebook_that_the_sheet_no_longer_has_is_named(cloud: Cloud) -> None:
    may = cloud.table.pointer().publications["2026-05"]
    delete(cloud, cloud.items()[f"RULEBOOK#{may.rulebook}", "RULEBOOK"])
    with pytest.raises(RunUnrepairable, match=f"rulebook {may.rulebook}"):
        cloud.rate({**MAY, "repair": True})


def test_a_month_whose_extracts_have_changed_cannot_be_repaired(cloud: Cloud) -> None:
    cloud.put_object("orders", "2026-06", "part-1.csv", b"order_id,creator_id,pay_time,pay_amount,risk_tag\n")
    try:
        with pytest.raises(RunUnrepairable, match="the extracts or the rules' version have changed"):
            cloud.rate({**JUNE, "repair": True})
    finally:
        cloud.s3.delete_object(Bucket="extracts", Key="in/orders/month=2026-06/part-1.csv")


def test_an_unpublished_month_cannot_be_repaired(cloud: Cloud) -> None:
    with pytest.raises(RunUnknown, match="month 2026-07 is not published"):
        cloud.rate({"month": "2026-07", "repair": True})


@pytest.mark.parametrize("event", [{"month": "2024-09"}, {"month": "2024-09", "repair": True}])
def test_a_month_past_its_retention_is_refused(cloud: Cloud, event: dict[str, Any]) -> None:
    before = cloud.items()
    with pytest.raises(MonthExpired, match="past its retention of 25 months"):
        cloud.rate(event)
    assert cloud.items() == before


def test_a_published_month_without_its_record_is_an_error(cloud: Cloud, valid: list[str]) -> None:
    delete(cloud, cloud.items()[f"RUN#{valid[1]}", "RUN"])
    with pytest.raises(LevelsError, match=valid[1]):
        cloud.rate({"scheduled_at": "2026-07-02T18:00:00Z"})


# --- every other command ----------------------------------------------------------------------------------------------


def other_command(valid: list[str], choice: int) -> dict[str, Any]:
    """One of the events of all other commands."""
    events: tuple[dict[str, Any], ...] = (
        {"scheduled_at": "2026-07-02T18:00:00Z"},
        JUNE,
        {**JUNE, "mode": "preview"},
        {"month": "2099-01", "mode": "preview"},
        {"mode": "refresh"},
        {"mode": "check"},
        {"rollback": valid[0], **DECIDED},
        {"accept": valid[1], **DECIDED},
    )
    return events[choice % len(events)]


def refusal(cloud: Cloud, event: dict[str, Any]) -> LevelsError | None:
    """The error that a command raises; None if it answers."""
    try:
        cloud.rate(event)
    except LevelsError as error:
        return error
    return None


def unreadable(item: Item, chance: random.Random) -> Item:
    """The item with its content cut off or replaced by invalid content."""
    name = next(name for name in CONTENT if name in item)
    [(kind, content)] = item[name].items()
    cut = content[: chance.randrange(1, max(2, len(content) // 2))]
    other = cut if kind == "B" and chance.random() < 0.5 else b"damaged" if kind == "B" else cut + "\x00"
    return item | {name: {kind: other}}


@pytest.mark.parametrize(
    "choice", [pytest.param(choice, marks=() if choice < 36 else pytest.mark.sweep) for choice in range(300)]
)
def test_every_other_command_works_without_a_damaged_item_or_names_it(
    cloud: Cloud, valid: list[str], choice: int
) -> None:
    chance = random.Random(choice)
    kind, way = KINDS[choice % len(KINDS)], ("unreadable", "delete", "alter")[choice // len(KINDS) % 3]
    item = of_kind(cloud, valid, kind, chance)
    if way == "delete":
        delete(cloud, item)
    else:
        put(cloud, unreadable(item, chance) if way == "unreadable" else altered(item, chance))
    error = refusal(cloud, other_command(valid, chance.randrange(8)))
    if isinstance(error, ItemInvalid):
        assert f"{item['pk']['S']} {item['sk']['S']}" in str(error)
        assert " ".join(error.key) in str(error)
    elif error and way != "alter" and kind != "POINTER":  # without the pointer nothing is published
        assert item["pk"]["S"].split("#")[1] in str(error)
