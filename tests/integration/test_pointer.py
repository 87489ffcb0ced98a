"""Why the one write that publishes was not done: DynamoDB's own reasons decide whether it is tried again."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count, repeat
from typing import Any

import pytest

from shared.errors import PublicationConflict, TableUnavailable
from tests.dynamodb import DynamoDB, Refused
from tests.publishing import House

MAY = "2026-05"


class Refusing(DynamoDB):
    """Refuses transactions, as long as there are refusals."""

    def __init__(self, refusals: Iterable[Refused]) -> None:
        super().__init__()
        self.refusals, self.asked = iter(refusals), 0

    def _transact_write_items(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.asked += 1
        if (refused := next(self.refusals, None)) is not None:
            raise refused
        return super()._transact_write_items(asked)


def cancelled(*reasons: str) -> Refused:
    """A transaction that was cancelled, with the reason of each write."""
    told = [{"Code": reason} for reason in reasons]
    return Refused("TransactionCanceledException", f"specific reasons [{', '.join(reasons)}]", CancellationReasons=told)


PASSING = {
    "another transaction": cancelled("TransactionConflict", "None", "None"),
    "throttling of the table": cancelled("None", "ThrottlingError", "ProvisionedThroughputExceeded"),
    "throttling of the request": Refused("ThrottlingException", "slow down"),
    "the same transaction": Refused("TransactionInProgressException", "it is under way"),
}
LASTING = {
    "an item that is too large": (cancelled("None", "None", "ValidationError"), "ValidationError"),
    "one that may not be written": (cancelled("None", "AccessDenied", "None"), "AccessDenied"),
    "conflict and a fault": (cancelled("TransactionConflict", "ValidationError", "None"), "ValidationError"),
    "no permission": (Refused("AccessDeniedException", "not authorized"), "not authorized"),
    "a cancellation without reasons": (Refused("TransactionCanceledException", "cancelled"), "cancelled"),
}


@pytest.mark.parametrize("refused", PASSING.values(), ids=PASSING)
def test_what_passes_is_waited_for_with_growing_pauses(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.backoff.random.uniform", lambda _, most: most)
    dynamodb = Refusing([refused] * 6)
    house = House(dynamodb)
    run = house.publish(MAY, {"a": 1}).run
    assert house.table.pointer().publications[MAY].run == run
    assert dynamodb.asked == 7
    assert house.slept == pytest.approx([0.05 * 2**n for n in range(6)])


@pytest.mark.parametrize("refused", PASSING.values(), ids=PASSING)
def test_what_does_not_pass_in_a_minute_is_told_by_its_reason(refused: Refused) -> None:
    seconds = count(0.0, 5.0)
    house = House(Refusing(repeat(refused)), clock=lambda: next(seconds))
    with pytest.raises(TableUnavailable) as raised:
        house.publish(MAY, {"a": 1})
    assert refused.answer["Error"]["Message"] in str(raised.value)
    assert not house.table.pointer().publications


@pytest.mark.parametrize(("refused", "reason"), LASTING.values(), ids=LASTING)
def test_what_can_not_pass_is_told_at_once_and_not_as_a_moved_pointer(refused: Refused, reason: str) -> None:
    dynamodb = Refusing(repeat(refused))
    house = House(dynamodb)
    with pytest.raises(TableUnavailable, match=reason) as raised:
        house.publish(MAY, {"a": 1})
    assert "came first" not in str(raised.value)
    assert (dynamodb.asked, house.slept) == (1, [])
    assert not house.table.pointer().publications


def test_a_pointer_that_moved_is_read_again_and_another_month_beside_it_is_no_conflict() -> None:
    house = House()
    other = House(house.dynamodb)
    beside(house, lambda: other.publish("2026-06", {"a": 2}))
    run = house.publish(MAY, {"a": 1}).run
    pointer = house.table.pointer()
    assert (pointer.version, pointer.publications[MAY].run) == (2, run)
    house.send()
    assert [event["sequence"] for event in house.bus.taken if event["type"] == "LevelsPublished"] == [1, 2]


def test_a_pointer_that_moved_for_the_same_month_is_a_conflict_that_names_what_is_valid() -> None:
    house = House()
    other = House(house.dynamodb)
    first = house.publish(MAY, {"a": 1}).run
    beside(house, lambda: other.publish(MAY, {"a": 3}))
    with pytest.raises(PublicationConflict, match="became valid while run"):
        house.publish(MAY, {"a": 2})
    valid = house.table.pointer().publications[MAY].run
    assert valid != first
    assert house.levels() == {"a": 3}


def beside(house: House, happens: Any) -> None:
    """Something happens just before the house's next transaction is sent."""
    once = iter([happens])

    def before(**_: object) -> None:
        if do := next(once, None):
            do()

    house.table.client.meta.events.register_first("before-call.dynamodb.TransactWriteItems", before)
