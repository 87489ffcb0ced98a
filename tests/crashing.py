"""Runs of the rating function that are killed at a chosen AWS call, each in a process, and readers at the same time.

The processes are forked from one that has imported everything, so each costs only a fraction of a second.
"""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from multiprocessing.connection import Connection
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
from shared.settings import DEFAULT_ZONE
from shared.table import Table

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([__name__, "functions.rating.measuring.embedded.measure"])

SESSION = boto3.Session(region_name="us-east-1")
for _service in ("dynamodb", "s3", "events"):  # loads the service files before the fork
    SESSION.client(_service, aws_access_key_id="nobody", aws_secret_access_key="nothing")
template("report.html.j2")  # compiles the template before the fork

Environment = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Death:
    """When a run is killed: at its ``call``-th request to AWS, before it is sent or after it is answered."""

    call: int
    answered: bool


def rate(environment: Environment, event: Mapping[str, Any], death: Death | None) -> Any:
    """The handler's answer to an event; None if it was killed."""
    here, there = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=_rate, args=(environment, event, death, there), daemon=True)
    process.start()
    there.close()
    with here:
        try:
            return here.recv()
        except EOFError:
            process.join()
            assert death, "the run ended without an answer; its exception is printed above"
            assert process.exitcode == -signal.SIGKILL, f"exit code {process.exitcode} before the run was killed"
            return None


def _rate(environment: Environment, event: dict[str, Any], death: Death | None, answer: Connection) -> None:
    events = enter(environment).events
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

    def kill_at_call(**_: object) -> None:
        if next(calls) == death.call:
            os.kill(os.getpid(), signal.SIGKILL)

    events.register("response-received" if death.answered else "before-send", kill_at_call)


@contextmanager
def repeating(step: Callable[[], None], pause: float) -> Iterator[None]:
    """Within the block, a thread calls ``step`` repeatedly, with a pause between. An exception is raised at the end."""
    failed: list[BaseException] = []
    stop = threading.Event()

    def repeat() -> None:
        try:
            while not stop.wait(pause):
                step()
        except BaseException as error:  # noqa: BLE001 - raised again below, in the thread of the test
            failed.append(error)

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    if failed:
        raise failed[0]


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
