"""Reads the records of a CSV object once: verifies checksum, encoding and shape before values are parsed.

A record is a line, or several lines if quotes say so (RFC 4180). Empty lines are not records.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from gzip import BadGzipFile
from typing import BinaryIO, cast

from isal import igzip, isal_zlib

from functions.rating.extracts.csv_header import BYTE_ORDER_MARK, names_in
from functions.rating.extracts.datasets import LocalFile, located
from functions.rating.extracts.formats import Format
from functions.rating.measuring.embedded.reading.csv_chunk import Chunk
from functions.rating.measuring.embedded.reading.csv_fast import regular
from functions.rating.measuring.embedded.reading.csv_layout import Layout
from functions.rating.measuring.embedded.reading.csv_strict import RowsSwallowed, split
from shared.errors import ObjectInvalid

BLOCK = 16 * 1024 * 1024
_SLICE = 2 * 1024 * 1024  # bytes of text that are split record by record if one of its records is uncertain
_LONGEST_LINE = 4 * BLOCK
_ROWS_A_PACKED_BYTE = 200  # at most: gzip compresses by a factor of 1,000, and a row has at least five bytes

_DAMAGED = (EOFError, BadGzipFile, cast(type[Exception], isal_zlib.error))


class CsvRecords:
    """A CSV object's header, and its records chunk by chunk."""

    def __init__(self, file: LocalFile, raw: BinaryIO, form: Format) -> None:
        self.file = file
        self._raw = raw
        self._form = form
        self._stream = _unpacked(raw) if form is Format.CSV_GZ else raw
        self._rest = b""
        self._row = 1
        self._ended = False
        header = self._read_header()
        self.layout = Layout(file.dataset, tuple(header), located(header, file))

    @property
    def unread(self) -> int:
        """The largest possible number of rows after the chunks so far."""
        rows_a_byte = _ROWS_A_PACKED_BYTE if self._form is Format.CSV_GZ else 1
        return (self.file.path.stat().st_size - self._raw.tell()) * rows_a_byte + len(self._rest)

    def chunks(self) -> Iterator[Chunk]:
        """The records after the header, in at least one chunk, which may be empty."""
        while True:
            for chunk in self._chunks_of(self._whole_lines(), self._row):
                self._row += chunk.numbered
                yield chunk
            if self._ended and not self._rest:
                return

    def _chunks_of(self, text: bytes, row: int) -> Iterator[Chunk]:
        """The records of a text: one chunk, or several smaller ones if some have to be split one by one."""
        if chunk := regular(text, self.layout, row):
            yield chunk
            return
        incomplete, start = b"", 0
        while start < len(text):
            end = text.rfind(b"\n", start, start + _SLICE) + 1 or text.index(b"\n", start) + 1
            some, start = incomplete + text[start:end], end
            chunk, incomplete = regular(some, self.layout, row), b""
            if chunk is None:
                chunk, incomplete = self._split(some, row, last=self._ended and end == len(text))
            row += chunk.numbered
            yield chunk
        self._rest = incomplete + self._rest

    def _split(self, text: bytes, row: int, *, last: bool) -> tuple[Chunk, bytes]:
        try:
            return split(text, self.layout, row, last=last)
        except RowsSwallowed as found:
            raise ObjectInvalid(
                f"{self.file.key}, row {found.first}: a field begins with a quote that is closed {found.lines - 1} "
                f"lines later. The lines between look like rows of their own ({found.inner!r}) and would be lost; "
                "expected the closing quote in the same row. Have the extract written again, with quotes around each "
                'field that contains a quote, a comma or a newline, and each quote inside it doubled ("").'
            ) from found

    def _read_header(self) -> list[str]:
        """Read the first line that is not empty."""
        text = self._whole_lines().removeprefix(BYTE_ORDER_MARK).lstrip(b"\r\n")
        line, _, rest = text.partition(b"\n")
        self._rest = rest + self._rest
        if not line:
            raise ObjectInvalid(
                f"{self.file.key}: found no header; expected column names in the first line. A file without rows "
                "still needs its header. Have the extract written again."
            )
        return names_in(line, self.file.key)

    def _whole_lines(self) -> bytes:
        """About one chunk of text up to the end of a line. The rest is kept for the next call."""
        chunks: list[bytes | memoryview] = [self._rest]
        self._rest = b""
        while read := self._stream.read(BLOCK):
            end = read.rfind(b"\n") + 1
            chunks.append(memoryview(read)[: end or None])
            if end:
                self._rest = read[end:]
                break
            if len(chunks) > _LONGEST_LINE // BLOCK:
                raise ObjectInvalid(
                    f"{self.file.key}, row {self._row}: found no end of line in {len(chunks) * BLOCK} bytes; expected "
                    "lines of text. Have the extract written again."
                )
        self._ended = not read
        text = b"".join(chunks)
        return text if not text or text.endswith(b"\n") else text + b"\n"


@contextmanager
def open_records(file: LocalFile, form: Format) -> Iterator[CsvRecords]:
    """Open a CSV object. gzip is decompressed and its checksums are verified while reading.

    Raises ObjectInvalid, here or while chunks are read, if it is empty, damaged, or has no readable header.
    """
    with file.path.open("rb") as raw:
        try:
            yield CsvRecords(file, raw, form)
        except _DAMAGED as error:
            raise ObjectInvalid(
                f"{file.key}: the gzip file is damaged ({error}); expected a complete one with a correct checksum. "
                "Upload the object again."
            ) from error


def _unpacked(raw: BinaryIO) -> BinaryIO:
    return cast(BinaryIO, igzip.IGzipFile(fileobj=raw))  # type: ignore[no-untyped-call]  # it ships without types
