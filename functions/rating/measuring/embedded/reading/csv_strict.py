"""Splits uncertain text record by record: keeps valid records, and names each bad line with its reason.

A record may have several lines only in a text column, and only if none of them is a row of its own. Any other record
ends with its first line, so that an open quote spoils one row and not the rows after it.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from functions.rating.measuring.embedded.reading.csv_chunk import LONGEST_RECORD, Chunk, is_utf8
from functions.rating.measuring.embedded.reading.csv_layout import Layout
from functions.rating.measuring.quarantine import BadRow

csv.field_size_limit(LONGEST_RECORD)


class RowsSwallowed(Exception):
    """A quote joined lines that are rows of their own: ``lines`` lines, from row ``first`` on."""

    def __init__(self, first: int, lines: int, inner: str) -> None:
        super().__init__(f"{lines} lines from row {first}")
        self.first, self.lines, self.inner = first, lines, inner


def split(text: bytes, layout: Layout, first_row: int, *, last: bool) -> tuple[Chunk, bytes]:
    """The valid records as a chunk, and the text of a record that continues in the next chunk.

    Raises RowsSwallowed.
    """
    lines = text.split(b"\n")[:-1]
    valid: list[bytes] = []
    rows: list[int] = []
    bad: list[BadRow] = []
    skipped: Counter[str] = Counter()
    row, at = first_row, 0
    while at < len(lines):
        if lines[at] in (b"", b"\r"):
            at += 1
            continue
        record = _record(lines, at, layout)
        if record is None and not last:
            break
        if record is None:
            record = _Record(1, _malformed(lines[at], layout))
        if record.swallowed is not None:
            raise RowsSwallowed(row, record.lines, lines[at + record.swallowed][:200].decode(errors="backslashreplace"))
        if record.reason is None:
            valid.append(record.text)
            rows.append(row)
            row += 1
        else:
            for line in lines[at : at + record.lines]:
                if what := layout.no_row(line):
                    skipped[what] += 1
                else:
                    bad.append(BadRow(row, record.reason, line[:LONGEST_RECORD].decode(errors="backslashreplace")))
                row += 1
        at += record.lines
    ends = np.cumsum([len(record) for record in valid], dtype=np.int64) - 1
    incomplete = b"".join(line + b"\n" for line in lines[at:])
    return Chunk(b"".join(valid), rows, ends, tuple(bad), skipped, row - first_row), incomplete


@dataclass(frozen=True, slots=True)
class _Record:
    """The number of lines of a record, and either its text or the reason of each bad line.

    ``swallowed``: a line that is a row of its own.
    """

    lines: int
    reason: str | None
    text: bytes = b""
    swallowed: int | None = None


def _record(lines: Sequence[bytes], at: int, layout: Layout) -> _Record | None:
    """The record that begins at a line; None if a quote is still open at the end of the lines."""
    line = lines[at]
    if len(line) >= LONGEST_RECORD:
        return _Record(1, "record_too_long")
    if not is_utf8(line):
        return _Record(1, "invalid_utf8")
    if b'"' not in line:
        line = line.removesuffix(b"\r")
        if b"\r" in line:
            return _Record(1, "malformed_record")
        if line.count(b",") + 1 != layout.width:
            return _Record(1, "backslash_escape" if _is_escaped(line, layout) else "wrong_column_count")
        return _Record(1, None, line + b"\n")
    feed = _Feed(lines, at)
    reader = csv.reader(feed, strict=True)
    try:
        fields = next(reader)
    except (csv.Error, UnicodeDecodeError):
        return None if feed.exhausted else _Record(1, _malformed(line, layout))
    count = reader.line_num
    if len(fields) != layout.width:
        return _Record(1, "wrong_column_count" if count == 1 else _malformed(line, layout))
    swallowed = layout.swallowed(b"\n".join(lines[at : at + count])) if count > 1 else None
    for position, name in layout.single_line.items():
        if "\n" in fields[position].strip():
            return _Record(count if swallowed is None else 1, f"newline_in_{name}")
    quoted = ",".join('"' + field.replace('"', '""') + '"' for field in fields)
    return _Record(count, None, quoted.encode() + b"\n", swallowed)


def _malformed(line: bytes, layout: Layout) -> str:
    return "backslash_escape" if _is_escaped(line, layout) else "malformed_record"


def _is_escaped(line: bytes, layout: Layout) -> bool:
    """Whether a line has backslashes before quotes, commas or newlines, as Spark and MySQL write it (``\\"``)."""
    if b"\\" not in line or not is_utf8(line):
        return False
    if line.endswith(b"\\"):
        return True
    try:
        [fields] = csv.reader([line.decode()], escapechar="\\", doublequote=False, strict=True)
    except (csv.Error, ValueError):
        return b'\\"' in line
    return len(fields) == layout.width


class _Feed:
    """The lines of one record, up to the longest allowed. Notes whether the chunk ended before the record did."""

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
