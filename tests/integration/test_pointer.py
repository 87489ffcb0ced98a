"""The write that publishes fails: the reason that DynamoDB gives decides whether it is tried again."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count, repeat
from typing import Any

import pytest

from shared.errors import PublicationConflict, TableUnavailable
from tests.dynamodb import DynamoDB, Refused
from tests.publishing import PublishingSystem

MAY = "2026-05"


class Refusing(DynamoDB):
    """Refuses a transaction for each of these refusals, then accepts."""

    def __init__(self, refusals: Iterable[Refused]) -> None:
        super().__init__()
        self.refusals, self.attempts = iter(refusals), 0

    def _transact_write_items(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.attempts += 1
        if (refused := next(self.refusals, None)) is not None:
            raise refused
        return super()._transact_write_items(asked)


def cancelled(*reasons: str) -> Refused:
    """A transaction that was cancelled, with the reason of each write."""
    codes = [{"Code": reason} for reason in reasons]
    message = f"specific reasons [{', '.join(reasons)}]"
    return Refused("TransactionCanceledException", message, CancellationReasons=codes)


TEMPORARY = {
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


@pytest.mark.parametrize("refused", TEMPORARY.values(), ids=TEMPORARY)
def test_a_temporary_reason_is_tried_again_with_growing_pauses(
    refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.backoff.random.uniform", lambda _, most: most)
    dynamodb = Refusing([refused] * 6)
    system = PublishingSystem(dynamodb)
    run = system.publish(MAY, {"a": 1}).run
    assert system.table.pointer().publications[MAY].run == run
    assert dynamodb.attempts == 7
    assert system.slept == pytest.approx([0.05 * 2**n for n in range(6)])


@pytest.mark.parametrize("refused", TEMPORARY.values(), ids=TEMPORARY)
def test_a_temporary_reason_that_lasts_a_minute_is_an_error_with_that_reason(refused: Refused) -> None:
    seconds = count(0.0, 5.0)
    system = PublishingSystem(Refusing(repeat(refused)), clock=lambda: next(seconds))
    with pytest.raises(TableUnavailable) as raised:
        system.publish(MAY, {"a": 1})
    assert refused.answer["Error"]["Message"] in str(raised.value)
    assert not system.table.pointer().publications


@pytest.mark.parametrize(("refused", "reason"), LASTING.values(), ids=LASTING)
def test_a_lasting_reason_is_an_error_at_once_and_not_called_a_conflict(refused: Refused, reason: str) -> None:
    dynamodb = Refusing(repeat(refused))
    system = PublishingSystem(dynamodb)
    with pytest.raises(TableUnavailable, match=reason) as raised:
        system.publish(MAY, {"a": 1})
    assert "came first" not in str(raised.value)
    assert (dynamodb.attempts, system.slept) == (1, [])
    assert not system.table.pointer().publications


def test_another_month_published_at_the_same_time_is_no_conflict() -> None:
    system = PublishingSystem()
    other = PublishingSystem(system.dynamodb)
    before_next_transaction(system, lambda: other.publish("2026-06", {"a": 2}))
    run = system.publish(MAY, {"a": 1}).run
    pointer = system.table.pointer()
    assert (pointer.version, pointer.publications[MAY].run) == (2, run)
    system.send()
    assert [event["sequence"] for event in system.bus.accepted if event["type"] == "LevelsPublished"] == [1, 2]


def test_the_same_month_published_at_the_same_time_is_a_conflict() -> None:
    system = PublishingSystem()
    other = PublishingSystem(system.dynamodb)
    first = system.publish(MAY, {"a": 1}).run
    before_next_transaction(system, lambda: other.publish(MAY, {"a": 3}))
    with pytest.raises(PublicationConflict, match="became valid while run"):
        system.publish(MAY, {"a": 2})
    valid = system.table.pointer().publications[MAY].run
    assert valid != first
    assert system.levels() == {"a": 3}


def before_next_transaction(system: PublishingSystem, happens: Any) -> None:
    """Something happens just before the system's next transaction is sent."""
    once = iter([happens])

    def before(**_: object) -> None:
        if do := next(once, None):
            do()

    system.table.client.meta.events.register_first("before-call.dynamodb.TransactWriteItems", before)
