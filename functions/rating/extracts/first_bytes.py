"""Finds faults in the first bytes of objects, so that all faults can be listed without reading the objects."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from functions.rating.extracts.csv_header import BYTE_ORDER_MARK, names_in
from functions.rating.extracts.datasets import LocalFile, located
from functions.rating.extracts.download import DataObject
from functions.rating.extracts.formats import Format, format_by
from shared.errors import ExtractsUnavailable, ObjectInvalid

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_FIRST = 64 * 1024
_AT_ONCE = 8


def faults_at_the_start(s3: S3Client, bucket: str, objects: Iterable[DataObject]) -> list[str]:
    """Why objects can't be read, as far as their first bytes show it.

    These faults are found: zero bytes, another format, a header without a required column. Raises ExtractsUnavailable.
    """

    def fault(o: DataObject) -> str | None:
        try:
            _refuse(o, _first_bytes(s3, bucket, o))
        except ObjectInvalid as error:
            return str(error)
        return None

    with ThreadPoolExecutor(_AT_ONCE) as threads:
        return [said for said in threads.map(fault, objects) if said]


def _first_bytes(s3: S3Client, bucket: str, o: DataObject) -> bytes:
    if not o.size:
        return b""  # S3 refuses a range of an empty object
    try:
        body = s3.get_object(Bucket=bucket, Key=o.key, Range=f"bytes=0-{_FIRST - 1}")["Body"]
        with body:
            return body.read()
    except (BotoCoreError, ClientError) as error:
        raise ExtractsUnavailable(f"s3://{bucket}/{o.key} can't be read ({error})") from error


def _refuse(o: DataObject, first: bytes) -> None:
    """Raises ObjectInvalid. Leaves to the reader what so few bytes can't show."""
    form = format_by(first, o.key)
    if form is Format.PARQUET:
        return
    try:
        text = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(first, _FIRST) if form is Format.CSV_GZ else first
    except zlib.error:
        return
    line, newline, _ = text.removeprefix(BYTE_ORDER_MARK).lstrip(b"\r\n").partition(b"\n")
    if line and newline:
        located(names_in(line, o.key), LocalFile(o.dataset, o.key, Path(), key_columns=o.key_columns))
