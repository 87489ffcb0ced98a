"""The whole system on this machine: the embedded AWS with the sample's extracts, and the real handlers."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import boto3

from functions.rating.workbook.on_disk import is_excel
from local.cloud.embedded import EXTRACTS, REPORTS, TABLE, WORKBOOKS, embedded_aws
from local.cloud.front import local_claims
from local.cloud.gateway import Answer, Request, ask
from local.cloud.glue import LocalGlue
from local.cloud.invocation import Context, Handler
from local.cloud.spark import find_java
from local.cloud.template import ROOT
from shared.levels import Standing
from shared.months import Month
from shared.settings import DEFAULT_ZONE, S3Prefix
from shared.table import Table

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

WORKBOOK = ROOT / "config" / "workbook"
RATING_TIMEOUT = 900
_FIRST_FIRING = time(2, 0)

Progress = Callable[[str, int, int | None], None]


@dataclass(frozen=True, slots=True)
class System:
    """The running system. ``lookup``: the handler behind the API. ``uploaded``: the Excel files last uploaded.

    ``glue``: the job that measures months outside the function, if there is one.
    """

    rating: Any
    lookup: Handler
    uploaded: dict[Path, bytes] = field(default_factory=dict)
    glue: LocalGlue | None = None

    def rate(self, event: dict[str, Any], *, workbook: Path = WORKBOOK, progress: Progress | None = None) -> Any:
        """The rating function's answer to an event. ``progress`` is called with stage, done and total.

        While a job measures the month, waits and asks again, as the schedule does.
        """
        os.environ["WORKBOOK"] = self.workbook_setting(workbook)
        self.rating.listener = progress
        answer = self.rating.handler(event, Context("rating", RATING_TIMEOUT))
        while self.glue and answer["outcome"] == "measuring":
            self.glue.wait()
            answer = self.rating.handler(event, Context("rating", RATING_TIMEOUT))
        return answer

    def workbook_setting(self, workbook: Path) -> str:
        """The setting WORKBOOK for a folder or an Excel file. A changed Excel file is uploaded again."""
        if not is_excel(workbook):
            return f"dir:{workbook}"
        key, content = f"{workbook.stem}.xlsx", workbook.read_bytes()
        if self.uploaded.get(workbook) != content:
            boto3.client("s3").put_object(Bucket=WORKBOOKS, Key=key, Body=content)
            self.uploaded[workbook] = content
        return f"s3://{WORKBOOKS}/{key}"

    def get(self, target: str, agency_id: str | None = None) -> Answer:
        """The API's answer to a GET. ``agency_id``: with that agency's own token."""
        claims = local_claims(agency_id)
        return ask(self.lookup, Request("GET", target, [("host", "127.0.0.1")], claims=claims))

    def save_reports(self, folder: Path) -> None:
        """Copy every run's report and quarantined rows to a folder with the same paths as the bucket.

        The status files of an Excel workbook are copied too.
        """
        reports, s3 = S3Prefix.parse(REPORTS), boto3.client("s3")
        for bucket, prefix in ((reports.bucket, reports.key("")), (WORKBOOKS, "")):
            for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                for found in page.get("Contents", []):
                    if bucket == WORKBOOKS and ".status." not in found["Key"]:
                        continue
                    path = folder / found["Key"].removeprefix(prefix).lstrip("/")
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read())

    def standings(self) -> dict[str, Standing]:
        """Every agency's level in the newest publication; empty before the first."""
        table = Table(boto3.client("dynamodb"), TABLE)
        publications = table.pointer().publications
        return table.standings(publications[max(publications)].run) if publications else {}


@contextmanager
def running(extracts: Path, *, on_spark: bool = False) -> Iterator[System]:
    """The system with a folder's extracts. Everything is deleted when the block ends.

    ``on_spark``: the Spark job measures months. Changes this process's environment variables. Raises NotLocal if it
    would reach a real AWS, and UserMistake without Spark or Java.
    """
    glue = LocalGlue() if on_spark else None
    if glue:
        find_java()
    with embedded_aws() as aws, tempfile.TemporaryDirectory() as scratch:
        os.environ.update(
            {
                "SCRATCH": scratch,
                "TIMEZONE": DEFAULT_ZONE,
                "EVENT_BUS": "default",
                "REQUEST_SECONDS": "30",  # a busy laptop may be slow without a hanging table
                "RETENTION_MONTHS": "1200",  # the sample's months never expire
                "POWERTOOLS_SERVICE_NAME": "local",
                "POWERTOOLS_LOG_LEVEL": "CRITICAL",
                "POWERTOOLS_METRICS_DISABLED": "true",
            }
        )
        aws.enter()
        if glue:
            os.environ.update(MEASURING="glue", GLUE_JOB="measuring")
            glue.enter()
        upload(extracts)
        # Handlers read the environment when they are imported.
        rating, lookup = import_module("functions.rating.app"), import_module("functions.lookup.app")
        yield System(rating, lookup.handler, glue=glue)


def schedule_event(month: Month) -> dict[str, Any]:
    """The schedule's first event for a month: an instant on the 3rd of the next month."""
    firing = datetime.combine(month.renewed_on, _FIRST_FIRING, ZoneInfo(DEFAULT_ZONE)).astimezone(UTC)
    return {"scheduled_at": firing.strftime("%Y-%m-%dT%H:%M:%SZ")}


def upload(folder: Path) -> None:
    """Upload a folder's extracts. ``_SUCCESS`` comes last, as Spark writes it."""
    location, s3 = S3Prefix.parse(EXTRACTS), boto3.client("s3")
    files = [path for path in folder.rglob("*") if path.is_file()]
    with ThreadPoolExecutor(4) as pool:
        for marker in (False, True):
            some = [path for path in files if (path.name == "_SUCCESS") is marker]
            list(pool.map(lambda path: _put(s3, location, folder, path), some))


def _put(s3: S3Client, location: S3Prefix, folder: Path, path: Path) -> None:
    with path.open("rb") as body:
        s3.put_object(Bucket=location.bucket, Key=location.key(path.relative_to(folder).as_posix()), Body=body)
