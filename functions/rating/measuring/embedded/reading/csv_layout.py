"""What a CSV header says of the lines below it: how many columns, which may hold several lines, what is no row."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from functions.rating.extracts.datasets import Column, Dataset, Kind

_TIME = re.compile(rb'[\s"]*(?:\d{4}[-/]\d{1,2}[-/]\d{1,2}|\d{9,11}(?:\.0*)?[\s"]*$)')
_NUMBER = re.compile(rb'[\s"]*-?\d+(?:\.\d*)?[\s"]*')
_NOTHING = b'," \t\r'


@dataclass(frozen=True)
class Layout:
    """The columns of a CSV object. ``positions``: where each known column stands in ``header``."""

    dataset: Dataset
    header: tuple[str, ...]
    positions: Mapping[str, int]

    @property
    def width(self) -> int:
        return len(self.header)

    @cached_property
    def single_line(self) -> Mapping[int, str]:
        """The columns in which a newline is never meant, by position: ids, times, amounts, levels and tags."""
        return {at: column.name for column, at in self._known if not column.multiline}

    def no_row(self, line: bytes) -> str | None:
        """What a line is that is no row: ``empty_rows`` (Excel's ``,,,,``), ``repeated_headers`` (of joined files)."""
        if not line.strip(_NOTHING):
            return "empty_rows" if b"," in line else None
        if abs(len(line) - len(self._header_line)) > 2 * self.width + 4:  # quotes around each name, a byte order mark
            return None
        return "repeated_headers" if _plain(line) == self._header_line else None

    def swallowed(self, record: bytes) -> int | None:
        """Which line of a record, from 0, is a row of its own that an open quote made part of this record.

        Such a line has every column, and something required that the record takes for quoted text.
        """
        inside = False
        for index, line in enumerate(record.split(b"\n")):
            fields = line.split(b",")
            if len(fields) == self.width and self._is_plausible(fields) and self._is_quoted(fields, inside=inside):
                return index
            inside ^= line.count(b'"') % 2 == 1
        return None

    @cached_property
    def _known(self) -> list[tuple[Column, int]]:
        return [
            (column, self.positions[column.name]) for column in self.dataset.columns if column.name in self.positions
        ]

    @cached_property
    def _required(self) -> list[tuple[Column, int]]:
        return [(column, at) for column, at in self._known if column.required]

    @cached_property
    def _header_line(self) -> bytes:
        return _plain(",".join(self.header).encode())

    def _is_plausible(self, fields: list[bytes]) -> bool:
        """Whether at least one time or number of a row could be read."""
        return any(
            (_TIME if column.kind in (Kind.TIME, Kind.END) else _NUMBER).match(fields[at])
            for column, at in self._required
            if column.kind is not Kind.TEXT
        )

    def _is_quoted(self, fields: list[bytes], *, inside: bool) -> bool:
        """Whether some required field begins within quotes. ``inside``: the line does."""
        quotes = [0]
        for field in fields:
            quotes.append(quotes[-1] + field.count(b'"'))
        return any((quotes[at] + inside) % 2 for _, at in self._required)


def _plain(line: bytes) -> bytes:
    """A header line without quotes, whitespace, letter case and byte order mark."""
    return b"".join(line.removeprefix(b"\xef\xbb\xbf").lower().replace(b'"', b"").split())
