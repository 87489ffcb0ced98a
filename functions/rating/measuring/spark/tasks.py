"""What a task does: fetch one object as it was listed, read it, and leave its rows in S3 for all to count."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import boto3
from botocore.config import Config

from functions.rating.extracts.download import DataObject, fetch
from functions.rating.measuring.embedded.reading.one_object import VALID
from functions.rating.measuring.spark.objects import BAD, ObjectCounts, read_into
from shared.content import content_id
from shared.months import Month
from shared.settings import S3Prefix

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

COUNTS = "counts.json"
_CLIENT = Config(retries={"mode": "standard", "max_attempts": 8}, connect_timeout=5, read_timeout=60)


@dataclass(frozen=True, slots=True)
class Reading:
    """Where the objects of a plan are, how they are read, and where their parts go."""

    month: str
    zone: str
    int96_is_utc: bool
    reader: str
    bucket: str
    parts: S3Prefix

    def part(self, o: DataObject) -> str:
        """The name of an object's part: the same object read by the same code has the same."""
        return content_id([o.dataset, o.key, o.etag, self.reader])

    def key(self, part: str, name: str) -> str:
        """``<part>.parquet``, ``<part>.bad.csv.gz`` and, written last, ``<part>.counts.json``."""
        return self.parts.key(f"{part}.parquet" if name == VALID else f"{part}.{name}")


@cache
def client() -> S3Client:
    """One client for each process."""
    return boto3.client("s3", config=_CLIENT)


def read_part(reading: Reading, o: DataObject, *, there: bool) -> ObjectCounts:
    """Read one object into its part. ``there``: an earlier attempt did, so only its counts are fetched.

    Raises ObjectChanged and ExtractsUnavailable; an object that can't be used is a result.
    """
    s3, part = client(), reading.part(o)
    if there:
        stored = s3.get_object(Bucket=reading.parts.bucket, Key=reading.key(part, COUNTS))
        return ObjectCounts.from_json(stored["Body"].read().decode())
    with TemporaryDirectory(prefix="object-") as work:
        folder = Path(work)
        objects: Any = fetch(s3, reading.bucket, [o], folder, shutil.disk_usage(folder).free)
        for file, _ in objects:
            counts = read_into(
                folder, file, Month.parse(reading.month), ZoneInfo(reading.zone), int96_is_utc=reading.int96_is_utc
            )
        for name in (VALID, BAD):
            if (folder / name).exists() and not counts.invalid:
                s3.upload_file(str(folder / name), reading.parts.bucket, reading.key(part, name))
        s3.put_object(Bucket=reading.parts.bucket, Key=reading.key(part, COUNTS), Body=counts.as_json().encode())
    return counts
