"""The publishing half of the rating function, with levels that a test chooses: dozens of decisions a second.

Real are staging, publisher, outbox, ledger, pointer and the decisions of people. The table is tests/dynamodb.py; the
bus records its events.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import gettempdir
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import boto3

from functions.rating.commands.decide import Decision, accept, roll_back
from functions.rating.extracts.inventory import NotReady
from functions.rating.progress import Progress
from functions.rating.publication import staging
from functions.rating.publication.items import items_of
from functions.rating.publication.outbox import Outbox
from functions.rating.publication.publisher import Publisher
from functions.rating.run.guardrails import Totals
from functions.rating.run.record import Compared, DataQuality, RunRecord
from functions.rating.run.standings import standings_of
from functions.rating.services import Services
from shared.content import content_id
from shared.errors import LevelsError
from shared.levels import Change, Channel, Ladder, Level, Measured, Rating, Rulebook, Rung, Status, Threshold
from shared.months import Month
from shared.table import Table
from tests.dynamodb import DynamoDB

SHANGHAI = ZoneInfo("Asia/Shanghai")
LEVELS = tuple(Level(number, f"{number}级", "") for number in (1, 2, 3))
RUNGS = tuple(Rung(of.level, (Channel(1, (Threshold("gmv", of.level),)),)) for of in LEVELS)
RULEBOOK = Rulebook(LEVELS, (), (Ladder(None, RUNGS),), ())
Levels = Mapping[str, int | None]
ENTRIES, ENTRIES_BYTES = 10, 256 * 1024  # entries in one request to EventBridge


@dataclass
class Bus:
    """An event bus that records its events: ten events and 256 KB a request. ``refuses`` decides about each entry.

    ``wait`` is called before each request, for tests that count time.
    """

    accepted: list[dict[str, Any]] = field(default_factory=list)
    refuses: Callable[[], bool] = lambda: False
    down: bool = False
    calls: int = 0
    wait: Callable[[], None] = lambda: None

    def attach(self, events: Any) -> None:
        events.register("before-call.events.PutEvents", self._answer)

    def _answer(self, params: Mapping[str, Any], **_: object) -> tuple[Any, dict[str, Any]]:
        self.calls += 1
        self.wait()
        if self.down:
            error = {"Code": "InternalFailure", "Message": "the bus is down"}
            return SimpleNamespace(status_code=500), {"Error": error, "ResponseMetadata": {"HTTPStatusCode": 500}}
        entries = json.loads(params["body"])["Entries"]
        if not 0 < len(entries) <= ENTRIES or sum(map(_bytes, entries)) > ENTRIES_BYTES:
            error = {"Code": "ValidationException", "Message": "too many entries, or too large together"}
            return SimpleNamespace(status_code=400), {"Error": error, "ResponseMetadata": {"HTTPStatusCode": 400}}
        answers: list[dict[str, str]] = []
        for entry in entries:
            if self.refuses():
                answers.append({"ErrorCode": "ThrottlingException", "ErrorMessage": "too fast"})
            else:
                answers.append({"EventId": str(len(self.accepted))})
                self.accepted.append({"type": entry["DetailType"], **json.loads(entry["Detail"])})
        failed = sum("ErrorCode" in answer for answer in answers)
        return SimpleNamespace(status_code=200), {
            "FailedEntryCount": failed,
            "Entries": answers,
            "ResponseMetadata": {"HTTPStatusCode": 200},
        }


def _bytes(entry: Mapping[str, str]) -> int:
    """The size of an entry as EventBridge counts it."""
    return sum(len(entry[name].encode()) for name in ("Source", "DetailType", "Detail"))


class PublishingSystem:
    """A table and a bus, with the actions publish, hold, accept, roll back and send.

    ``sleep`` and ``clock``: a test's own time. Without them there are no pauses; ``slept`` records them.
    """

    def __init__(
        self,
        dynamodb: DynamoDB | None = None,
        seconds_left: Callable[[], float] | None = None,
        sleep: Callable[[float], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.session = session = boto3.Session("nobody", "nothing", region_name="cn-north-1")
        self.dynamodb, self.bus = dynamodb or DynamoDB(), Bus()
        self.dynamodb.attach(session.events)
        self.bus.attach(session.events)
        self.slept: list[float] = []
        sleep = sleep or self.slept.append
        self.clock = datetime(2026, 11, 3, 2, tzinfo=UTC)
        self.table = Table(session.client("dynamodb"), "levels", sleep, clock)
        self.progress = Progress(remaining=seconds_left)
        self.outbox = Outbox(self.table, session.client("events"), "default", sleep)
        self.publisher = Publisher(self.table, self.outbox, self.progress, self.now, "code")

    def now(self) -> datetime:
        self.clock += timedelta(seconds=1)
        return self.clock

    def services(self) -> Services:
        """The services for decisions of people, without extracts."""
        missing = SimpleNamespace(find=lambda month: NotReady(month, (), ()))
        reports = SimpleNamespace(
            url=lambda month, run, **_: f"s3://reports/{month}/{run}", show_decision=lambda *_: None
        )
        rest = dict.fromkeys(("workbook", "description", "measure", "example"))
        return Services(
            **rest,  # type: ignore[arg-type]
            extracts=missing,  # type: ignore[arg-type]
            reports=reports,  # type: ignore[arg-type]
            table=self.table,
            publisher=self.publisher,
            zone=SHANGHAI,
            retention_months=25,
            code_version="code",
            now=self.now,
            progress=self.progress,
            scratch=Path(gettempdir()),
        )

    def expiry(self, month: str) -> int:
        return int(Month.parse(month).plus(25).end(SHANGHAI).timestamp())

    def stage(self, month: str, levels: Levels) -> RunRecord:
        """A run of a month, compared with the newest earlier one; it is not published."""
        compared_with = Compared.to(self.table.pointer().before(month))
        ratings = [rating(month, agency_id, level) for agency_id, level in sorted(levels.items())]
        record = RunRecord(
            run=content_id([month, dict(levels), compared_with]),
            month=month,
            rulebook=staging.keep_rulebook(self.table, RULEBOOK, self.expiry(month)),
            rules_version="2",
            compared_with=compared_with,
            inputs=(),
            agencies=len(ratings),
            levels={},
            moves={},
            totals=Totals(0, {}),
            quality=DataQuality({}, {}, (), ()),
            guardrails=(),
        )
        staging.stage(self.table, items_of(ratings, record, self.expiry(month)), lambda _: None)
        return record

    def publish(self, month: str, levels: Levels) -> RunRecord:
        """Rate and publish a month; its events are not sent yet."""
        valid = self.table.pointer().publications.get(month)
        record = self.stage(month, levels)
        standings = standings_of([rating(month, a, level) for a, level in sorted(levels.items())])
        action = "restated" if valid else "published"
        self.publisher.publish(record, action, valid, standings, expires_at=self.expiry(month))  # type: ignore[arg-type]
        return record

    def hold(self, month: str, levels: Levels) -> RunRecord:
        record = self.stage(month, levels)
        self.publisher.append("held", record)
        return record

    def accept(self, run: str) -> dict[str, Any]:
        return accept(self.services(), run, Decision("Li", "seen", anyway=True))

    def roll_back(self, run: str) -> dict[str, Any]:
        return roll_back(self.services(), run, Decision("Li", "wrong file"))

    def send(self) -> int:
        return self.outbox.send_pending(self.progress)

    def levels(self) -> dict[str, int]:
        """The levels that readers see now; agencies without one are left out."""
        pointer = self.table.pointer()
        standings = self.table.standings(pointer.current().run) if pointer.publications else {}
        return {agency_id: s.level for agency_id, s in standings.items() if s.level is not None}


class Consumer:
    """Another system that stores each agency's level, as docs/api.md describes."""

    def __init__(self) -> None:
        self.known: set[str] = set()
        self.stored: dict[str, tuple[int, int | None]] = {}

    def receive(self, events: list[dict[str, Any]]) -> None:
        for event in events:
            if event["type"] != "AgencyLevelChanged" or not event["current"] or event["event_id"] in self.known:
                continue
            self.known.add(event["event_id"])
            if event["sequence"] > self.stored.get(event["agency_id"], (0, None))[0]:
                self.stored[event["agency_id"]] = (event["sequence"], event["new_level"])

    def levels(self) -> dict[str, int]:
        return {agency_id: level for agency_id, (_, level) in self.stored.items() if level is not None}


def rating(month: str, agency_id: str, level: int | None, introduction: str | None = None) -> Rating:
    measured = Measured(agency_id, f"机构{agency_id}", 0, introduction=introduction)
    status = Status.RATED if level else Status.BELOW_LADDER
    return Rating(month, measured, status, level, level, None, None, Change.NEW, {})


def some_levels(chance: random.Random, agencies: str = "abcdef") -> dict[str, int | None]:
    """Levels of some of these agencies."""
    chosen = [agency for agency in agencies if chance.random() < 0.8]
    return {agency: chance.choice((None, 1, 2, 3)) for agency in chosen}


def decide_at_random(system: PublishingSystem, chance: random.Random, runs: dict[str, list[str]]) -> str:
    """Make one random decision about one of six months, and return its name. ``runs``: the runs of each month."""
    month = f"2026-{chance.randrange(1, 7):02d}"
    known = runs.setdefault(month, [])
    what = chance.choice(("publish", "publish", "hold and accept", "roll back", "roll back", "again"))
    try:
        if what == "publish" or not known:
            known.append(system.publish(month, some_levels(chance)).run)
        elif what == "hold and accept":
            run = system.hold(month, some_levels(chance)).run
            known.append(run)
            system.accept(run)
        else:
            system.roll_back(chance.choice(known))
    except LevelsError as error:
        return f"{what}: {type(error).__name__}"
    return what
