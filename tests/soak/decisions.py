"""Random decisions of people and schedules about months: events for the function, with the errors that may follow."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.months import Month
from tests.soak.deliveries import Deliveries
from tests.soak.judge import MOVES, Judge

DECIDED = {"by": "Li", "reason": "soak"}
RECENT = 6
FIRST = Month.parse("2016-01")
LAST = Month.parse("2026-09")


@dataclass(frozen=True, slots=True)
class Decision:
    """An event, and the errors that it may cause if nothing else happens."""

    kind: str
    event: Mapping[str, Any]
    refusals: frozenset[str] = frozenset()


class Decisions:
    """Chooses decisions by what the ledger says, as people do."""

    def __init__(self, deliveries: Deliveries, judge: Judge, chance: random.Random) -> None:
        self.deliveries, self.judge, self.chance = deliveries, judge, chance
        self.next = FIRST
        self.kinds: dict[Callable[[], Decision], int] = {
            self.publish_next: 8,
            self.publish_again: 4,
            self.rate_as_it_is: 1,
            self.roll_back: 4,
            self.accept: 4,
            self.refresh: 3,
            self.verify: 1,
            self.preview: 1,
        }

    def one(self) -> Decision:
        """A random decision of those that are possible now."""
        published = self.judge.valid()
        if not published:
            return self.publish_next()
        if str(self.next) in published:
            self.next = self.next.plus(1)
        [choose] = self.chance.choices(list(self.kinds), list(self.kinds.values()))
        return choose()

    def publish_next(self) -> Decision:
        """The next month, by the schedule or by an event with the month; it may be held."""
        if self.next > LAST:
            return self.publish_again()
        month = str(self.next)
        if not self._delivered(month) or self.chance.random() < 0.2:
            self.deliveries.month(month)
        if self.chance.random() < 0.5:
            due = self.next.plus(1)
            return Decision("scheduled", {"scheduled_at": f"{due}-02T18:00:00Z"})
        return Decision("month", {"month": month})

    def publish_again(self) -> Decision:
        """A recent month with new extracts: it is restated or held."""
        month = self._recent()
        self.deliveries.month(month)
        return Decision("restatement", {"month": month})

    def rate_as_it_is(self) -> Decision:
        return Decision("again", {"month": self._recent()})

    def roll_back(self) -> Decision:
        """To any run of a month with several runs in the ledger; some were never valid."""
        runs: dict[str, set[str]] = {}
        for line in self.judge.lines():
            runs.setdefault(line["month"], set()).add(line["run"])
        recent = sorted(self.judge.valid())[-RECENT:]
        month = self.chance.choice([month for month in recent if len(runs[month]) > 1] or recent)
        event = {"rollback": self.chance.choice(sorted(runs[month])), **DECIDED}
        return Decision("rollback", event, frozenset({"RunUnknown"}))

    def accept(self) -> Decision:
        """One of the last held runs."""
        held = [line["run"] for line in self.judge.lines() if line["action"] == "held"][-4:]
        if not held:
            return self.publish_next()
        more = {"anyway": True} if self.chance.random() < 0.7 else {}
        refusals = frozenset({"RunUnknown", "RunSuperseded", "PublicationConflict"})
        return Decision("accept", {"accept": self.chance.choice(held), **DECIDED, **more}, refusals)

    def refresh(self) -> Decision:
        self.deliveries.workbook(other_thresholds=self.chance.random() < 0.3)
        return Decision("refresh", {"mode": "refresh"})

    def verify(self) -> Decision:
        runs = sorted(self.judge.valid().values())
        return Decision("verify", {"verify": self.chance.choice(runs)})

    def preview(self) -> Decision:
        return Decision("preview", {"month": self._recent(), "mode": "preview"})

    def _recent(self) -> str:
        return self.chance.choice(sorted(self.judge.valid())[-RECENT:])

    def _delivered(self, month: str) -> bool:
        return f"orders/month={month}/part-0.csv" in self.deliveries.now


def is_true(answer: Mapping[str, Any], lines: list[Mapping[str, Any]], before: int) -> bool:
    """Whether the ledger agrees with an answer. ``before``: the pointer's version before the event."""
    since = [line for line in lines if line["version"] > before and line["run"] == answer["run"]]
    did = {line["action"] for line in since}
    of_run = {line["action"] for line in lines if line["run"] == answer["run"]}
    match answer["outcome"]:
        case "published":
            return bool(did & {"published", "restated", "accepted"})
        case "rolled_back" | "refreshed" as action:
            return action in did
        case "held" | "repaired" as action:
            return action in of_run
        case "unchanged":
            return bool(of_run & set(MOVES))
    return True
