"""Downloads objects from S3 to the local disk, some of them ahead. Each object is read once; disk use is bounded."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boto3.exceptions import S3TransferFailedError
from boto3.s3.transfer import TransferConfig, create_transfer_manager
from botocore.exceptions import BotoCoreError, ClientError
from s3transfer.exceptions import RetriesExceededError, S3DownloadFailedError
from s3transfer.subscribers import BaseSubscriber

from functions.rating.extracts.datasets import Dataset, LocalFile
from functions.rating.extracts.formats import Format, format_of
from functions.rating.extracts.keys import KeyColumns
from functions.rating.extracts.unusable import unavailable
from shared.errors import ObjectChanged, ObjectInvalid

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from s3transfer.futures import TransferFuture

_CONFIG = TransferConfig(max_concurrency=4, num_download_attempts=4)
_GONE = ("PreconditionFailed", "412", "NoSuchKey", "404")


@dataclass(frozen=True, slots=True)
class DataObject:
    """One object of an extract. Its ETag identifies its content. ``size``: bytes."""

    dataset: Dataset
    key: str
    etag: str
    size: int
    key_columns: KeyColumns = ()


def fetch(
    s3: S3Client, bucket: str, objects: Sequence[DataObject], folder: Path, room: int
) -> Iterator[tuple[LocalFile, int]]:
    """Every object as a local file, in order, while the next ones are being downloaded.

    At most an eighth of ``room`` (bytes) waits to be read. Parquet files stay until the end if together they take at
    most three quarters of ``room``; any other file is removed when the next one is requested.

    Raises ObjectChanged if an object differs from its listing, and ExtractsUnavailable if S3 fails.
    """
    stay = sum(o.size for o in objects if _may_be_parquet(o.key)) <= room * 3 // 4
    waiting: deque[tuple[DataObject, Path, TransferFuture]] = deque()
    upcoming = deque(enumerate(objects))
    to_come = _to_come(objects)
    with create_transfer_manager(s3, _CONFIG) as manager:  # whatever ends the block ends the transfers too
        while upcoming or waiting:
            while upcoming and (not waiting or _ahead(waiting) + upcoming[0][1].size <= room // 8):
                number, o = upcoming.popleft()
                path = folder / f"{number:06d}"  # a key may contain any character; a number is a safe file name
                transfer = manager.download(bucket, o.key, str(path), subscribers=[_AsListed(o)])
                waiting.append((o, path, transfer))
            o, path, transfer = waiting.popleft()
            with reading_from(bucket, o.key):
                transfer.result()
            file = LocalFile(o.dataset, o.key, path, key_columns=o.key_columns, to_come=to_come.popleft())
            file = replace(file, stays=stay and _is_parquet(file))
            yield file, o.size
            if not file.stays:
                path.unlink()


class _AsListed(BaseSubscriber):
    """Tells the transfer manager the listed ETag (``If-Match``) and size, so that it does not ask S3 for the size."""

    def __init__(self, o: DataObject) -> None:
        self._object = o

    def on_queued(self, future: TransferFuture, **_: object) -> None:
        etag = f'"{self._object.etag}"'
        future.meta.provide_transfer_size(self._object.size)
        future.meta.provide_object_etag(etag)  # which is asked for with each part of a large object only
        arguments: Any = future.meta.call_args  # its type in the stubs is another one
        arguments.extra_args["IfMatch"] = etag


@contextmanager
def reading_from(bucket: str, key: str) -> Iterator[None]:
    """Says of an object what S3 refuses: raises ObjectChanged when it is not the one that was listed."""
    try:
        yield
    except S3DownloadFailedError as error:
        raise _changed(key, error) from error
    except ClientError as error:
        if error.response["Error"]["Code"] in _GONE:
            raise _changed(key, error) from error
        raise unavailable(f"s3://{bucket}/{key} can't be read", error) from error
    except (BotoCoreError, RetriesExceededError, S3TransferFailedError) as error:
        raise unavailable(f"s3://{bucket}/{key} can't be read", error) from error


def _changed(key: str, error: Exception) -> ObjectChanged:
    return ObjectChanged(
        f"{key}: the object was deleted or replaced after it was listed ({error}). Nothing was published; run the "
        "month again when the extracts are complete."
    )


def _to_come(objects: Sequence[DataObject]) -> deque[int]:
    """For each object, the bytes of the later objects of the same dataset."""
    left = Counter({dataset: sum(o.size for o in objects if o.dataset is dataset) for dataset in Dataset})
    to_come: deque[int] = deque()
    for o in objects:
        left[o.dataset] -= o.size
        to_come.append(left[o.dataset])
    return to_come


def _ahead(waiting: deque[tuple[DataObject, Path, TransferFuture]]) -> int:
    return sum(o.size for o, *_ in waiting)


def _may_be_parquet(key: str) -> bool:
    """Whether an object may be Parquet, judged by its name, since it is not downloaded yet."""
    return not key.lower().endswith((".csv", ".gz", ".txt"))


def _is_parquet(file: LocalFile) -> bool:
    try:
        return format_of(file) is Format.PARQUET
    except ObjectInvalid:  # the reader reports the error
        return False
