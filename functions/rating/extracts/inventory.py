"""Finds one month's files in S3, and later confirms that they have not changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from functions.rating.extracts.datasets import Dataset
from functions.rating.extracts.download import DataObject
from functions.rating.extracts.first_bytes import faults_at_the_start
from functions.rating.extracts.month_folder import READY, MonthFolder, sorted_out
from functions.rating.extracts.unusable import listed, unavailable
from shared.errors import ObjectChanged, ObjectInvalid
from shared.months import Month
from shared.settings import S3Prefix

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_SHOWN = 5
MONTHLY = (Dataset.AGENCIES, Dataset.CREATORS, Dataset.ORDERS)


@dataclass(frozen=True, slots=True)
class Inventory:
    """The objects of a month that is ready, by dataset and key, with the previous month's creators if ready.

    ``warnings``: objects that exist but are not read, and why the previous month's creators can't be read.
    """

    month: Month
    objects: tuple[DataObject, ...]
    previous_creators: tuple[DataObject, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def all_objects(self) -> tuple[DataObject, ...]:
        return (*self.objects, *self.previous_creators)


@dataclass(frozen=True, slots=True)
class NotReady:
    """The datasets of a month without ``_SUCCESS``. ``found``: for each, a sentence about what is there instead."""

    month: Month
    missing: tuple[str, ...]
    found: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Extracts:
    """The extracts at one location in S3."""

    s3: S3Client
    location: S3Prefix

    def find(self, month: Month) -> Inventory | NotReady:
        """The objects of a month, or NotReady.

        Raises ObjectInvalid for misplaced objects and for datasets without data, all at once; then objects whose first
        bytes show that they can't be read are named too. Raises ExtractsUnavailable.
        """
        listings = [_list(self.s3, self.location, dataset, month) for dataset in MONTHLY]
        if waiting := [listing for listing in listings if not listing.folder.ready]:
            found = tuple(f"{of.dataset}: {_instead(self.s3, self.location, of)}" for of in waiting)
            return NotReady(month, tuple(str(listing.dataset) for listing in waiting), found)
        objects = tuple(o for listing in listings for o in listing.objects)
        if refused := [fault for listing in listings for fault in listing.folder.faults]:
            raise ObjectInvalid(listed(sorted(refused + faults_at_the_start(self.s3, self.location.bucket, objects))))
        unread = [said for listing in listings for said in listing.folder.unread]
        previous = _list(self.s3, self.location, Dataset.PREVIOUS_CREATORS, month.plus(-1))
        if not previous.folder.ready:
            return Inventory(month, objects, warnings=tuple(unread))
        if previous.folder.faults:
            return Inventory(month, objects, warnings=(*unread, listed(previous.folder.faults)))
        return Inventory(month, objects, previous.objects, (*unread, *previous.folder.unread))

    def confirm_unchanged(self, inventory: Inventory) -> None:
        """Raises ObjectChanged if an object was added, changed or deleted since the inventory was made."""
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


@dataclass(frozen=True, slots=True)
class _Listing:
    """The objects in a month's folder of a dataset."""

    dataset: Dataset
    url: str
    folder: MonthFolder
    objects: tuple[DataObject, ...]


def _list(s3: S3Client, location: S3Prefix, dataset: Dataset, month: Month) -> _Listing:
    prefix = location.key(dataset.folder, f"month={month}") + "/"
    url = f"s3://{location.bucket}/{prefix}"
    try:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=location.bucket, Prefix=prefix)
        found = {
            o["Key"].removeprefix(prefix): (o["ETag"].strip('"'), o["Size"])
            for page in pages
            for o in page.get("Contents", [])
        }
    except (BotoCoreError, ClientError) as error:
        raise unavailable(f"{url} can't be listed", error) from error
    folder = sorted_out(dataset, url, prefix, {name: size for name, (_, size) in found.items()})
    objects = tuple(DataObject(dataset, prefix + name, *found[name], columns) for name, columns in folder.data.items())
    return _Listing(dataset, url, folder, objects)


def _instead(s3: S3Client, location: S3Prefix, listing: _Listing) -> str:
    """What is in S3 for a dataset that is not ready."""
    missing = f"{listing.url}{READY} is not there"
    if count := listing.folder.found:
        return (
            f"{missing}; found {count} object(s) in its folder without it. Is the job still writing? Spark leaves none "
            "when partitionOverwriteMode is dynamic: have the job write an empty one at the end."
        )
    root = location.key(listing.dataset.folder) + "/"
    try:
        page = s3.list_objects_v2(Bucket=location.bucket, Prefix=root, Delimiter="/", MaxKeys=1000)
    except (BotoCoreError, ClientError) as error:
        raise unavailable(f"s3://{location.bucket}/{root} can't be listed", error) from error
    names = [found["Prefix"].removeprefix(root) for found in page.get("CommonPrefixes", [])][-_SHOWN:]
    names += [found["Key"].removeprefix(root) for found in page.get("Contents", []) if found["Key"] != root][:_SHOWN]
    if not names:
        return f"{missing}; found nothing below s3://{location.bucket}/{root}"
    at_root = (
        f" The {READY} at the dataset's root says nothing of one month: write one into the month's folder."
        if READY in names
        else ""
    )
    return f"{missing}; found {', '.join(names)} in s3://{location.bucket}/{root}.{at_root}"
