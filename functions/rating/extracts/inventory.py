"""One month's files in S3: found, and later confirmed to have stayed as they were."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from functions.rating.extracts.datasets import Dataset
from functions.rating.extracts.download import DataObject
from shared.errors import ExtractsUnavailable, ObjectChanged, ObjectUnsound
from shared.months import Month
from shared.settings import S3Prefix

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

READY = "_SUCCESS"
FORMATS = (".parquet", ".csv", ".csv.gz")
MONTHLY = (Dataset.AGENCIES, Dataset.CREATORS, Dataset.ORDERS)


@dataclass(frozen=True, slots=True)
class Inventory:
    """The objects of a month that is ready, by dataset and key; the previous month's creators where they are ready."""

    month: Month
    objects: tuple[DataObject, ...]
    previous_creators: tuple[DataObject, ...] = ()

    @property
    def all_objects(self) -> tuple[DataObject, ...]:
        return (*self.objects, *self.previous_creators)


@dataclass(frozen=True, slots=True)
class NotReady:
    """The datasets of a month that have no ``_SUCCESS`` yet."""

    month: Month
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Extracts:
    """The extracts at one place in S3."""

    s3: S3Client
    place: S3Prefix

    def find(self, month: Month) -> Inventory | NotReady:
        """The objects of a month. Raises ObjectUnsound for one of unknown format, or where there are none."""
        listed = {dataset: _list(self.s3, self.place, dataset, month) for dataset in MONTHLY}
        missing = tuple(str(dataset) for dataset, objects in listed.items() if objects is None)
        if missing:
            return NotReady(month, missing)
        objects = tuple(o for listing in listed.values() for o in listing or ())
        previous = _list(self.s3, self.place, Dataset.PREVIOUS_CREATORS, month.plus(-1))
        return Inventory(month, objects, previous or ())

    def confirm_unchanged(self, inventory: Inventory) -> None:
        """Raises ObjectChanged when an object appeared, changed or went since the inventory was made."""
        now = self.find(inventory.month)
        if isinstance(now, NotReady):
            raise ObjectChanged(
                f"month {inventory.month}: {READY} of {', '.join(now.missing)} went while the extracts were being "
                "read. Nothing was published; run the month again when the extracts are complete."
            )
        before = {(o.key, o.etag) for o in inventory.all_objects}
        after = {(o.key, o.etag) for o in now.all_objects}
        if differing := sorted({key for key, _ in before ^ after}):
            raise ObjectChanged(
                f"month {inventory.month}: {', '.join(differing[:5])} ({len(differing)} in all) appeared, changed or "
                "went while the extracts were being read. Nothing was published; run the month again."
            )


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
