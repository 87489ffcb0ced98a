"""One invocation of the real rating function, in its own process, which may be killed at a call or after some time."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from botocore.config import Config

from functions.rating import wiring
from functions.rating.app import handler
from local.cloud.invocation import Context
from shared.errors import LevelsError
from tests.crashing import PROCESSES, Death, Environment, enter, kill_at

PATIENCE = 240.0


@dataclass(frozen=True, slots=True)
class Answered:
    """The result of an event: an answer, or the name and text of an error, or neither if the process was killed."""

    event: Mapping[str, Any]
    answer: Mapping[str, Any] | None = None
    error: str | None = None
    text: str = ""

    @property
    def killed(self) -> bool:
        return self.answer is None and self.error is None

    def __str__(self) -> str:
        return (
            f"{dict(self.event)} -> {self.error or (self.answer or {}).get('outcome', 'killed')} {self.text}".rstrip()
        )


class Invocation:
    """A running invocation. ``death``: kill it at a call, or after this number of seconds."""

    def __init__(self, environment: Environment, event: Mapping[str, Any], death: Death | float | None = None) -> None:
        self.event, self.death = event, death
        self.began = time.monotonic()
        self.pipe, there = PROCESSES.Pipe(duplex=False)
        at_call = death if isinstance(death, Death) else None
        self.process = PROCESSES.Process(target=_run, args=(environment, dict(event), at_call, there), daemon=True)
        self.process.start()
        there.close()

    def wait(self) -> Answered:
        """The result. Raises AssertionError if it hangs, or ended without an answer and without being killed."""
        with self.pipe:
            patience = self.began + self.death - time.monotonic() if isinstance(self.death, float) else PATIENCE
            if not self.pipe.poll(max(0.0, patience)):
                self.process.kill()
                self.process.join()
                assert self.death is not None, f"{self.event}: no answer within {PATIENCE:.0f} s"
                return Answered(self.event)
            try:
                answer, error, text = self.pipe.recv()
            except EOFError:
                self.process.join()
                assert self.death is not None, f"{self.event}: the process ended with {self.process.exitcode}"
                return Answered(self.event)
        self.process.join()
        return Answered(self.event, answer, error, text)


def _run(environment: Environment, event: dict[str, Any], death: Death | None, answer: Connection) -> None:
    session = enter(environment)
    wiring.CLIENT = Config(retries={"mode": "standard", "total_max_attempts": 4}, max_pool_connections=16)
    if death:
        kill_at(death, session.events)
    try:
        answered: tuple[Any, str | None, str] = (handler(event, Context("rating", 900)), None, "")
    except LevelsError as error:
        answered = (None, type(error).__name__, str(error))
    except BaseException as error:
        answer.send((None, f"unexpected: {type(error).__name__}", repr(error)))
        raise
    answer.send(answered)
    answer.close()
    os._exit(0)
