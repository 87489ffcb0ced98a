"""Runs of the rating function that are killed at a chosen AWS call, with a reader at the same time, each in a process.

The processes are forked from one that has imported everything, so each costs only a fraction of a second.
"""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import boto3

from functions.lookup.api import serving
from functions.lookup.authorization import Access
from functions.lookup.cursors import Cursors
from functions.lookup.publications import Publications
from functions.lookup.routing import Services
from functions.rating.app import handler
from functions.rating.publication.report_page import template
from local.cloud.gateway import Request, ask
from local.cloud.invocation import Context, Handler
from shared.content import canonical_json
from shared.settings import DEFAULT_ZONE
from shared.table import Table

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([__name__, "functions.rating.measuring.embedded.measure"])

SESSION = boto3.Session(region_name="us-east-1")
for _service in ("dynamodb", "s3", "events"):  # loads the service files before the fork
    SESSION.client(_service, aws_access_key_id="nobody", aws_secret_access_key="nothing")
template("report.html.j2")  # compiles the template before the fork

Environment = Mapping[str, str]
PAUSE = 0.3  # seconds of the reader between two rounds, each of which costs as much as a third of a run
OF_A_CLOCK = ("event_id", "published_at")


@dataclass(frozen=True, slots=True)
class Death:
    """When a run is killed: at its ``call``-th request to AWS, before it is sent or after it is answered."""

    call: int
    answered: bool


def rate(environment: Environment, event: Mapping[str, Any], sent_events: Path, death: Death | None) -> Any:
    """The handler's answer to an event; None if it was killed.

    ``sent_events``: a file for each event that the bus took, without id and clock.
    """
    here, there = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=_rate, args=(environment, event, sent_events, death, there), daemon=True)
    process.start()
    there.close()
    with here:
        try:
            return here.recv()
        except EOFError:
            process.join()
            assert death, "a run ended without an answer; what it raised is above"
            assert process.exitcode == -signal.SIGKILL, f"a run ended with {process.exitcode} before its death"
            return None


def _rate(
    environment: Environment, event: dict[str, Any], sent_events: Path, death: Death | None, answer: Connection
) -> None:
    events = enter(environment).events
    events.register("before-parameter-build.events.PutEvents", _remember)
    events.register("after-call.events.PutEvents", lambda context, **_: _tell(sent_events, context["sent_events"]))
    if death:
        kill_at(death, events)
    answer.send(handler(event, Context("rating", 900)))


def enter(environment: Environment) -> boto3.Session:
    """The session of all clients that this process makes."""
    os.environ.update(environment)
    logging.disable()
    boto3.DEFAULT_SESSION = SESSION
    return SESSION


def kill_at(death: Death, events: Any) -> None:
    """Kill this process at the chosen request."""
    calls = count(1)

    def maybe(**_: object) -> None:
        if next(calls) == death.call:
            os.kill(os.getpid(), signal.SIGKILL)

    events.register("response-received" if death.answered else "before-send", maybe)


def _remember(params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
    context["sent_events"] = [
        canonical_json({name: value for name, value in json.loads(entry["Detail"]).items() if name not in OF_A_CLOCK})
        for entry in params["Entries"]
    ]


def _tell(sent_events: Path, details: Sequence[str]) -> None:
    with sent_events.open("a", encoding="utf-8") as file:
        file.writelines(f"{detail}\n" for detail in details)


@contextmanager
def reading(environment: Environment, questions: Sequence[Request]) -> Iterator[Callable[[], list[list[str]]]]:
    """A reader that calls the lookup function every ``PAUSE`` seconds.

    Call it to stop it and get the answers to each question. An answer equal to the one before is left out.
    """
    here, there = PROCESSES.Pipe()
    process = PROCESSES.Process(target=_read, args=(environment, questions, there), daemon=True)
    process.start()
    there.close()
    with here:
        assert here.recv() == "begun"

        def seen() -> list[list[str]]:
            here.send("enough")
            answers: list[list[str]] = here.recv()
            return answers

        try:
            yield seen
        finally:
            process.kill()
            process.join()


def _read(environment: Environment, questions: Sequence[Request], pipe: Connection) -> None:
    enter(environment)
    lookup = lookup_of(Table(boto3.client("dynamodb"), environment["TABLE_NAME"]))
    seen: list[list[str]] = [[] for _ in questions]
    pipe.send("begun")
    while not pipe.poll(PAUSE):
        for answers, question in zip(seen, questions, strict=True):
            answered = answer(lookup, question)
            if answers[-1:] != [answered]:
                answers.append(answered)
    pipe.send(seen)


def lookup_of(table: Table) -> Handler:
    """The lookup handler with a clock so fast that it never uses a cached pointer."""
    days: Iterator[float] = count(0.0, 86_400.0)
    early = datetime(2000, 1, 1, tzinfo=UTC)  # no month of these tests is past its retention
    publications = Publications(table, ZoneInfo(DEFAULT_ZONE), clock=lambda: next(days), now=lambda: early)
    return serving(Services(publications, Cursors("crash"), access=Access(local_caller="*")))


def answer(lookup: Handler, question: Request) -> str:
    """Status and body, without the time of publication, which differs in each run."""
    answered = ask(lookup, question)
    body = json.loads(answered.body, object_hook=_without_clock)
    return json.dumps([answered.status, body], ensure_ascii=False, sort_keys=True)


def _without_clock(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name != "published_at"}
