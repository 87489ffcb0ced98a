"""Text with records in doubt, split one by one: the sound ones are kept, each bad one is named with its reason."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from functions.rating.measuring.embedded.reading.csv_block import LONGEST_RECORD, Block, is_utf8
from functions.rating.measuring.quarantine import BadRow

csv.field_size_limit(LONGEST_RECORD)


def split(text: bytes, columns: int, first_row: int, *, last: bool) -> tuple[Block, bytes]:
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
    if not is_utf8(line):
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
