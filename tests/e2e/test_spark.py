"""The real Spark job: equal to DuckDB to the byte; killed, started again, and continued."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
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
from local.cloud.system import System, running, schedule_event
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


@pytest.fixture
def own_environment() -> Iterator[None]:
    """What a test does to the environment ends with it. Without Spark or Java the test is skipped."""
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
    """A world's files, under keys of its own."""
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
    """What is kept of a measurement: relations and quarantine, or the class and the message of an error."""
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
def test_spark_delivers_what_duckdb_delivers_to_the_byte(tmp_path: Path) -> None:
    with embedded_aws() as aws:
        aws.enter()
        measurements = Measurements(boto3.client("s3"), S3Prefix("reports", "out"), tmp_path)
        worlds = {seed: Maker(seed).world() for seed in SEEDS}
        files = {seed: files_of(world, tmp_path / f"files-{seed}", seed) for seed, world in worlds.items()}
        plans = {seed: planned(world, files[seed], measurements) for seed, world in worlds.items()}
        asked = [
            word for plan in plans.values() for word in ("--plan", f"s3://reports/{measurements.plan_key(plan.id)}")
        ]

        command = spark.command([*asked, "--extracts", "s3://extracts/", "--split-over", str(AT_MOST)])
        ran = subprocess.run(
            command, cwd=ROOT, env={**os.environ, **spark.environment()}, capture_output=True, text=True, check=False
        )

        assert ran.returncode == 0, ran.stderr[-3000:]
        assert any("-" in key.rpartition("/")[2] for key in parts(S3Prefix("reports", "out"))), "some were split"
        for seed, world in worlds.items():
            expected = measured(world, files[seed], tmp_path / f"duckdb-{seed}")
            assert delivered(found(measurements, plans[seed])) == delivered(expected), seed
            assert isinstance(expected, ExtractError) == (seed == DAMAGED)


@pytest.mark.usefixtures("own_environment")
def test_a_killed_job_is_started_by_the_next_firing_and_goes_on_with_the_parts_that_are_there(tmp_path: Path) -> None:
    write_month(tmp_path, MONTH, month_rows(MONTH, {"a": (5, 500_000), "b": (1, 100)}))
    with running(tmp_path, on_spark=True) as system:
        assert fire(system)["outcome"] == "measuring"
        job = job_of(system)
        while not (before := parts()) and job.poll() is None:
            time.sleep(0.1)
        job.process.kill()
        job.wait()

        assert fire(system)["outcome"] == "measuring"
        assert fire(system)["job_run"] == "jr_1", "the second one runs"
        assert job_of(system).wait() == 0, job_of(system).last_output()

        answer = fire(system)
        assert answer["outcome"] in ("published", "held")
        assert answer["agencies"] == 2
        assert before.items() <= parts().items(), "what the killed job had read was not read again"


def fire(system: System) -> dict[str, Any]:
    """A firing of the schedule that waits for nothing."""
    os.environ["WORKBOOK"] = f"dir:{ROOT / 'config' / 'workbook'}"
    answer: dict[str, Any] = system.rating.handler(schedule_event(Month.parse(MONTH)), Context("rating", 900))
    return answer


def job_of(system: System) -> Job:
    assert system.glue is not None
    work = system.glue.runs[-1].work
    assert isinstance(work, Job)
    return work


def parts(place: S3Prefix = RUNS) -> dict[str, Any]:
    """The finished parts, with when each was written."""
    listed = boto3.client("s3").list_objects_v2(Bucket=place.bucket, Prefix=place.key("measured"))
    return {o["Key"]: o["LastModified"] for o in listed.get("Contents", []) if o["Key"].endswith("counts.json")}
