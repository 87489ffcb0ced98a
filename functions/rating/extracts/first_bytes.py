"""Finds faults in the first bytes of objects, so that all faults can be listed without reading the objects."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from functions.rating.extracts.csv_header import BYTE_ORDER_MARK, names_in
from functions.rating.extracts.datasets import LocalFile, located
from functions.rating.extracts.download import DataObject, reading_from
from functions.rating.extracts.formats import Format, format_by
from shared.errors import ObjectInvalid

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

FIRST = 64 * 1024
_AT_ONCE = 8


def faults_at_the_start(s3: S3Client, bucket: str, objects: Iterable[DataObject]) -> list[str]:
    """Why objects can't be read, as far as their first bytes show it.

    These faults are found: zero bytes, another format, a header without a required column. Raises ObjectChanged if an
    object was deleted after it was listed, and ExtractsUnavailable.
    """

    def fault(o: DataObject) -> str | None:
        file = LocalFile(o.dataset, o.key, Path(), key_columns=o.key_columns)
        try:
            refuse_by_start(file, _first_bytes(s3, bucket, o))
        except ObjectInvalid as error:
            return str(error)
        return None

    with ThreadPoolExecutor(_AT_ONCE) as threads:
        return [said for said in threads.map(fault, objects) if said]


def _first_bytes(s3: S3Client, bucket: str, o: DataObject) -> bytes:
    if not o.size:
        return b""  # S3 refuses a range of an empty object
    with reading_from(bucket, o.key):
        body = s3.get_object(Bucket=bucket, Key=o.key, Range=f"bytes=0-{FIRST - 1}")["Body"]
        with body:
            return body.read()


def refuse_by_start(file: LocalFile, first: bytes) -> Format:
    """The format of a file that begins with these bytes. ``file.path`` is not read.

    Raises ObjectInvalid. Leaves to the reader what so few bytes can't show.
    """
    form = format_by(first, file.key)
    if form is Format.PARQUET:
        return form
    try:
        text = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(first, FIRST) if form is Format.CSV_GZ else first
    except zlib.error:
        return form
    line, newline, _ = text.removeprefix(BYTE_ORDER_MARK).lstrip(b"\r\n").partition(b"\n")
    if line and newline:
        located(names_in(line, file.key), file)
    return form
