"""One month's files in S3: found, and later confirmed to have stayed as they were."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from functions.rating.extracts.datasets import Dataset
from functions.rating.extracts.download import DataObject
from functions.rating.extracts.keys import FolderUnknown, columns_of_key, is_data
from functions.rating.extracts.unusable import listed
from shared.errors import ExtractsUnavailable, ObjectChanged, ObjectInvalid
from shared.months import Month
from shared.settings import S3Prefix

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

READY = "_SUCCESS"
_SHOWN = 5
MONTHLY = (Dataset.AGENCIES, Dataset.CREATORS, Dataset.ORDERS)


@dataclass(frozen=True, slots=True)
class Inventory:
    """The objects of a month that is ready, by dataset and key; the previous month's creators where they are ready.

    ``warnings``: why the previous month's creators can't be read although they are there.
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
    """The datasets of a month that have no ``_SUCCESS`` yet. ``found``: a sentence for each, what is there instead."""

    month: Month
    missing: tuple[str, ...]
    found: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Extracts:
    """The extracts at one location in S3."""

    s3: S3Client
    location: S3Prefix

    def find(self, month: Month) -> Inventory | NotReady:
        """The objects of a month. Raises ObjectInvalid for all that lie where no data is expected, or without any."""
        listings = [_list(self.s3, self.location, dataset, month) for dataset in MONTHLY]
        if waiting := [listing for listing in listings if not listing.ready]:
            found = tuple(f"{of.dataset}: {_instead(self.s3, self.location, of)}" for of in waiting)
            return NotReady(month, tuple(str(listing.dataset) for listing in waiting), found)
        if refused := [fault for listing in listings for fault in listing.faults]:
            raise ObjectInvalid(listed(refused))
        previous = _list(self.s3, self.location, Dataset.PREVIOUS_CREATORS, month.plus(-1))
        usable = previous.ready and not previous.faults
        return Inventory(
            month,
            tuple(o for listing in listings for o in listing.objects),
            previous.objects if usable else (),
            (listed(previous.faults),) if previous.ready and previous.faults else (),
        )

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


@dataclass(frozen=True, slots=True)
class _Listing:
    """What lies below a month's folder of a dataset. ``faults``: of objects that are neither data nor litter."""

    dataset: Dataset
    url: str
    ready: bool
    objects: tuple[DataObject, ...]
    faults: tuple[str, ...]


def _list(s3: S3Client, location: S3Prefix, dataset: Dataset, month: Month) -> _Listing:
    folder = _folder(dataset)
    prefix = location.key(folder, f"month={month}") + "/"
    url = f"s3://{location.bucket}/{prefix}"
    objects: list[DataObject] = []
    faults: list[str] = []
    ready = False
    try:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=location.bucket, Prefix=prefix):
            for found in page.get("Contents", []):
                name = found["Key"].removeprefix(prefix)
                ready = ready or name == READY
                if not is_data(name):
                    continue
                try:
                    columns = columns_of_key(dataset, name)
                except FolderUnknown as unknown:
                    faults.append(
                        f"{found['Key']}: lies in the folder {unknown}/, which is no column of {folder}; expected "
                        f"objects in {url} itself, or in folders such as risk_tag=x/. If it is data, move it there; if "
                        "not, move it away or give the folder a name that begins with _ or ."
                    )
                else:
                    etag = found["ETag"].strip('"')
                    objects.append(DataObject(dataset, found["Key"], etag, found["Size"], columns))
    except (BotoCoreError, ClientError) as error:
        raise ExtractsUnavailable(f"{url} can't be listed ({error})") from error
    if not objects and not faults:
        faults.append(
            f"{url} has {READY} but no data; expected at least one object. An extract without rows is an object "
            "with a header only: have it written again."
        )
    return _Listing(dataset, url, ready, tuple(sorted(objects, key=lambda o: o.key)), tuple(faults))


def _folder(dataset: Dataset) -> Dataset:
    return Dataset.CREATORS if dataset is Dataset.PREVIOUS_CREATORS else dataset


def _instead(s3: S3Client, location: S3Prefix, listing: _Listing) -> str:
    """What there is where a dataset is not ready."""
    missing = f"{listing.url}{READY} is not there"
    if count := len(listing.objects) + len(listing.faults) - (not listing.objects):
        return (
            f"{missing}; found {count} object(s) in its folder without it. Is the job still writing? Spark leaves none "
            "when partitionOverwriteMode is dynamic: have the job write an empty one at the end."
        )
    root = location.key(_folder(listing.dataset)) + "/"
    try:
        page = s3.list_objects_v2(Bucket=location.bucket, Prefix=root, Delimiter="/", MaxKeys=1000)
    except (BotoCoreError, ClientError) as error:
        raise ExtractsUnavailable(f"s3://{location.bucket}/{root} can't be listed ({error})") from error
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
