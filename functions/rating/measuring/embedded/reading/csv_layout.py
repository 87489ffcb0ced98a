"""The layout of a CSV object, from its header: the columns, those with several lines, and lines that are not rows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from functions.rating.extracts.csv_header import BYTE_ORDER_MARK
from functions.rating.extracts.datasets import Column, Dataset, Kind

_TIME = re.compile(rb'[\s"]*(?:\d{4}[-/]\d{1,2}[-/]\d{1,2}|\d{9,11}(?:\.0*)?[\s"]*$)')
_WHOLE_TIME = re.compile(
    rb'[\s"]*(?:\d{4}[-/]\d{1,2}[-/]\d{1,2}(?:[ T]\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?)?(?: ?(?:Z|[+-]\d\d:?\d\d))?'
    rb'|\d{10}(?:\.0*)?)[\s"]*'
)
_ID = re.compile(rb"[A-Za-z0-9_-]+")
_NUMBER = re.compile(rb'[\s"]*-?\d+(?:\.\d*)?[\s"]*')
_NOTHING = b'," \t\r'


@dataclass(frozen=True)
class Layout:
    """The columns of a CSV object. ``positions``: the position of each known column in ``header``."""

    dataset: Dataset
    header: tuple[str, ...]
    positions: Mapping[str, int]

    @property
    def width(self) -> int:
        return len(self.header)

    @cached_property
    def single_line(self) -> Mapping[int, str]:
        """The positions of columns that never contain a newline: ids, times, amounts, levels and tags."""
        return {at: column.name for column, at in self._known if not column.multiline}

    def no_row(self, line: bytes) -> str | None:
        """The kind of a line that is not a row: ``empty_rows`` (Excel's ``,,,,``) or ``repeated_headers``."""
        if not line.strip(_NOTHING):
            return "empty_rows" if b"," in line else None
        least, most = self._header_lengths
        if not least <= len(line) - line.count(b'"') <= most:
            return None
        return "repeated_headers" if _plain(line) == self._header_line else None

    def swallowed(self, record: bytes) -> int | None:
        """The line of a record, from 0, that is a row of its own: an open quote has swallowed it.

        Such a line has all columns (or all but one), and a time or a number where one is required, not within quotes. A
        line that lacks more columns still begins like a row: with ids without spaces, and a time at its position.
        """
        inside = False
        for index, line in enumerate(record.split(b"\n")):
            fields = line.split(b",")
            if self._has_quoted_value(fields, inside=inside):
                return index
            inside ^= line.count(b'"') % 2 == 1
        return None

    @cached_property
    def _known(self) -> list[tuple[Column, int]]:
        return [
            (column, self.positions[column.name]) for column in self.dataset.columns if column.name in self.positions
        ]

    @cached_property
    def _values(self) -> list[tuple[int, re.Pattern[bytes]]]:
        """The positions of required times and numbers, with patterns of such values."""
        return [
            (at, _TIME if column.kind is Kind.TIME else _NUMBER)
            for column, at in self._known
            if column.required and column.kind is not Kind.TEXT
        ]

    @cached_property
    def _header_line(self) -> bytes:
        return _plain(",".join(self.header).encode())

    @cached_property
    def _header_lengths(self) -> tuple[int, int]:
        """How long a header line is without quotes: with whitespace around its names, and a byte order mark."""
        return len(self._header_line), len(self._header_line) + 2 * self.width + 4

    def _has_quoted_value(self, fields: list[bytes], *, inside: bool) -> bool:
        """Whether a required time or number begins within quotes. ``inside``: so does the line."""
        quotes = list(accumulate((field.count(b'"') for field in fields), initial=int(inside)))
        from_end = len(fields) - self.width  # more commas in a text before or after the value, or the start of the line
        if from_end < -1:
            return bool(quotes[0]) and self._begins_as_a_row(fields)
        candidates = (
            (position, pattern)
            for at, pattern in self._values
            for position in {at, at + from_end}
            if 0 <= position < len(fields) and (from_end >= 0 or pattern is _TIME)
        )
        return any(quotes[position] % 2 and pattern.match(fields[position]) for position, pattern in candidates)

    def _begins_as_a_row(self, fields: list[bytes]) -> bool:
        """Whether a line that lacks columns begins with the ids and the time of a row."""
        before = {at for at in self._ids if at < len(fields)}
        times = [at for at, pattern in self._values if pattern is _TIME and at < len(fields)]
        return (
            bool(before and times)
            and all(_ID.fullmatch(fields[at]) for at in before)
            and all(_WHOLE_TIME.fullmatch(fields[at]) for at in times)
        )

    @cached_property
    def _ids(self) -> list[int]:
        """The positions of the ids."""
        return [at for column, at in self._known if column.name.endswith("_id")]


def _plain(line: bytes) -> bytes:
    """A header line without quotes, whitespace and byte order mark, in lower case."""
    return b"".join(line.replace(BYTE_ORDER_MARK, b"").lower().replace(b'"', b"").split())
