"""The Spark job on AWS Glue: starts it once for each measurement, then asks for its state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from functions.rating.measuring.measurements import Measurements
from functions.rating.measuring.plan import Plan
from functions.rating.measuring.totals import MonthTotals, StillMeasuring
from shared.errors import MeasuringFailed
from shared.settings import S3Prefix

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_glue.type_defs import JobRunTypeDef

RUNNING = frozenset({"STARTING", "RUNNING", "STOPPING", "WAITING"})
MEASUREMENT = "--measurement"  # an argument that the job ignores: it identifies the measurement of a run
_ATTEMPTS = 3  # runs of one measurement in a day: after three failures, another one would fail too
_DAY = timedelta(days=1)
_LOOKED_AT = 1000  # runs, the newest first


@dataclass(frozen=True, slots=True)
class GlueJob:
    """A job of Glue. ``name``: its name. ``extracts``: where the objects are. ``now``: returns an aware instant."""

    client: GlueClient
    name: str
    measurements: Measurements
    extracts: S3Prefix
    now: Callable[[], datetime]

    def measure(self, plan: Plan) -> MonthTotals:
        """The totals, if the job of this plan has just ended.

        Otherwise starts the job, unless it runs, and raises StillMeasuring. Raises the error that the data leads to,
        and MeasuringFailed if the job failed three times within a day, or if Glue refuses.
        """
        measurement = plan.id
        try:
            asked = islice(self._runs(), _LOOKED_AT)
            runs = [run for run in asked if run.get("Arguments", {}).get(MEASUREMENT) == measurement]
            if runs and runs[0]["JobRunState"] in RUNNING:
                raise StillMeasuring(plan.month, measurement, runs[0]["Id"])
            if runs and runs[0]["JobRunState"] == "SUCCEEDED" and (totals := self.measurements.find(measurement)):
                return totals  # the job ended between the two reads
            self._refuse_failing(runs)
            self.measurements.keep_plan(plan)
            raise StillMeasuring(plan.month, measurement, self._started(plan))
        except (BotoCoreError, ClientError) as error:
            raise MeasuringFailed(f"Glue job {self.name}: {error}. Check the job and the function's role.") from error

    def _started(self, plan: Plan) -> str:
        """The id of a new run; empty if another run is active. StartJobRun has no idempotency token."""
        location = self.measurements.location
        arguments = {
            "--plan": f"s3://{location.bucket}/{self.measurements.plan_key(plan.id)}",
            "--extracts": self.extracts.url(),
            MEASUREMENT: plan.id,
        }
        try:
            return self.client.start_job_run(JobName=self.name, Arguments=arguments)["JobRunId"]
        except self.client.exceptions.ConcurrentRunsExceededException:
            return ""

    def _refuse_failing(self, runs: list[JobRunTypeDef]) -> None:
        since = self.now() - _DAY
        failed = [run for run in runs if run["JobRunState"] != "SUCCEEDED" and run["StartedOn"] >= since]
        if len(failed) >= _ATTEMPTS:
            raise MeasuringFailed(
                f"Glue job {self.name}: {len(failed)} runs failed within a day, the last of them {failed[0]['Id']} "
                f"({failed[0]['JobRunState']}: {failed[0].get('ErrorMessage', 'no message')}). Nothing was published. "
                "Read its log; give it more workers (GlueWorkers) or larger ones (GlueWorkerType), then run the month."
            )

    def _runs(self) -> Iterator[JobRunTypeDef]:
        for page in self.client.get_paginator("get_job_runs").paginate(JobName=self.name):
            yield from page["JobRuns"]
