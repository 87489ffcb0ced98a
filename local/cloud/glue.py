"""Glue for one process: answers its clients' requests, and runs each job as a real process.

moto's Glue answers SUCCEEDED at once and runs nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from local.cloud import spark
from local.cloud.template import ROOT

_SHOWN = 2000  # characters of a failed job's last output


class Work(Protocol):
    """The work of a job's run. ``poll``: None while it runs, then its exit code."""

    def poll(self) -> int | None: ...

    def wait(self) -> int: ...

    def last_output(self) -> str: ...


class Job:
    """The Spark job as a child of this process."""

    def __init__(self, arguments: Sequence[str]) -> None:
        given = {**os.environ, **spark.environment()}
        descriptor, name = tempfile.mkstemp(prefix="job-", suffix=".log")
        weakref.finalize(self, os.unlink, name)
        self.log = Path(name)
        with os.fdopen(descriptor, "w") as log:
            self.process = subprocess.Popen(
                spark.command(arguments), cwd=ROOT, env=given, stdout=log, stderr=subprocess.STDOUT
            )

    def poll(self) -> int | None:
        return self.process.poll()

    def wait(self) -> int:
        return self.process.wait()

    def last_output(self) -> str:
        return self.log.read_text("utf-8", errors="replace")[-_SHOWN:]


@dataclass
class Run:
    """One run of the job."""

    id: str
    started: datetime
    arguments: Mapping[str, str]
    work: Work

    @property
    def state(self) -> str:
        code = self.work.poll()
        return "RUNNING" if code is None else "FAILED" if code else "SUCCEEDED"


class LocalGlue:
    """The job of one stack; one run at a time. ``start``: starts the work of a run with its arguments."""

    def __init__(self, start: Callable[[Sequence[str]], Work] = Job) -> None:
        self._start = start
        self.runs: list[Run] = []

    def enter(self) -> None:
        """Answer the requests of this process's clients to Glue from now on."""
        boto3.setup_default_session()
        events: Any = boto3.DEFAULT_SESSION.events  # type: ignore[union-attr]
        events.register("before-call.glue.StartJobRun", self._answer_start)
        events.register("before-call.glue.GetJobRuns", self._answer_runs)

    def wait(self) -> None:
        """Wait until the newest run has ended."""
        self.runs[-1].work.wait()

    def _answer_start(self, params: Mapping[str, Any], **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        if any(run.state == "RUNNING" for run in self.runs):
            error = {"Code": "ConcurrentRunsExceededException", "Message": "Concurrent runs exceeded for the job"}
            return _response(400), {"Error": error, "ResponseMetadata": {}}
        arguments = json.loads(params["body"])["Arguments"]
        words = [word for pair in arguments.items() for word in pair]
        run = Run(f"jr_{len(self.runs)}", datetime.now(UTC), arguments, self._start(words))
        self.runs.append(run)
        return _response(200), {"JobRunId": run.id, "ResponseMetadata": {}}

    def _answer_runs(self, **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        runs = [
            {
                "Id": run.id,
                "StartedOn": run.started,
                "JobRunState": run.state,
                "Arguments": run.arguments,
                **({"ErrorMessage": run.work.last_output()} if run.state == "FAILED" else {}),
            }
            for run in reversed(self.runs)
        ]
        return _response(200), {"JobRuns": runs, "ResponseMetadata": {}}


def _response(status: int) -> AWSResponse:
    return AWSResponse("", status, HTTPHeaders(), None)
