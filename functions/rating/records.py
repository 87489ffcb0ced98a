"""The records of a CSV object, read once: checksum, encoding and shape are verified before anything parses values.

A record is a line, or several where quotes say so (RFC 4180). Where a record's quoting is broken it ends with its
first line, so that an open quote costs one row and never those after it. Empty lines are no records.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from gzip import BadGzipFile
from typing import BinaryIO, cast

import numpy as np
import numpy.typing as npt
from isal import igzip, isal_zlib

from functions.rating.datasets import LocalFile
from shared.errors import ObjectUnsound

BLOCK = 32 * 1024 * 1024
LONGEST_RECORD = 1024 * 1024
_LONGEST_LINE = 4 * BLOCK
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_GZIP_MAGIC = b"\x1f\x8b"
_NEWLINE, _RETURN, _COMMA, _QUOTE = b'\n\r,"'

_DAMAGED = (EOFError, BadGzipFile, cast(type[Exception], isal_zlib.error))

csv.field_size_limit(LONGEST_RECORD)


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that can't be used. ``row`` counts the rows of the object from 1, the header not among them."""

    row: int
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive sound records, in a shape that every parser reads alike: RFC 4180, a newline after each.

    ``rows``: where each stands in the object, from 1. ``ends``: the offset of each one's closing newline in ``text``.
    ``bad``: the records between them that can't be split into the header's columns.
    """

    text: bytes
    rows: Sequence[int]
    ends: npt.NDArray[np.int64]
    bad: tuple[BadRow, ...] = ()

    def record(self, index: int) -> str:
        """The text of one record."""
        start = int(self.ends[index - 1]) + 1 if index else 0
        return self.text[start : int(self.ends[index])].decode()


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
            block = _regular(text, len(self.header), row)
            if block is None:
                block, incomplete = _split(text, len(self.header), row, last=self._ended)
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


def _regular(text: bytes, columns: int, first_row: int) -> Block | None:
    """The text as a block when each of its records is beyond doubt; None when they need a closer look."""
    if not _is_utf8(text):
        return None
    if b'"' not in text:
        text = text.replace(b"\r\n", b"\n") if b"\r" in text else text
        characters = np.frombuffer(text, np.uint8)
        newlines, commas = characters == _NEWLINE, characters == _COMMA
        doubtful = b"\r" in text
    else:
        characters = np.frombuffer(text, np.uint8)
        outside = _outside_quotes(characters)
        if b"\r" in text:
            before_newline = np.append(characters[1:] == _NEWLINE, False)
            kept = ~((characters == _RETURN) & before_newline & outside)
            characters, outside = characters[kept], outside[kept]
            text = characters.tobytes()
        newlines, commas = (characters == _NEWLINE) & outside, (characters == _COMMA) & outside
        doubtful = bool(((characters == _RETURN) & outside).any()) or not _quotes_are_regular(characters)
    ends = np.flatnonzero(newlines)
    if doubtful or not _each_has(columns - 1, commas, ends):
        return None
    if ends.size and int(np.diff(ends, prepend=-1).max()) > LONGEST_RECORD:
        return None
    return Block(text, range(first_row, first_row + ends.size), ends)


def _each_has(count: int, commas: npt.NDArray[np.bool_], ends: npt.NDArray[np.int64]) -> bool:
    """Whether each record, up to its end, has so many commas."""
    places = np.flatnonzero(commas)
    if places.size != count * ends.size:
        return False
    of_each = places.reshape(ends.size, count)
    return bool((of_each[1:, :1] > ends[:-1, np.newaxis]).all() and (of_each[:, -1:] < ends[:, np.newaxis]).all())


def _outside_quotes(characters: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Which characters stand after an even number of quotes."""
    quotes = (characters == _QUOTE).view(np.uint8)
    before: npt.NDArray[np.uint8] = np.add.accumulate(quotes, dtype=np.uint8)
    return np.asarray(before % 2 == 0)


def _quotes_are_regular(characters: npt.NDArray[np.uint8]) -> bool:
    """Whether each quote opens a field, closes one, or is one of a doubled pair within one."""
    quotes = np.flatnonzero(characters == _QUOTE)
    if quotes.size % 2:
        return False
    opening, closing = quotes[0::2], quotes[1::2]
    before = np.where(opening > 0, characters[opening - 1], _NEWLINE)
    after = characters[closing + 1]  # there always is one: the text ends with a newline
    opens = (before == _COMMA) | (before == _NEWLINE) | (before == _QUOTE)
    closes = (after == _COMMA) | (after == _NEWLINE) | (after == _QUOTE)
    return bool(opens.all() and closes.all())


def _is_utf8(text: bytes) -> bool:
    if text.isascii():
        return True
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _split(text: bytes, columns: int, first_row: int, *, last: bool) -> tuple[Block, bytes]:
    """Record by record: the sound ones as a block, and the text of one that goes on in the next block."""
    lines = text.split(b"\n")[:-1]
    sound: list[bytes] = []
    rows: list[int] = []
    bad: list[BadRow] = []
    row, at = first_row, 0
    while at < len(lines):
        if lines[at] in (b"", b"\r"):
            at += 1
            continue
        record = _record(lines, at, columns)
        if record is None and not last:
            break
        if record is None:
            record = _Record(1, "malformed_record")
        if record.reason:
            shown = b"\n".join(lines[at : at + record.lines])
            bad.append(BadRow(row, record.reason, shown[:LONGEST_RECORD].decode(errors="backslashreplace")))
        else:
            sound.append(record.text)
            rows.append(row)
        at += record.lines
        row += 1
    ends = np.cumsum([len(record) for record in sound], dtype=np.int64) - 1
    incomplete = b"".join(line + b"\n" for line in lines[at:])
    return Block(b"".join(sound), rows, ends, tuple(bad)), incomplete


@dataclass(frozen=True, slots=True)
class _Record:
    """How many lines a record takes; why it is bad, or its text."""

    lines: int
    reason: str | None
    text: bytes = b""


def _record(lines: Sequence[bytes], at: int, columns: int) -> _Record | None:
    """The record that begins at a line; None when a quote is still open at the end of the lines."""
    line = lines[at]
    if len(line) >= LONGEST_RECORD:
        return _Record(1, "record_too_long")
    if not _is_utf8(line):
        return _Record(1, "invalid_utf8")
    if b'"' not in line:
        line = line.removesuffix(b"\r")
        return _checked(1, line.count(b",") + 1, columns, line + b"\n", broken=b"\r" in line)
    feed = _Feed(lines, at)
    reader = csv.reader(feed, strict=True)
    try:
        fields = next(reader)
    except (csv.Error, UnicodeDecodeError):
        return None if feed.exhausted else _Record(1, "malformed_record")
    quoted = ",".join('"' + field.replace('"', '""') + '"' for field in fields)
    return _checked(reader.line_num, len(fields), columns, quoted.encode() + b"\n", broken=False)


def _checked(lines: int, found: int, columns: int, text: bytes, *, broken: bool) -> _Record:
    if broken:
        return _Record(lines, "malformed_record")
    return _Record(lines, None if found == columns else "wrong_column_count", text)


class _Feed:
    """The lines of one record, for as long as it may be; notes when the block ended before the record did."""

    def __init__(self, lines: Sequence[bytes], at: int) -> None:
        self.exhausted = False
        self._lines = lines
        self._at = at
        self._left = LONGEST_RECORD

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._at == len(self._lines):
            self.exhausted = True
            raise StopIteration
        line = self._lines[self._at]
        self._at += 1
        self._left -= len(line) + 1
        if self._left < 0:
            raise StopIteration
        return line.decode() + "\n"
