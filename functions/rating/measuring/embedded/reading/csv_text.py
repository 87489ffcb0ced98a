"""The records of a CSV object, read once: checksum, encoding and shape are verified before anything parses values.

A record is a line, or several where quotes say so (RFC 4180). Where a record's quoting is broken it ends with its
first line, so that an open quote costs one row and never those after it. Empty lines are no records.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from gzip import BadGzipFile
from typing import BinaryIO, cast

from isal import igzip, isal_zlib

from functions.rating.extracts.datasets import LocalFile
from functions.rating.measuring.embedded.reading.csv_block import Block
from functions.rating.measuring.embedded.reading.csv_fast import regular
from functions.rating.measuring.embedded.reading.csv_strict import split
from shared.errors import ObjectUnsound

BLOCK = 16 * 1024 * 1024
_LONGEST_LINE = 4 * BLOCK
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_GZIP_MAGIC = b"\x1f\x8b"

_DAMAGED = (EOFError, BadGzipFile, cast(type[Exception], isal_zlib.error))


class CsvRecords:
    """A CSV object's header and, block by block, its records."""

    def __init__(self, file: LocalFile, stream: BinaryIO) -> None:
        self.file = file
        self._stream = stream
        self._rest = b""
        self._ended = False
        self.header = self._read_header()

    def blocks(self) -> Iterator[Block]:
        """The records after the header; at least one block, which may have none."""
        row = 1
        while True:
            text = self._whole_lines()
            block = regular(text, len(self.header), row)
            if block is None:
                block, incomplete = split(text, len(self.header), row, last=self._ended)
                self._rest = incomplete + self._rest
            row += len(block.rows) + len(block.bad)
            yield block
            if self._ended and not self._rest:
                return

    def _read_header(self) -> list[str]:
        """The first line that is not empty."""
        text = self._whole_lines().removeprefix(_BYTE_ORDER_MARK).lstrip(b"\r\n")
        line, _, rest = text.partition(b"\n")
        self._rest = rest + self._rest
        if not line:
            raise ObjectUnsound(
                f"{self.file.key}: found no header; expected column names in the first line. A file without rows "
                "still has its header: have the extract written again."
            )
        try:
            return next(csv.reader([line.rstrip(b"\r").decode()], strict=True))
        except (UnicodeDecodeError, csv.Error) as error:
            raise ObjectUnsound(
                f"{self.file.key}: the header can't be read ({error}); found {line[:200]!r}, expected "
                "comma-separated names in UTF-8. Have the extract written again."
            ) from error

    def _whole_lines(self) -> bytes:
        """About a block of text, up to the end of a line; the remains are kept for the next call."""
        pieces: list[bytes | memoryview] = [self._rest]
        self._rest = b""
        while read := self._stream.read(BLOCK):
            end = read.rfind(b"\n") + 1
            pieces.append(memoryview(read)[: end or None])
            if end:
                self._rest = read[end:]
                break
            if len(pieces) > _LONGEST_LINE // BLOCK:
                raise ObjectUnsound(
                    f"{self.file.key}: found no line's end in {len(pieces) * BLOCK} bytes; expected lines of text. "
                    "Have the extract written again."
                )
        self._ended = not read
        text = b"".join(pieces)
        return text if not text or text.endswith(b"\n") else text + b"\n"


@contextmanager
def open_records(file: LocalFile) -> Iterator[CsvRecords]:
    """A CSV object, opened; a ``.gz`` is decompressed and its checksums verified on the way.

    Raises ObjectUnsound, here or while blocks are read, when it is empty, damaged, or has no readable header.
    """
    compressed = file.path.name.endswith(".gz")
    with file.path.open("rb") as raw:
        if compressed and raw.read(2) != _GZIP_MAGIC:
            raise ObjectUnsound(f"{file.key}: this is no gzip file, though its name says so. Upload the object again.")
        raw.seek(0)
        try:
            yield CsvRecords(file, _unpacked(raw) if compressed else raw)
        except _DAMAGED as error:
            raise ObjectUnsound(
                f"{file.key}: the gzip stream is damaged ({error}); expected a whole one with a right checksum. "
                "Upload the object again."
            ) from error


def _unpacked(raw: BinaryIO) -> BinaryIO:
    return cast(BinaryIO, igzip.IGzipFile(fileobj=raw))  # type: ignore[no-untyped-call]  # it ships without types
