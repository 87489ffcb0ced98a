"""Many months of a rating function that is killed, gets faults and several events at once, and of its readers.

Real are the whole handler, each invocation in its own process, and the lookup function. DynamoDB is
tests/dynamodb.py, S3 and the event bus are in tests/soak. After each step tests/soak/judge.py compares
everything with plain loops.
"""

from __future__ import annotations

import json
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from local.cloud.embedded import EmbeddedAws
from shared.table import Table
from tests.cloud import Cloud
from tests.crashing import Death
from tests.dynamodb import DynamoDB
from tests.publishing import Consumer
from tests.soak.aws import WRITES, Faults, Services, serving
from tests.soak.decisions import Decision, Decisions, is_true
from tests.soak.deliveries import AGENCIES, Deliveries
from tests.soak.invocation import Answered, Invocation
from tests.soak.judge import Judge, Levels, unpacked
from tests.soak.readers import reading
from tests.soak.s3 import S3

BY_CONCURRENCY = {"PublicationConflict", "ObjectChanged", "RunUnknown", "RunSuperseded"}
BY_FAULTS = {"TableUnavailable", "EventsUnsent", "ExtractsUnavailable", "MeasuringFailed", "ReportUnwritten"}
DAMAGED = ("AGENCY#", "RUN#", "STANDINGS#", "LEVEL#", "CHANGES#")


class Soak:
    """One table over many months. ``done`` counts the actions by name."""

    def __init__(self, folder: Path, endpoint: str, services: Services, seed: int):
        self.chance, self.services, self.done = random.Random(seed), services, Counter[str]()
        self.environment = EmbeddedAws(endpoint).environment() | {
            "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
            "EXTRACTS": "s3://extracts/in",
            "WORKBOOK": f"dir:{folder / 'workbook'}",
            "SCRATCH": str(folder / "scratch"),
            "RETENTION_MONTHS": "600",
            "POWERTOOLS_LOG_LEVEL": "CRITICAL",
            "POWERTOOLS_METRICS_DISABLED": "true",
        }
        session = boto3.Session("nobody", "nothing", region_name="us-east-1")
        s3 = session.client("s3", endpoint_url=endpoint, config=Config(request_checksum_calculation="when_required"))
        services.dynamodb.attach(session.events)
        self.table = Table(session.client("dynamodb"), self.environment["TABLE_NAME"])
        self.deliveries = Deliveries(Cloud(folder / "workbook", s3, self.table), self.chance)
        self.judge = Judge(services.dynamodb, self.table, self.levels_of)
        self.decisions = Decisions(self.deliveries, self.judge, self.chance)
        self.consumer, self.received = Consumer(), 0
        self.known: dict[str, Levels] = {}
        self.deliveries.workbook(other_thresholds=True)

    # --- one step -----------------------------------------------------------------------------------------------------

    def step(self) -> list[Answered]:
        """Do one decision, or several at once, with or without faults and kills. Then check, and sometimes repair."""
        before = self.judge.version()
        decisions = [self.decisions.one() for _ in range(self.chance.choice((1, 1, 1, 2, 3)))]
        faults = self.services.faults
        faults.share = self.chance.choice((0.0, 0.0, 0.01, 0.05))
        faults.always = self.chance.choice(WRITES) if self.chance.random() < 0.1 else None
        with reading(self.table) as seen:
            running = [Invocation(self.environment, decision.event, self._death()) for decision in decisions]
            results = [invocation.wait() for invocation in running]
        disturbed = bool(faults.share or faults.always)
        faults.share, faults.always = 0.0, None
        self.done["steps"] += 1
        for decision, result in zip(decisions, results, strict=True):
            self._count(decision, result)
            self._check_answer(decision, result, before, alone=len(decisions) == 1, disturbed=disturbed)
        self.judge.publications()
        self._check_seen(seen, before)
        if self.judge.version() and self.chance.random() < 0.5:
            self.quiet()
        if self.judge.version() and self.chance.random() < 0.15:
            self.damage_and_repair()
        return results

    def _death(self) -> Death | float | None:
        if self.chance.random() < 0.6:
            return None
        if self.chance.random() < 0.3:
            return self.chance.uniform(0.05, 1.5)
        return Death(self.chance.randrange(1, 45), answered=self.chance.random() < 0.5)

    def _count(self, decision: Decision, result: Answered) -> None:
        self.done[f"event: {decision.kind}"] += 1
        self.done["killed" if result.killed else f"result: {result.error or (result.answer or {})['outcome']}"] += 1

    def _check_answer(self, decision: Decision, result: Answered, before: int, *, alone: bool, disturbed: bool) -> None:
        if result.error:
            allowed = decision.refusals | (set() if alone else BY_CONCURRENCY) | (BY_FAULTS if disturbed else set())
            assert result.error in allowed, f"{result}; allowed were {sorted(allowed)}"
        elif result.answer and result.answer["run"]:
            assert is_true(result.answer, self.judge.lines(), before), f"the ledger does not say {result.answer}"
        if result.answer and decision.kind == "verify" and alone:
            self._check_verification(result)

    def _check_verification(self, result: Answered) -> None:
        assert result.answer
        same = self.deliveries.unchanged(self._record(result.event["verify"])["inputs"])
        assert result.answer["outcome"] == ("verified" if same else "differs"), result.answer
        of_inputs = ("has changed since the run read it", "appeared after the run read", "is no longer there")
        others = [text for text in result.answer["differences"] if not text.endswith(of_inputs)]
        assert not others, f"{result.event} differs: {others}"

    def _check_seen(self, answers: list[dict[str, Any]], before: int) -> None:
        """A reader saw only whole publications that were valid at that time, and no older one after a newer one."""
        publications = [p for p in self.judge.publications() if p.current]
        earlier = [p for p in publications if p.version <= before][-1:]
        possible = [(p.month, p.now) for p in (*earlier, *(p for p in publications if p.version > before))]
        at = 0
        for seen in answers:
            if not seen["months"] and not before:
                continue
            [month] = seen["months"]
            while possible[at] != (month, seen["levels"]):
                at += 1
                assert at < len(possible), f"a reader saw {seen}; possible were {possible}"
        self.done["different answers that readers saw"] += len(answers)

    # --- between steps ------------------------------------------------------------------------------------------------

    def quiet(self) -> None:
        """One undisturbed refresh: after it all events are sent, the texts are the sheet's, and everything agrees."""
        refreshed = Invocation(self.environment, {"mode": "refresh"}).wait()
        assert refreshed.answer, f"undisturbed: {refreshed}"
        valid = self.judge.valid()
        assert self.judge.names_of_levels()[2] == self.deliveries.name_of_level_3
        for month in {max(valid), self.chance.choice(sorted(valid))}:
            self.judge.check_readers(month, self.chance.choice(AGENCIES))
        self.judge.check_events(self.services.sent, all_sent=True)
        new = self.services.sent[self.received :]
        self.received = len(self.services.sent)
        delivered = [*new, *(event for event in new if self.chance.random() < 0.3)]
        self.chance.shuffle(delivered)
        self.consumer.receive(delivered)
        rated = {a: level for a, level in self.levels_of(valid[max(valid)]).items() if level is not None}
        assert self.consumer.levels() == rated, "a consumer of the events has other levels than the API"
        self.done["quiet refreshes"] += 1

    def damage_and_repair(self) -> None:
        """Delete or damage items of a valid run with unchanged inputs; a repair restores them, also a killed one."""
        valid = self.judge.valid()
        month = self.chance.choice(sorted(valid))
        run = valid[month]
        if not self.deliveries.unchanged(self._record(run)["inputs"]):
            return
        items = self.services.dynamodb.items
        own = [n for n in sorted(items) if n[0].startswith(DAMAGED) and (run in n[0] or n[1].endswith(f"#{run}"))]
        before = {names: items[names] for names in own}
        for names in self.chance.sample(own, min(len(own), 4)):
            if self.chance.random() < 0.5:
                del items[names]
            else:
                name = self.chance.choice([name for name in items[names] if name not in ("pk", "sk", "schema")])
                items[names] = items[names] | {name: {"S": "damaged"}}
        event = {"month": month, "repair": True}
        Invocation(self.environment, event, self._death()).wait()
        repaired = Invocation(self.environment, event).wait()
        assert repaired.answer, f"undisturbed: {repaired}"
        verified = Invocation(self.environment, {"verify": run}).wait()
        assert verified.answer, f"undisturbed: {verified}"
        assert verified.answer["outcome"] == "verified", verified.answer
        after = {names: items[names] for names in own}
        assert after == before, f"repairing {month} wrote other bytes: {[n for n in own if after[n] != before[n]]}"
        self.done["damaged and repaired"] += 1

    def final(self) -> None:
        """Check every published month, and verify every valid run."""
        self.quiet()
        for month, run in sorted(self.judge.valid().items()):
            self.judge.check_readers(month, self.chance.choice(AGENCIES))
            verified = Invocation(self.environment, {"verify": run}).wait()
            assert verified.answer, f"undisturbed: {verified}"
            self._check_verification(verified)
            self.done["valid runs verified at the end"] += 1

    # --- the levels of runs, by plain loops ---------------------------------------------------------------------------

    def _record(self, run: str) -> dict[str, Any]:
        record: dict[str, Any] = json.loads(unpacked(self.services.dynamodb.items[f"RUN#{run}", "RUN"]["record"]))
        return record

    def levels_of(self, run: str) -> Levels:
        """The levels of a run, from the objects and the workbook in its record."""
        if run not in self.known:
            record = self._record(run)
            rulebook = self.services.dynamodb.items[f"RULEBOOK#{record['rulebook']}", "RULEBOOK"]
            number = re.search(r"w(\d+)w", unpacked(rulebook["content"]))
            assert number
            self.known[run] = self.deliveries.levels(record["month"], record["inputs"], int(number[1]))
        return self.known[run]


@contextmanager
def prepared(folder: Path, seed: int) -> Iterator[Soak]:
    """A new world without publications."""
    for name in ("workbook", "scratch"):
        (folder / name).mkdir()
    services = Services(DynamoDB(), S3(), Faults(random.Random(seed + 1)))
    with serving(services) as endpoint:
        yield Soak(folder, endpoint, services, seed)


def soak(folder: Path, minutes: float, seed: int, say: Callable[[str], None]) -> Counter[str]:
    """Run steps for this number of minutes, then verify everything. Returns how often each thing was done.

    Raises AssertionError with the last results at the first difference.
    """
    began = reported = time.monotonic()
    with prepared(folder, seed) as world:
        last: list[Answered] = []
        try:
            while time.monotonic() - began < 60 * minutes:
                last = [*last, *world.step()][-8:]
                if time.monotonic() - reported > 30:
                    reported = time.monotonic()
                    say(f"{reported - began:.0f} s: {world.done['steps']} steps, version {world.judge.version()}")
            world.final()
        except AssertionError as error:
            raise AssertionError(
                f"seed {seed}, step {world.done['steps']}: {error}\n" + "\n".join(map(str, last))
            ) from error
        done = world.done + Counter({f"compared: {name}": n for name, n in world.judge.compared.items()})
        for (_, fault), number in world.services.faults.injected.items():
            done[f"injected: {fault}"] += number
        return done + Counter({"months published": len(world.judge.valid()), "events sent": len(world.services.sent)})
