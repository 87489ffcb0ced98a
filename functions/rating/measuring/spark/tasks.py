"""The work of a task: download one object or some of its row groups, read it, and store its rows in S3."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING, cast
from zoneinfo import ZoneInfo

import boto3
from botocore.config import Config

from functions.rating.extracts.datasets import LocalFile
from functions.rating.extracts.download import DataObject, fetch, reading_from
from functions.rating.measuring.embedded.reading.one_object import VALID
from functions.rating.measuring.spark import row_groups
from functions.rating.measuring.spark.objects import BAD, ObjectCounts, read_into
from functions.rating.measuring.spark.row_groups import Content, RowGroups
from shared.content import content_id
from shared.months import Month
from shared.settings import S3Prefix

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

COUNTS = "counts.json"
_CLIENT = Config(retries={"mode": "standard", "max_attempts": 8}, connect_timeout=5, read_timeout=60)


@dataclass(frozen=True, slots=True)
class Task:
    """The input of one task: an object, or some row groups of it."""

    object: DataObject
    groups: RowGroups | None = None

    @property
    def size(self) -> int:
        """In bytes."""
        return self.groups.end - self.groups.start if self.groups else self.object.size


@dataclass(frozen=True, slots=True)
class Reading:
    """Where a plan's objects are, how they are read, and where their parts are stored."""

    month: str
    zone: str
    int96_is_utc: bool
    reader: str
    bucket: str
    parts: S3Prefix

    def part(self, task: Task) -> str:
        """The name of a task's results. It depends only on the object and the version of the reading code."""
        o = task.object
        name = content_id([o.dataset, o.key, o.etag, self.reader])
        return f"{name}-{task.groups.first}-{task.groups.last}" if task.groups else name

    def key(self, part: str, name: str) -> str:
        """``<part>.parquet``, ``<part>.bad.csv.gz`` and, written last, ``<part>.counts.json``."""
        return self.parts.key(f"{part}.parquet" if name == VALID else f"{part}.{name}")

    def content(self, o: DataObject) -> Content:
        """A function that reads the listed object's bytes. Raises ObjectChanged and ExtractsUnavailable."""

        def some(start: int, end: int) -> IO[bytes]:
            with reading_from(self.bucket, o.key):
                got = client().get_object(
                    Bucket=self.bucket, Key=o.key, Range=f"bytes={start}-{end - 1}", IfMatch=f'"{o.etag}"'
                )
                return cast(IO[bytes], got["Body"])

        return some


Read = Callable[[Sequence[Task]], Sequence[ObjectCounts]]
"""Runs tasks and returns their counts in the same order."""


@cache
def client() -> S3Client:
    """One client for each process."""
    return boto3.client("s3", config=_CLIENT)


def tasks_of(content: Content, o: DataObject, split_over: int) -> list[Task]:
    """One task for an object; several for a Parquet object of more than ``split_over`` bytes."""
    groups = row_groups.split(content, o.size, split_over) if o.size > split_over else []
    return [Task(o, some) for some in groups] or [Task(o)]


def read_all(tasks: Mapping[DataObject, Sequence[Task]], read: Read) -> list[tuple[Task, ObjectCounts]]:
    """Run all tasks. Returns every task with its counts, in order.

    If some row groups of an object can't be read alone, the object is read again as a whole, so that every engine
    reports the same.
    """
    every = [task for of_object in tasks.values() for task in of_object]
    counts = read(every)
    whole = {task.object for task, of in zip(every, counts, strict=True) if task.groups and of.invalid}
    if whole:
        return read_all({o: [Task(o)] if o in whole else of_object for o, of_object in tasks.items()}, read)
    return list(zip(every, counts, strict=True))


def read_part(reading: Reading, task: Task, *, there: bool) -> ObjectCounts:
    """Run a task. ``there``: an earlier attempt has finished it, so only its counts are read.

    Raises ObjectChanged and ExtractsUnavailable. An unusable object is a result, not an error.
    """
    s3, part = client(), reading.part(task)
    if there:
        stored = s3.get_object(Bucket=reading.parts.bucket, Key=reading.key(part, COUNTS))
        return ObjectCounts.from_json(stored["Body"].read().decode())
    month, zone = Month.parse(reading.month), ZoneInfo(reading.zone)
    with TemporaryDirectory(prefix="object-") as work:
        folder = Path(work)
        for file in _fetched(reading, task, folder):
            counts = read_into(folder, file, month, zone, int96_is_utc=reading.int96_is_utc, groups=task.groups)
        for name in (VALID, BAD):
            if (folder / name).exists() and not counts.invalid:
                s3.upload_file(str(folder / name), reading.parts.bucket, reading.key(part, name))
        s3.put_object(Bucket=reading.parts.bucket, Key=reading.key(part, COUNTS), Body=counts.as_json().encode())
    return counts


def _fetched(reading: Reading, task: Task, folder: Path) -> Iterator[LocalFile]:
    """The one file that a task reads."""
    o = task.object
    if task.groups is None:
        for file, _ in fetch(client(), reading.bucket, [o], folder, shutil.disk_usage(folder).free):
            yield file
    else:
        path = folder / "row-groups"
        row_groups.write(reading.content(o), o.size, task.groups, path)
        yield LocalFile(o.dataset, o.key, path, key_columns=o.key_columns)
