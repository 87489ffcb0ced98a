"""A month that Glue measures: one firing starts the job, a later one publishes the month when the job is done.

Here the embedded engine does the job's work; tests/e2e/test_spark.py runs the real job.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import boto3
import pytest

from functions.rating.measuring.embedded.measure import EmbeddedEngine
from functions.rating.measuring.measurements import Measurements
from functions.rating.measuring.plan import Plan
from functions.rating.progress import Progress
from local.cloud.glue import LocalGlue
from shared.errors import ExtractError, MeasuringFailed, ObjectInvalid
from shared.settings import S3Prefix
from shared.tickets import last_check
from tests.cloud import BUCKET, REPORTS, Cloud, small_cloud
from tests.permissions import PSEUDO, SMALL_CLOUD, Asked, role

MONTH = "2026-10"
FIRST = {"scheduled_at": "2026-11-02T18:00:00Z"}
NEXT = {"scheduled_at": "2026-11-02T18:30:00Z"}
TWO = {"a": (5, 500_000), "b": (1, 100)}


class Running:
    """A run of the job that ends when a test says so."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self.arguments = dict(zip(arguments[::2], arguments[1::2], strict=True))
        self.code: int | None = None

    def poll(self) -> int | None:
        return self.code

    def wait(self) -> int:
        return self.code or 0

    def last_output(self) -> str:
        return "killed"

    def end(self, folder: Path) -> None:
        """Measure what the plan says, as the job does."""
        s3 = boto3.client("s3")
        location = S3Prefix.parse(self.arguments["--plan"])
        plan = Plan.from_json(s3.get_object(Bucket=location.bucket, Key=location.prefix)["Body"].read().decode())
        measurements = Measurements(s3, S3Prefix(REPORTS, "out"), folder)
        engine = EmbeddedEngine(s3, BUCKET, ZoneInfo(plan.zone), folder)
        try:
            measurements.keep(plan.id, engine.measure(plan.inventory(), Decimal(1), Progress()))
        except ExtractError as error:
            measurements.keep_error(plan.id, error)
        self.code = 0


class Glue:
    """The emulated Glue, and the runs that the rating function has started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started: list[Running] = []
        self.local = LocalGlue(self._start)
        self.local.enter()

    def _start(self, arguments: Sequence[str]) -> Running:
        self.started.append(Running(arguments))
        return self.started[-1]

    def end(self) -> None:
        self.started[-1].end(self.folder)

    def kill(self) -> None:
        self.started[-1].code = -9


@pytest.fixture
def cloud(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Cloud]:
    measuring = getattr(request, "param", "glue")
    with small_cloud(tmp_path, MEASURING=measuring, GLUE_JOB="measure") as cloud:
        cloud.put_month(MONTH, TWO)
        yield cloud


@pytest.fixture
def glue(cloud: Cloud, tmp_path: Path) -> Iterator[Glue]:
    yield Glue(tmp_path)
    boto3.DEFAULT_SESSION = None  # its events are the test's


def outcomes(cloud: Cloud, *events: dict[str, Any]) -> list[str]:
    return [cloud.rate(event)["outcome"] for event in events]


def test_firings_start_one_job_and_publish_when_it_is_done(cloud: Cloud, glue: Glue) -> None:
    first = cloud.rate(FIRST)
    assert first["outcome"] == "measuring"
    assert (first["month"], first["job_run"]) == (MONTH, "jr_0")
    assert outcomes(cloud, NEXT) == ["measuring"]

    glue.end()

    assert outcomes(cloud, NEXT, NEXT) == ["published", "unchanged"]
    assert len(glue.started) == 1
    assert cloud.levels() == {"a": 3, "b": 1}


def test_a_preview_and_a_verification_wait_for_the_job_too(cloud: Cloud, glue: Glue) -> None:
    preview = {"month": MONTH, "mode": "preview"}
    assert outcomes(cloud, preview) == ["measuring"]
    glue.end()
    assert outcomes(cloud, preview) == ["previewed"]
    run = cloud.rate(FIRST)["run"]

    cloud.s3.delete_object(Bucket=REPORTS, Key=f"out/measured/{glue.started[0].arguments['--measurement']}/done.json")

    assert outcomes(cloud, {"verify": run}) == ["measuring"]
    glue.end()
    assert outcomes(cloud, {"verify": run}) == ["verified"]


@pytest.mark.parametrize("mode", [{}, {"mode": "preview"}])
def test_while_a_job_runs_the_changes_of_the_sheet_stay_visible(cloud: Cloud, glue: Glue, mode: dict[str, str]) -> None:
    september = {"month": "2026-09"}
    cloud.put_month("2026-09", TWO)
    assert outcomes(cloud, september) == ["measuring"]
    glue.end()
    assert outcomes(cloud, september) == ["published"]
    cloud.write_workbook(tips="metric,tip,link\ngmv,多开播 / stream longer,\n")

    answer = cloud.rate({"month": MONTH, **mode})

    assert answer["outcome"] == "measuring"
    assert [change["new"] for change in answer["changes"]] == ["tip 多开播 / stream longer", None]
    kept = last_check(cloud.table)
    assert kept
    assert (kept["outcome"], kept["changes"]) == ("measuring", answer["changes"])


def test_a_killed_job_is_started_three_times_a_day_at_most(cloud: Cloud, glue: Glue) -> None:
    for _ in range(3):
        assert outcomes(cloud, FIRST) == ["measuring"]
        glue.kill()

    with pytest.raises(MeasuringFailed, match=r"3 runs failed within a day, the last of them jr_2 \(FAILED: killed\)"):
        cloud.rate(NEXT)
    assert len(glue.started) == 3

    for run in glue.local.runs:
        run.started -= timedelta(days=2)
    assert outcomes(cloud, NEXT) == ["measuring"]


def test_two_firings_at_once_start_one_job(cloud: Cloud, glue: Glue, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second firing lists the runs before the first has started one."""
    monkeypatch.setattr("functions.rating.measuring.spark.glue.GlueJob._runs", lambda _: iter(()))

    assert outcomes(cloud, FIRST, FIRST) == ["measuring", "measuring"]
    assert len(glue.started) == 1


def test_the_next_firing_starts_the_plan_of_a_killed_one(cloud: Cloud, glue: Glue) -> None:
    class Killed(BaseException):
        pass

    def kill(**_: Any) -> None:
        raise Killed

    events = boto3.DEFAULT_SESSION.events  # type: ignore[union-attr]
    events.register_first("before-call.glue.StartJobRun", kill)
    with pytest.raises(Killed):
        cloud.rate(FIRST)
    events.unregister("before-call.glue.StartJobRun", kill)

    assert outcomes(cloud, NEXT) == ["measuring"]
    glue.end()
    assert outcomes(cloud, NEXT) == ["published"]


def test_a_job_that_ends_after_its_month_is_published_changes_nothing(
    cloud: Cloud, glue: Glue, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert outcomes(cloud, FIRST) == ["measuring"]
    monkeypatch.setenv("MEASURING", "embedded")
    assert outcomes(cloud, NEXT) == ["published"]
    monkeypatch.setenv("MEASURING", "glue")
    before = cloud.items()

    glue.end()

    assert outcomes(cloud, NEXT, {"month": MONTH}) == ["unchanged", "unchanged"]
    assert cloud.items() == before


def test_data_that_changes_while_the_job_runs_are_measured_by_another_run(cloud: Cloud, glue: Glue) -> None:
    assert outcomes(cloud, FIRST) == ["measuring"]
    cloud.put("orders", MONTH, [("later", "b-0", f"{MONTH}-16 08:00:00", 1_000_000)], name="part-1.csv")
    assert outcomes(cloud, NEXT) == ["measuring"]
    assert len(glue.started) == 1, "one run at a time"

    glue.kill()  # the job fails because an object is no longer as it was listed
    assert outcomes(cloud, NEXT) == ["measuring"]
    glue.end()

    assert outcomes(cloud, NEXT) == ["published"]
    assert cloud.levels() == {"a": 3, "b": 2}


def test_an_error_in_the_data_is_raised_with_its_own_type(cloud: Cloud, glue: Glue) -> None:
    cloud.put_object("orders", MONTH, "part-1.parquet", b"PAR1 cut")
    assert outcomes(cloud, FIRST) == ["measuring"]
    glue.end()

    with pytest.raises(ObjectInvalid, match=r"part-1\.parquet: the object can't be read"):
        cloud.rate(NEXT)


@pytest.mark.parametrize("cloud", ["auto"], indirect=True)
def test_a_small_month_is_measured_in_the_function(cloud: Cloud, glue: Glue) -> None:
    assert outcomes(cloud, FIRST) == ["published"]
    assert glue.started == []


def test_the_run_is_the_same_with_either_engine(cloud: Cloud, glue: Glue, monkeypatch: pytest.MonkeyPatch) -> None:
    assert outcomes(cloud, FIRST) == ["measuring"]
    glue.end()
    preview = cloud.rate({"month": MONTH, "mode": "preview"})
    monkeypatch.setenv("MEASURING", "embedded")

    assert cloud.rate(FIRST)["run"] == preview["run"]
    line = json.loads(cloud.report(f"s3://{REPORTS}/out/ledger/month={MONTH}.jsonl"))
    assert line["engine"] == "DuckDB"


def job_ended(at: str) -> dict[str, Any]:
    """What EventBridge sends when a run of the job has ended."""
    return {
        "source": "aws.glue",
        "detail-type": "Glue Job State Change",
        "time": at,
        "detail": {"jobName": "levels-measuring", "state": "SUCCEEDED", "jobRunId": "jr_0"},
    }


def test_the_month_is_published_when_the_job_ends_not_at_the_next_firing(cloud: Cloud, glue: Glue) -> None:
    assert outcomes(cloud, FIRST) == ["measuring"]
    glue.end()

    assert outcomes(cloud, job_ended("2026-11-02T18:07:00Z")) == ["published"]


def test_a_job_that_a_preview_started_publishes_nothing_before_the_renewal(
    cloud: Cloud, glue: Glue, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert outcomes(cloud, {"month": MONTH, "mode": "preview"}) == ["measuring"]
    glue.end()
    clock = type("Clock", (datetime,), {"now": classmethod(lambda _, zone: datetime(2026, 11, 1, 8, tzinfo=zone))})
    monkeypatch.setattr("functions.rating.wiring.datetime", clock)

    assert outcomes(cloud, job_ended("2026-11-01T08:00:00Z")) == ["unchanged"]
    assert cloud.table.pointer().publications == {}


@pytest.fixture
def own_job(tmp_path: Path) -> Iterator[Cloud]:
    """The small cloud, with the name that the template gives the job."""
    with small_cloud(tmp_path, MEASURING="glue", GLUE_JOB=f"{PSEUDO['AWS::StackName']}-measuring") as cloud:
        cloud.put_month(MONTH, TWO)
        yield cloud
        boto3.DEFAULT_SESSION = None


def test_the_roles_allow_exactly_what_starting_and_running_the_job_needs(own_job: Cloud, tmp_path: Path) -> None:
    glue, events = Glue(tmp_path), boto3._get_default_session().events
    rating, measuring = (role(name, **SMALL_CLOUD, Measuring="glue") for name in ("RatingRole", "MeasuringRole"))
    with rating.enforced(events):
        assert outcomes(own_job, FIRST) == ["measuring"]
    with measuring.enforced(events):
        glue.end()
    with rating.enforced(events):
        assert outcomes(own_job, NEXT) == ["published"]
    assert (rating.denied, measuring.denied) == ([], [])
    assert {action for sid, action in rating.needed if sid == "StartMeasuring"} == {
        *("glue:GetJobRuns", "glue:StartJobRun"),
    }
    assert not measuring.allows(Asked("s3:PutObject", f"arn:aws:s3:::{REPORTS}/out/month={MONTH}/run=x/report.html"))


def test_a_stack_without_the_job_may_not_start_one() -> None:
    job = Asked("glue:StartJobRun", "arn:aws:glue:ap-east-1:123456789012:job/levels-measuring")
    assert not role("RatingRole", **SMALL_CLOUD).allows(job)
