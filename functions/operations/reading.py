"""Reads what the console shows: pointer and ledger from the table, reports and the state of extracts from S3."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from botocore.exceptions import BotoCoreError, ClientError

from functions.operations.problems import RunUnknown, Unavailable
from functions.operations.views import ledger_line
from shared.items import Pointer, run_key
from shared.months import Month
from shared.settings import S3Prefix
from shared.table import Table

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SHOWN_MONTHS = 12
DATASETS = ("agencies", "creators", "orders")
REPORT, PAGE = "report.json", "report.html"
LINK_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class RunFiles:
    """The stored files of a run: name and key of each. ``kind``: run, preview, or stopped (bad data)."""

    run: str
    kind: str
    written_at: datetime
    files: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads, and writes nothing."""

    table: Table
    s3: S3Client
    extracts: S3Prefix
    reports: S3Prefix
    zone: ZoneInfo

    def months(self, pointer: Pointer, now: datetime) -> list[Month]:
        """The months to show, newest first: from the first published month to the last complete one."""
        newest = Month.of(now, self.zone).plus(-1)
        published = [Month.parse(month) for month in pointer.publications]
        newest = max([newest, *published])
        oldest = min([newest, *published])
        shown = [newest.plus(-back) for back in range(SHOWN_MONTHS)]
        return [month for month in shown if month >= oldest]

    def ledger(self, month: Month) -> list[dict[str, Any]]:
        """A month's ledger, newest first."""
        lines = [json.loads(item["entry"]["S"]) for item in self.table.query(f"LEDGER#{month}")]
        return [{**ledger_line(line), "at": self.local(line["at"]).isoformat()} for line in reversed(lines)]

    def local(self, instant: str) -> datetime:
        """A stored instant in the platform's time zone."""
        return datetime.fromisoformat(instant).astimezone(self.zone)

    def missing(self, month: Month) -> list[str]:
        """The datasets of a month that are not complete."""
        markers = {dataset: self.extracts.key(dataset, f"month={month}", "_SUCCESS") for dataset in DATASETS}
        return [dataset for dataset, marker in markers.items() if not self._exists(self.extracts, marker)]

    def reports_of(self, month: Month) -> list[RunFiles]:
        """The runs of a month that have a report, newest first."""
        prefix = self.reports.key(f"month={month}") + "/"
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.reports.bucket, Prefix=prefix)
        folders: dict[str, dict[str, datetime]] = {}
        with s3_errors():
            for page in pages:
                for found in page.get("Contents", ()):
                    folder, _, name = found["Key"].removeprefix(prefix).partition("/")
                    folders.setdefault(folder, {})[name] = found["LastModified"]
        runs = [
            RunFiles(
                run,
                kind,
                files[REPORT],
                tuple((name, f"{prefix}{folder}/{name}") for name in sorted(files, key=_page_first)),
            )
            for folder, files in folders.items()
            for kind, _, run in [folder.partition("=")]
            if REPORT in files and kind in ("run", "preview", "stopped")
        ]
        return sorted(runs, key=lambda found: found.written_at, reverse=True)

    def link(self, key: str) -> str:
        """A link to an object of the reports, valid for an hour, for anyone who has it."""
        parameters = {"Bucket": self.reports.bucket, "Key": key}
        return self.s3.generate_presigned_url("get_object", Params=parameters, ExpiresIn=LINK_SECONDS)

    def month_of(self, run: str) -> Month:
        """The month of a staged run. Raises RunUnknown."""
        item = self.table.get(run_key(run))
        if item is None:
            raise unknown_run()
        return Month.parse(json.loads(zlib.decompress(item["record"]["B"]))["month"])

    def report(self, run: str, month: Month, *, preview: bool) -> dict[str, Any]:
        """A run's report. Raises RunUnknown."""
        key = self.reports.key(f"month={month}", f"{'preview' if preview else 'run'}={run}", REPORT)
        if not self._exists(self.reports, key):
            raise unknown_run()
        with s3_errors():
            body = self.s3.get_object(Bucket=self.reports.bucket, Key=key)["Body"].read()
        return dict(json.loads(body))

    def _exists(self, location: S3Prefix, key: str) -> bool:
        """Whether the object exists. Lists it, because reading a missing object gives AccessDenied."""
        with s3_errors():
            found = self.s3.list_objects_v2(Bucket=location.bucket, Prefix=key, MaxKeys=1)
        return any(one["Key"] == key for one in found.get("Contents", ()))


def _page_first(name: str) -> tuple[bool, str]:
    return name != PAGE, name


def held_runs(ledger: list[dict[str, Any]]) -> list[str]:
    """The runs that wait for a decision, newest first: their newest ledger line says held."""
    last: dict[str, str] = {}
    for line in ledger:
        last.setdefault(line["run"], line["action"])
    return [run for run, action in last.items() if action == "held"]


def unknown_run() -> RunUnknown:
    return RunUnknown(
        "No run has this id, or its report is no longer kept. Choose one of the list of runs.",
        "没有这个批次，或其报告已不再保留。请从批次列表中选择。",
    )


@contextmanager
def s3_errors() -> Iterator[None]:
    """Raise Unavailable for botocore's errors."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise _unavailable(error) from error


def _unavailable(_: Exception) -> Unavailable:
    return Unavailable("S3 can't be read now. Try again in a moment.", "暂时无法读取 S3，请稍后重试。")
