"""Two runs at once: before a call of one run, another runs from beginning to end. One of them is published whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import pytest

from functions.rating.publication import ledger
from shared.errors import LevelsError, ObjectChanged, PublicationConflict
from tests.cloud import Cloud, small_cloud
from tests.wire import at_call, before_first

APRIL, MAY = {"month": "2026-04"}, {"month": "2026-05"}
BIG, MIDDLE, SMALL, NONE = (5, 500_000), (2, 10_000), (1, 0), (0, 0)
BEFORE = {"a": MIDDLE, "b": MIDDLE, "c": SMALL}
AGENCIES = {"a": BIG, "b": MIDDLE, "c": NONE}
OTHER_AGENCIES = {"a": SMALL, "b": BIG, "c": SMALL}
DECIDED = {"by": "Li", "reason": "looked at it"}
MOMENTS = {
    "before anything is read": "dynamodb.Query",
    "before the extracts are found": "s3.ListObjectsV2",
    "before the extracts are read": "s3.GetObject",
    "before the run is staged": "dynamodb.BatchWriteItem",
    "before the report is written": "s3.PutObject",
    "before the pointer moves": "dynamodb.TransactWriteItems",
    "after the pointer moved, before events are sent": "eventbridge.PutEvents",
}
DuringTheRun = Callable[[Callable[[], None]], AbstractContextManager[list[str]]]
"""A block in which something happens once, at a moment of the run inside it. Gives the calls of that run."""


@pytest.fixture(scope="module")
def april(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """April is published; May is ready."""
    with small_cloud(tmp_path_factory.mktemp("cloud")) as cloud:
        cloud.put_month("2026-04", BEFORE)
        cloud.rate(APRIL)
        cloud.put_month("2026-05", AGENCIES)
        cloud.remember()
        yield cloud


def rate(cloud: Cloud, event: dict[str, Any]) -> dict[str, Any] | LevelsError:
    """The answer to an event, or the error that the function raised."""
    try:
        return cloud.rate(event)
    except LevelsError as error:
        return error


def is_valid_and_verified(cloud: Cloud, run: str) -> bool:
    """Whether the run is the valid one of May, and verify finds no difference."""
    valid = cloud.table.pointer().publications["2026-05"]
    verified = cloud.rate({"verify": run})["outcome"] == "verified"
    return valid.run == run and verified


def two_runs_of_the_same_inputs_publish_once(cloud: Cloud, during_the_run: DuringTheRun) -> None:
    others: list[dict[str, Any]] = []
    with during_the_run(lambda: others.append(cloud.rate(MAY))):
        answer = cloud.rate(MAY)
    [other] = others
    assert {answer["outcome"], other["outcome"]} == {"published", "unchanged"}
    assert answer["run"] == other["run"]
    assert is_valid_and_verified(cloud, answer["run"])
    assert [entry.action for entry in ledger.entries(cloud.table, "2026-05")] == ["published"]


def two_runs_of_different_inputs_never_mix(cloud: Cloud, during_the_run: DuringTheRun) -> None:
    others: list[dict[str, Any]] = []

    def other_inputs() -> None:
        cloud.put_month("2026-05", OTHER_AGENCIES)
        others.append(cloud.rate(MAY))

    with during_the_run(other_inputs):
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
    assert is_valid_and_verified(cloud, other["run"])
    assert cloud.levels() == {"a": 1, "b": 3, "c": 1}


def after_a_rollback_during_a_run_one_of_both_is_valid(cloud: Cloud, during_the_run: DuringTheRun) -> None:
    first = cloud.rate(MAY)["run"]
    cloud.put_month("2026-05", OTHER_AGENCIES)
    second = cloud.rate(MAY)["run"]
    cloud.put_month("2026-05", {"a": NONE, "b": NONE, "c": NONE})
    others: list[dict[str, Any]] = []
    with during_the_run(lambda: others.append(cloud.rate({"rollback": first, **DECIDED}))):
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


STORIES = (
    two_runs_of_the_same_inputs_publish_once,
    two_runs_of_different_inputs_never_mix,
    after_a_rollback_during_a_run_one_of_both_is_valid,
)


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_the_story_is_true_at_each_moment_of_a_run(
    april: Cloud, story: Callable[[Cloud, DuringTheRun], None], moment: str
) -> None:
    story(april.bring_back(), partial(before_first, MOMENTS[moment]))


@pytest.mark.sweep
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_the_story_is_true_before_each_call_of_a_run(
    april: Cloud, story: Callable[[Cloud, DuringTheRun], None]
) -> None:
    with at_call(0, lambda: None) as calls:
        april.bring_back().rate(MAY)
    assert set(MOMENTS.values()) <= set(calls)
    for number in range(1, len(calls) + 1):
        story(april.bring_back(), partial(at_call, number))
