"""The real Spark job: its results equal DuckDB's to the byte, and each measurement has one job, whatever is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from functions.rating.extracts.datasets import Dataset, LocalFile
from functions.rating.extracts.download import DataObject
from functions.rating.measuring.measurements import Measurements
from functions.rating.measuring.plan import Plan, reader_version
from functions.rating.measuring.relations import relations_of
from functions.rating.measuring.totals import MonthTotals
from local.cloud import spark
from local.cloud.embedded import REPORTS, embedded_aws
from local.cloud.glue import Job
from local.cloud.invocation import Context
from local.cloud.system import System, running, schedule_event, upload
from local.cloud.template import ROOT
from local.commandline import UserMistake
from shared.errors import ExtractError
from shared.months import Month
from shared.settings import S3Prefix
from tests.engines import AT_MOST, duckdb_engine
from tests.months import month_rows, write_month
from tests.worlds import Maker, MonthRows, regrouped, write

SEEDS = (1, 8, 61)
DAMAGED = 8  # the world that has an object cut off
MONTH = "2026-10"
RUNS = S3Prefix.parse(REPORTS)
FIRING = schedule_event(Month.parse(MONTH))


@pytest.fixture
def own_environment() -> Iterator[None]:
    """The environment variables are restored after the test. Without Spark or Java the test is skipped."""
    try:
        spark.find_java()
    except UserMistake as absent:
        pytest.skip(str(absent))
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)
    boto3.DEFAULT_SESSION = None


def files_of(world: MonthRows, folder: Path, seed: int) -> list[LocalFile]:
    """A world's files, each under a key that starts with the world's seed."""
    folder.mkdir()
    files = [replace(file, key=f"{seed}/{file.key}") for file in write(world, folder, seed).files]
    regrouped(files)
    if seed == DAMAGED:
        (folder / "cut").write_bytes(b"PAR1 cut")
        files.append(LocalFile(Dataset.ORDERS, f"{seed}/orders/cut", folder / "cut"))
    return files


def planned(world: MonthRows, files: Sequence[LocalFile], measurements: Measurements) -> Plan:
    """The files in S3, and the plan to measure them."""
    objects = []
    for file in files:
        put = measurements.s3.put_object(Bucket="extracts", Key=file.key, Body=file.path.read_bytes())
        objects.append(DataObject(file.dataset, file.key, put["ETag"].strip('"'), file.path.stat().st_size))
    plan = Plan(str(world.month), world.zone.key, int96_is_utc=True, reader=reader_version(), objects=tuple(objects))
    measurements.keep_plan(plan)
    return plan


def delivered(totals: MonthTotals | ExtractError | None) -> tuple[object, ...]:
    """What a measurement consists of: relations and quarantine, or the class and the message of an error."""
    if totals is None or isinstance(totals, ExtractError):
        return type(totals), str(totals)
    return relations_of(totals), totals.quarantine.read_bytes() if totals.quarantine else None


def measured(world: MonthRows, files: Sequence[LocalFile], folder: Path) -> MonthTotals | ExtractError:
    folder.mkdir()
    try:
        return duckdb_engine(files, world.month, world.zone, folder)
    except ExtractError as error:
        return error


def found(measurements: Measurements, plan: Plan) -> MonthTotals | ExtractError | None:
    try:
        return measurements.find(plan.id)
    except ExtractError as error:
        return error


@pytest.mark.usefixtures("own_environment")
def test_spark_delivers_what_duckdb_delivers_to_the_byte_though_an_executor_is_killed(tmp_path: Path) -> None:
    with embedded_aws() as aws:
        aws.enter()
        reports = S3Prefix("reports", "out")
        measurements = Measurements(boto3.client("s3"), reports, tmp_path)
        worlds = {seed: Maker(seed).world() for seed in SEEDS}
        files = {seed: files_of(world, tmp_path / f"files-{seed}", seed) for seed, world in worlds.items()}
        plans = {seed: planned(world, files[seed], measurements) for seed, world in worlds.items()}

        with cluster(plans.values(), measurements, tmp_path) as (job, log):
            while not (before := finished_objects(reports)) and job.poll() is None:
                time.sleep(0.1)
            os.kill(executors(job)[0], signal.SIGKILL)
            ended = job.wait()

        assert ended == 0, log.read_text()[-3000:]
        assert "Lost executor" in log.read_text()
        read = finished_objects(reports)
        assert len(read) > len(before), "the executor was killed only after all objects were read"
        assert any("-" in key.rpartition("/")[2] for key in read), "no object was split"
        for seed, world in worlds.items():
            expected = measured(world, files[seed], tmp_path / f"duckdb-{seed}")
            assert delivered(found(measurements, plans[seed])) == delivered(expected), seed
            assert isinstance(expected, ExtractError) == (seed == DAMAGED)


@contextmanager
def cluster(
    plans: Iterable[Plan], measurements: Measurements, folder: Path
) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """The job on two executors, each a process of its own, and its log; the job is killed at the end of the block."""
    arguments = [word for plan in plans for word in ("--plan", f"s3://reports/{measurements.plan_key(plan.id)}")]
    command = spark.command([*arguments, "--extracts", "s3://extracts/", "--split-over", str(AT_MOST)])
    variables = {**os.environ, **spark.environment("local-cluster[2,1,1024]"), "SPARK_HOME": str(spark_home(folder))}
    path = folder / "job.log"
    with path.open("wb") as log, subprocess.Popen(command, cwd=ROOT, env=variables, stdout=log, stderr=log) as job:
        try:
            yield job, path
        finally:
            job.kill()


def spark_home(folder: Path) -> Path:
    """Links to the installed Spark, in a folder that the executors can write to."""
    home = folder / "spark"
    home.mkdir()
    [installed] = spark.PYTHON.parents[1].glob("lib/python*/site-packages/pyspark")
    for found in installed.iterdir():
        (home / found.name).symlink_to(found)
    return home


def executors(job: subprocess.Popen[bytes]) -> list[int]:
    """The processes of executors that do a job's tasks: each has a child that starts its Python."""
    listed = subprocess.run(["ps", "-Ao", "pid=,ppid=,args="], check=True, capture_output=True, text=True).stdout
    lines = [line.split(None, 2) for line in listed.splitlines()]
    parent_of = {int(pid): int(parent) for pid, parent, _ in lines}
    [driver] = [pid for pid, parent in parent_of.items() if parent == job.pid]
    starters = [parent_of[int(pid)] for pid, _, args in lines if args.endswith("pyspark.daemon")]
    return [pid for pid in starters if parent_of[pid] == driver]


@pytest.mark.usefixtures("own_environment")
def test_a_month_is_measured_and_published_once_whatever_is_killed_or_changes(tmp_path: Path) -> None:
    """One story, since a start of Spark takes long: three runs of the job."""
    data = tmp_path / "data"
    rows = month_rows(MONTH, {"a": (5, 500_000), "b": (1, 100)})
    write_month(data, MONTH, rows)
    with running(data, on_spark=True) as system:

        def fire(event: Mapping[str, Any] = FIRING) -> dict[str, Any]:
            """The answer to an event (else to a firing of the schedule). It does not wait for the job."""
            os.environ["WORKBOOK"] = f"dir:{ROOT / 'config' / 'workbook'}"
            answer: dict[str, Any] = system.rating.handler(event, Context("rating", 900))
            return answer

        assert system.glue is not None
        with at_the_start_of_a_job(raise_killed), pytest.raises(Killed):
            fire()
        assert system.glue.runs == [], "a killed firing has started a job"

        second: list[dict[str, Any]] = []
        with at_the_start_of_a_job(lambda: second.append(fire())):
            first = fire()
        assert [answer["outcome"] for answer in (first, *second)] == ["measuring", "measuring"]
        assert len(system.glue.runs) == 1, "two firings at once have not started exactly one job"

        [changed] = (data / "orders" / f"month={MONTH}").glob("*.csv")
        changed.write_text(changed.read_text() + f"later,b-0,{MONTH}-16 08:00:00,9000000,\n")
        upload(data)
        assert job_of(system).wait() != 0
        assert "ObjectChanged" in job_of(system).log.read_text()

        assert fire()["outcome"] == "measuring"
        job = job_of(system)
        while not (before := finished_objects()) and job.poll() is None:
            time.sleep(0.1)
        job.process.kill()
        job.wait()

        assert fire()["outcome"] == "measuring"
        assert fire()["job_run"] == "jr_2", "the third job is not the running one"
        os.environ["MEASURING"] = "embedded"
        published = fire()
        assert (published["outcome"], published["agencies"]) == ("published", 2)
        standings = system.standings()
        os.environ["MEASURING"] = "glue"

        assert job_of(system).wait() == 0, job_of(system).last_output()
        assert before.items() <= finished_objects().items(), "an object that the killed job had read was read again"
        assert fire()["outcome"] == "unchanged", "the end of the job changed the month that was already published"
        assert fire({"verify": published["run"]})["outcome"] == "verified"
        assert system.standings() == standings

        again = fire({"month": MONTH})
        assert (again["outcome"], again["run"]) == ("unchanged", published["run"]), "the engine changed the run's id"
        assert fire({"month": MONTH, "mode": "preview"})["outcome"] == "previewed"
        assert len(system.glue.runs) == 3, "the preview started a job"
        assert engine_of(system.glue.runs[-1].arguments["--measurement"]) == "Spark"


class Killed(BaseException):
    """The function's process ends."""


def raise_killed() -> None:
    raise Killed


@contextmanager
def at_the_start_of_a_job(then: Callable[[], None]) -> Iterator[None]:
    """Call ``then`` once, when the function is about to start a job."""
    events: Any = boto3.DEFAULT_SESSION.events  # type: ignore[union-attr]

    def call_once(**_: Any) -> None:
        events.unregister("before-call.glue.StartJobRun", call_once)
        then()

    events.register_first("before-call.glue.StartJobRun", call_once)
    yield


def engine_of(measurement: str) -> str:
    """The engine named in the metadata of a stored measurement."""
    key = RUNS.key("measured", measurement, "done.json")
    return boto3.client("s3").head_object(Bucket=RUNS.bucket, Key=key)["Metadata"]["engine"]


def job_of(system: System) -> Job:
    assert system.glue is not None
    work = system.glue.runs[-1].work
    assert isinstance(work, Job)
    return work


def finished_objects(prefix: S3Prefix = RUNS) -> dict[str, Any]:
    """The keys of the objects that the job has finished, and when each was written."""
    listed = boto3.client("s3").list_objects_v2(Bucket=prefix.bucket, Prefix=prefix.key("measured"))
    return {o["Key"]: o["LastModified"] for o in listed.get("Contents", []) if o["Key"].endswith("counts.json")}
