"""Many months of a rating function that is killed, disturbed and asked for several things at once, and of its readers.

Real: the handler with everything in it, each invocation a process of its own, and the lookup function. DynamoDB is
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

OF_CONCURRENCY = {"PublicationConflict", "ObjectChanged", "RunUnknown", "RunSuperseded"}
OF_FAULTS = {"TableUnavailable", "EventsUnsent", "ExtractsUnavailable", "MeasuringFailed", "ReportUnwritten"}
DAMAGED = ("AGENCY#", "RUN#", "STANDINGS#", "LEVEL#", "CHANGES#")


class Soak:
    """One table that grows older. ``done`` counts what was done, by its name."""

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
        self.consumer, self.heard = Consumer(), 0
        self.known: dict[str, Levels] = {}
        self.deliveries.workbook(other_thresholds=True)

    # --- one step -----------------------------------------------------------------------------------------------------

    def step(self) -> list[Answered]:
        """Do one thing, or several at once; perhaps disturbed, perhaps killed. Then judge, and sometimes repair."""
        before = self.judge.version()
        decisions = [self.decisions.one() for _ in range(self.chance.choice((1, 1, 1, 2, 3)))]
        faults = self.services.faults
        faults.share = self.chance.choice((0.0, 0.0, 0.01, 0.05))
        faults.always = self.chance.choice(WRITES) if self.chance.random() < 0.1 else None
        with reading(self.table) as told:
            running = [Invocation(self.environment, decision.event, self._death()) for decision in decisions]
            answered = [invocation.wait() for invocation in running]
        disturbed = bool(faults.share or faults.always)
        faults.share, faults.always = 0.0, None
        self.done["steps"] += 1
        for decision, of in zip(decisions, answered, strict=True):
            self._count(decision, of)
            self._check_answer(decision, of, before, alone=len(decisions) == 1, disturbed=disturbed)
        self.judge.publications()
        self._check_told(told, before)
        if self.judge.version() and self.chance.random() < 0.5:
            self.quiet()
        if self.judge.version() and self.chance.random() < 0.15:
            self.damage_and_repair()
        return answered

    def _death(self) -> Death | float | None:
        if self.chance.random() < 0.6:
            return None
        if self.chance.random() < 0.3:
            return self.chance.uniform(0.05, 1.5)
        return Death(self.chance.randrange(1, 45), answered=self.chance.random() < 0.5)

    def _count(self, decision: Decision, of: Answered) -> None:
        self.done[f"asked: {decision.kind}"] += 1
        self.done["killed" if of.killed else f"came to: {of.error or (of.answer or {})['outcome']}"] += 1

    def _check_answer(self, decision: Decision, of: Answered, before: int, *, alone: bool, disturbed: bool) -> None:
        if of.error:
            allowed = decision.refusals | (set() if alone else OF_CONCURRENCY) | (OF_FAULTS if disturbed else set())
            assert of.error in allowed, f"{of}; allowed were {sorted(allowed)}"
        elif of.answer and of.answer["run"]:
            assert is_true(of.answer, self.judge.lines(), before), f"the ledger does not say {of.answer}"
        if of.answer and decision.kind == "verify" and alone:
            self._check_verdict(of)

    def _check_verdict(self, of: Answered) -> None:
        assert of.answer
        same = self.deliveries.unchanged(self._record(of.event["verify"])["inputs"])
        assert of.answer["outcome"] == ("verified" if same else "differs"), of.answer
        of_inputs = ("has changed since the run read it", "appeared after the run read", "is no longer there")
        others = [told for told in of.answer["differences"] if not told.endswith(of_inputs)]
        assert not others, f"{of.event} differs: {others}"

    def _check_told(self, told: list[dict[str, Any]], before: int) -> None:
        """A reader saw whole publications only, of those that were valid then, and never went back."""
        publications = self.judge.publications()
        current = [(of.month, of.now) for of in publications if of.current and of.version > before]
        was = [of for of in publications if of.version <= before and of.current][-1:]
        possible = [*((of.month, of.now) for of in was), *current]
        at = 0
        for seen in told:
            if not seen["months"] and not before:
                continue
            [month] = seen["months"]
            while possible[at] != (month, seen["levels"]):
                at += 1
                assert at < len(possible), f"a reader saw {seen}; possible were {possible}"
        self.done["answers that readers saw change"] += len(told)

    # --- between steps ------------------------------------------------------------------------------------------------

    def quiet(self) -> None:
        """One undisturbed refresh: all events are out after it, the texts are the sheet's, and everything agrees."""
        of = Invocation(self.environment, {"mode": "refresh"}).wait()
        assert of.answer, f"undisturbed: {of}"
        valid = self.judge.valid()
        assert self.judge.names_of_levels()[2] == self.deliveries.name_of_level_3
        for month in {max(valid), self.chance.choice(sorted(valid))}:
            self.judge.check_readers(month, self.chance.choice(AGENCIES))
        self.judge.check_events(self.services.sent, all_sent=True)
        new = self.services.sent[self.heard :]
        self.heard = len(self.services.sent)
        heard = [*new, *(event for event in new if self.chance.random() < 0.3)]
        self.chance.shuffle(heard)
        self.consumer.hear(heard)
        rated = {a: level for a, level in self.levels_of(valid[max(valid)]).items() if level is not None}
        assert self.consumer.levels() == rated, "a consumer of the events holds other levels than the API shows"
        self.done["quiet refreshes"] += 1

    def damage_and_repair(self) -> None:
        """Delete or spoil items of a valid run whose inputs are still there; repairing, even when killed, mends all."""
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
                items[names] = items[names] | {name: {"S": "spoilt"}}
        event = {"month": month, "repair": True}
        Invocation(self.environment, event, self._death()).wait()
        of = Invocation(self.environment, event).wait()
        assert of.answer, f"undisturbed: {of}"
        verified = Invocation(self.environment, {"verify": run}).wait()
        assert verified.answer, f"undisturbed: {verified}"
        assert verified.answer["outcome"] == "verified", verified.answer
        after = {names: items[names] for names in own}
        assert after == before, f"repairing {month} wrote otherwise: {[n for n in own if after[n] != before[n]]}"
        self.done["damaged and repaired"] += 1

    def final(self) -> None:
        """Every month that readers can ask for, and every run that is valid, verified."""
        self.quiet()
        for month, run in sorted(self.judge.valid().items()):
            self.judge.check_readers(month, self.chance.choice(AGENCIES))
            of = Invocation(self.environment, {"verify": run}).wait()
            assert of.answer, f"undisturbed: {of}"
            self._check_verdict(of)
            self.done["valid runs verified at the end"] += 1

    # --- what runs give, by plain loops -------------------------------------------------------------------------------

    def _record(self, run: str) -> dict[str, Any]:
        record: dict[str, Any] = json.loads(unpacked(self.services.dynamodb.items[f"RUN#{run}", "RUN"]["record"]))
        return record

    def levels_of(self, run: str) -> Levels:
        """The levels of a run: of the objects that it says it read, by the workbook that it says it was rated by."""
        if run not in self.known:
            record = self._record(run)
            rulebook = self.services.dynamodb.items[f"RULEBOOK#{record['rulebook']}", "RULEBOOK"]
            number = re.search(r"w(\d+)w", unpacked(rulebook["content"]))
            assert number
            self.known[run] = self.deliveries.levels(record["month"], record["inputs"], int(number[1]))
        return self.known[run]


@contextmanager
def prepared(folder: Path, seed: int) -> Iterator[Soak]:
    """A world in which nothing has happened."""
    for name in ("workbook", "scratch"):
        (folder / name).mkdir()
    services = Services(DynamoDB(), S3(), Faults(random.Random(seed + 1)))
    with serving(services) as endpoint:
        yield Soak(folder, endpoint, services, seed)


def soak(folder: Path, minutes: float, seed: int, say: Callable[[str], None]) -> Counter[str]:
    """Steps for so many minutes, and everything verified in the end; what was done and compared, in numbers.

    Raises AssertionError, with what was done last, at the first thing that is not as it must be.
    """
    began = heard = time.monotonic()
    with prepared(folder, seed) as world:
        last: list[Answered] = []
        try:
            while time.monotonic() - began < 60 * minutes:
                last = [*last, *world.step()][-8:]
                if time.monotonic() - heard > 30:
                    heard = time.monotonic()
                    say(f"{heard - began:.0f} s: {world.done['steps']} steps, version {world.judge.version()}")
            world.final()
        except AssertionError as error:
            raise AssertionError(
                f"seed {seed}, step {world.done['steps']}: {error}\n" + "\n".join(map(str, last))
            ) from error
        done = world.done + Counter({f"compared: {name}": n for name, n in world.judge.compared.items()})
        for (_, fault), number in world.services.faults.injected.items():
            done[f"injected: {fault}"] += number
        return done + Counter({"months published": len(world.judge.valid()), "events sent": len(world.services.sent)})
