"""Two runs at once: while one is at some call, another runs from beginning to end. One publication, no mixture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from functions.rating.publication import ledger
from shared.errors import LevelsError, ObjectChanged, PublicationConflict
from tests.cloud import Cloud, small_cloud
from tests.wire import at_call

APRIL, MAY = {"month": "2026-04"}, {"month": "2026-05"}
BIG, MIDDLE, SMALL, NONE = (5, 500_000), (2, 10_000), (1, 0), (0, 0)
BEFORE = {"a": MIDDLE, "b": MIDDLE, "c": SMALL}
AGENCIES = {"a": BIG, "b": MIDDLE, "c": NONE}
OTHER_AGENCIES = {"a": SMALL, "b": BIG, "c": SMALL}
DECIDED = {"by": "Li", "reason": "looked at it"}
CALLS, TELLING = range(1, 40), (1, 6, 12, 18, 25, 31, 34, 37)  # of listing, reading, staging, publishing, sending
at_some_calls = pytest.mark.parametrize(
    "call", [pytest.param(call, marks=() if call in TELLING else pytest.mark.sweep) for call in CALLS]
)


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with small_cloud(tmp_path) as cloud:
        cloud.put_month("2026-04", BEFORE)
        cloud.rate(APRIL)
        cloud.put_month("2026-05", AGENCIES)
        yield cloud


def rate(cloud: Cloud, event: dict[str, Any]) -> dict[str, Any] | LevelsError:
    """The answer to an event, or what was raised on purpose."""
    try:
        return cloud.rate(event)
    except LevelsError as error:
        return error


def is_whole(cloud: Cloud, run: str) -> bool:
    """Whether May's pointer names the run, and readers see nothing but its ratings."""
    valid = cloud.table.pointer().publications["2026-05"]
    verified = cloud.rate({"verify": run})["outcome"] == "verified"
    return valid.run == run and verified


def test_the_calls_are_those_that_a_run_makes(cloud: Cloud) -> None:
    with at_call(0, lambda: None) as calls:
        cloud.rate(MAY)
    assert len(calls) == len(CALLS), calls


@at_some_calls
def test_two_runs_of_the_same_inputs_publish_once(cloud: Cloud, call: int) -> None:
    others: list[dict[str, Any]] = []
    with at_call(call, lambda: others.append(cloud.rate(MAY))):
        answer = cloud.rate(MAY)
    [other] = others
    assert {answer["outcome"], other["outcome"]} == {"published", "unchanged"}
    assert answer["run"] == other["run"]
    assert is_whole(cloud, answer["run"])
    assert [entry.action for entry in ledger.entries(cloud.table, "2026-05")] == ["published"]


@at_some_calls
def test_two_runs_of_different_inputs_never_mix(cloud: Cloud, call: int) -> None:
    others: list[dict[str, Any]] = []

    def other_inputs() -> None:
        cloud.put_month("2026-05", OTHER_AGENCIES)
        others.append(cloud.rate(MAY))

    with at_call(call, other_inputs):
        answer = rate(cloud, MAY)
    [other] = others
    actions = [entry.action for entry in ledger.entries(cloud.table, "2026-05")]
    if isinstance(answer, LevelsError):
        assert isinstance(answer, ObjectChanged | PublicationConflict)
        assert (other["outcome"], actions) == ("published", ["published"])
    elif other["outcome"] == "published" and answer["outcome"] == "published":
        assert (other["replaced"], actions) == (answer["run"], ["published", "restated"])
    else:
        assert (answer["outcome"], other["outcome"], actions) == ("unchanged", "published", ["published"])
        assert answer["run"] == other["run"]
    assert is_whole(cloud, other["run"])
    assert cloud.levels() == {"a": 1, "b": 3, "c": 1}


@at_some_calls
def test_a_rollback_beside_a_run_leaves_one_of_both_valid(cloud: Cloud, call: int) -> None:
    first = cloud.rate(MAY)["run"]
    cloud.put_month("2026-05", OTHER_AGENCIES)
    second = cloud.rate(MAY)["run"]
    cloud.put_month("2026-05", {"a": NONE, "b": NONE, "c": NONE})
    others: list[dict[str, Any]] = []
    with at_call(call, lambda: others.append(cloud.rate({"rollback": first, **DECIDED}))):
        answer = rate(cloud, MAY)
    [other] = others
    assert (other["outcome"], other["run"]) == ("rolled_back", first)
    valid = cloud.table.pointer().publications["2026-05"].run
    actions = [entry.action for entry in ledger.entries(cloud.table, "2026-05")]
    if isinstance(answer, PublicationConflict):
        assert (valid, other["replaced"], actions[2:]) == (first, second, ["rolled_back"])
        return
    assert not isinstance(answer, LevelsError)
    if other["replaced"] == second:
        assert (valid, answer["replaced"], actions[2:]) == (answer["run"], first, ["rolled_back", "restated"])
    else:
        assert (valid, answer["replaced"], actions[2:]) == (first, second, ["restated", "rolled_back"])
