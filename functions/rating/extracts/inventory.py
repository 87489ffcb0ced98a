"""One month's files in S3: found, fetched in windows, measured, and seen to have stayed as they were."""

from __future__ import annotations

import errno
import shutil
import weakref
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from botocore.exceptions import BotoCoreError, ClientError

from functions.rating.extracts.datasets import Dataset, LocalFile
from functions.rating.extracts.download import DataObject, fetch
from functions.rating.measuring.embedded.measure import engine_memory, measure
from functions.rating.measuring.measured import MonthMeasured
from functions.rating.progress import Progress
from shared.errors import ExtractsUnavailable, ObjectChanged, ObjectUnsound, OutOfRoom
from shared.months import Month
from shared.settings import S3Prefix

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

READY = "_SUCCESS"
FORMATS = (".parquet", ".csv", ".csv.gz")
MONTHLY = (Dataset.AGENCIES, Dataset.CREATORS, Dataset.ORDERS)
ROOM = 10 * 1024**3  # the most that a Lambda function's ephemeral storage can be


@dataclass(frozen=True, slots=True)
class Inventory:
    """The objects of a month that is ready, by dataset and key; the previous month's creators where they are ready."""

    month: Month
    objects: tuple[DataObject, ...]
    previous_creators: tuple[DataObject, ...] = ()


@dataclass(frozen=True, slots=True)
class NotReady:
    """The datasets of a month that have no ``_SUCCESS`` yet."""

    month: Month
    missing: tuple[str, ...]


def find(s3: S3Client, place: S3Prefix, month: Month) -> Inventory | NotReady:
    """What is there to be read for a month. Raises ObjectUnsound for an object of unknown format, or none at all."""
    listed = {dataset: _list(s3, place, dataset, month) for dataset in MONTHLY}
    missing = tuple(str(dataset) for dataset, objects in listed.items() if objects is None)
    if missing:
        return NotReady(month, missing)
    objects = tuple(o for listing in listed.values() for o in listing or ())
    return Inventory(month, objects, _list(s3, place, Dataset.PREVIOUS_CREATORS, month.plus(-1)) or ())


def confirm_unchanged(s3: S3Client, place: S3Prefix, inventory: Inventory) -> None:
    """Raises ObjectChanged when an object appeared, changed or went since the inventory was taken."""
    now = find(s3, place, inventory.month)
    if isinstance(now, NotReady):
        raise ObjectChanged(
            f"month {inventory.month}: {READY} of {', '.join(now.missing)} went while the extracts were being read. "
            "Nothing was published; run the month again when the extracts are complete."
        )
    before = {(o.key, o.etag) for o in (*inventory.objects, *inventory.previous_creators)}
    after = {(o.key, o.etag) for o in (*now.objects, *now.previous_creators)}
    if differing := sorted({key for key, _ in before ^ after}):
        raise ObjectChanged(
            f"month {inventory.month}: {', '.join(differing[:5])} ({len(differing)} in all) appeared, changed or went "
            "while the extracts were being read. Nothing was published; run the month again."
        )


class Extracts:
    """The extracts at one place in S3.

    ``room``: the bytes of ``scratch`` that may be used. ``memory``: the bytes that the function has.
    """

    def __init__(
        self, s3: S3Client, place: S3Prefix, zone: ZoneInfo, scratch: Path, *, room: int = ROOM, memory: int = 0
    ) -> None:
        self._s3 = s3
        self._place = place
        self._zone = zone
        self._scratch = scratch
        self._room = room
        self.memory_limit = engine_memory(memory)

    def find(self, month: Month) -> Inventory | NotReady:
        """What is there to be read for a month."""
        return find(self._s3, self._place, month)

    def measure(self, inventory: Inventory, max_bad_row_share: Decimal, progress: Progress) -> MonthMeasured:
        """Every agency's metrics. The quarantine file lasts as long as this object; when this raises, nothing is left.

        Raises one ExtractError for each cause; ObjectChanged when something changed while it was being read.
        """
        with progress.stage("measure") as facts, ExitStack() as unless_measured:
            folder = Path(mkdtemp(prefix="extracts-", dir=self._scratch))
            unless_measured.callback(weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True))
            try:
                with TemporaryDirectory(prefix="objects-", dir=folder) as downloads:
                    measured = measure(
                        lambda: self._fetched(inventory, Path(downloads), progress),
                        inventory.month,
                        self._zone,
                        max_bad_row_share,
                        folder,
                        memory_limit=self.memory_limit,
                    )
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                raise OutOfRoom(
                    f"{self._scratch} is full ({error}). Nothing was published. Give the function more ephemeral "
                    "storage (RatingStorage), or SCRATCH a larger folder."
                ) from error
            confirm_unchanged(self._s3, self._place, inventory)
            facts |= {name: counts.rows for name, counts in measured.datasets.items()}
            facts["quarantined"] = sum(counts.bad for counts in measured.datasets.values())
            unless_measured.pop_all()
        return measured

    def _fetched(self, inventory: Inventory, folder: Path, progress: Progress) -> Iterator[LocalFile]:
        objects = (*inventory.objects, *inventory.previous_creators)
        room = min(self._room, shutil.disk_usage(folder).free)
        total, done = sum(o.size for o in objects), 0
        for file, size in fetch(self._s3, self._place.bucket, objects, folder, room):
            progress.advance("measure", done, total)
            yield file
            done += size
        progress.advance("measure", done, total)
        progress.advance("count", 0, None)  # all is read; what takes time now has no parts to be counted


def _list(s3: S3Client, place: S3Prefix, dataset: Dataset, month: Month) -> tuple[DataObject, ...] | None:
    """The data objects of a dataset, by key; None when it is not ready."""
    folder = Dataset.CREATORS if dataset is Dataset.PREVIOUS_CREATORS else dataset
    prefix = place.key(folder, f"month={month}") + "/"
    objects: list[DataObject] = []
    ready = False
    try:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=place.bucket, Prefix=prefix):
            for found in page.get("Contents", []):
                name = found["Key"].removeprefix(prefix)
                ready = ready or name == READY
                if not _is_hidden(name):
                    objects.append(DataObject(dataset, found["Key"], found["ETag"].strip('"'), found["Size"]))
    except (BotoCoreError, ClientError) as error:
        raise ExtractsUnavailable(f"s3://{place.bucket}/{prefix} can't be listed ({error})") from error
    if not ready:
        return None
    _refuse_unreadable(objects, f"s3://{place.bucket}/{prefix}")
    return tuple(sorted(objects, key=lambda o: o.key))


def _is_hidden(name: str) -> bool:
    """Not data: Spark's and Hive's own files and folders, and the markers that the S3 console leaves as folders."""
    return name.endswith("/") or not name or any(part.startswith(("_", ".")) for part in name.split("/"))


def _refuse_unreadable(objects: list[DataObject], folder: str) -> None:
    for o in objects:
        if not o.key.endswith(FORMATS):
            raise ObjectUnsound(
                f"{o.key}: an object of unknown format; expected one of {', '.join(FORMATS)}. Remove it, or give it a "
                "name that begins with _ or . if it is no data."
            )
    if not objects:
        raise ObjectUnsound(
            f"{folder} has {READY} but no data; expected at least one object. An extract without rows is an object "
            "with a header only: have it written again."
        )
