"""Objects from S3 to local disk, a window ahead of who reads them: each is read once, the disk stays bounded."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from functions.rating.extracts.datasets import Dataset, LocalFile
from shared.errors import ExtractsUnavailable, ObjectChanged

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client

THREADS = 4
ATTEMPTS = 4
PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class DataObject:
    """One object of an extract; its ETag stands for its content. ``size`` in bytes."""

    dataset: Dataset
    key: str
    etag: str
    size: int


def fetch(
    s3: S3Client, bucket: str, objects: Sequence[DataObject], folder: Path, room: int
) -> Iterator[tuple[LocalFile, int]]:
    """Every object as a local file with its size, in order, while the next ones are being fetched.

    At most an eighth of ``room`` waits to be read. Parquet objects stay until the end when together they take no more
    than three quarters of it; any other file is removed when the next one is asked for.

    Raises ObjectChanged when an object is not what the listing said, ExtractsUnavailable when S3 fails.
    """
    stays = sum(o.size for o in objects if o.key.endswith(".parquet")) <= room * 3 // 4
    waiting: deque[tuple[DataObject, Future[Path]]] = deque()
    upcoming = deque(enumerate(objects))
    pool = ThreadPoolExecutor(THREADS, thread_name_prefix="fetch")
    try:
        while upcoming or waiting:
            while upcoming and (not waiting or _ahead(waiting) + upcoming[0][1].size <= room // 8):
                number, o = upcoming.popleft()
                path = folder / f"{number:06d}{_suffix(o.key)}"  # a key may hold any character; this is safe anywhere
                waiting.append((o, pool.submit(_download, s3, bucket, o, path)))
            o, future = waiting.popleft()
            file = LocalFile(o.dataset, o.key, future.result(), stays and o.key.endswith(".parquet"))
            yield file, o.size
            if not file.stays:
                file.path.unlink()
    finally:
        pool.shutdown(cancel_futures=True)


def _ahead(waiting: deque[tuple[DataObject, Future[Path]]]) -> int:
    return sum(o.size for o, _ in waiting)


def _suffix(key: str) -> str:
    return ".csv.gz" if key.endswith(".csv.gz") else Path(key).suffix


def _download(s3: S3Client, bucket: str, o: DataObject, path: Path) -> Path:
    for attempt in range(ATTEMPTS):
        try:
            answer = s3.get_object(Bucket=bucket, Key=o.key, IfMatch=f'"{o.etag}"')
            _copy(answer["Body"], path)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("PreconditionFailed", "412", "NoSuchKey", "404"):
                raise ObjectChanged(
                    f"{o.key}: the object went, or is not the one that was listed ({error}). Nothing was published; "
                    "run the month again when the extracts are complete."
                ) from error
            raise ExtractsUnavailable(f"s3://{bucket}/{o.key} can't be read ({error})") from error
        except BotoCoreError as error:  # the connection broke; the client itself retries only up to the headers
            if attempt == ATTEMPTS - 1:
                raise ExtractsUnavailable(f"s3://{bucket}/{o.key} can't be read ({error})") from error
            time.sleep(random.uniform(0, 0.2 * 2**attempt))  # noqa: S311 - jitter, not a secret
        else:
            return path
    raise AssertionError("every attempt returns or raises")


def _copy(body: StreamingBody, path: Path) -> None:
    with closing(body), path.open("wb") as local:
        for piece in body.iter_chunks(PIECE):
            local.write(piece)
