"""A Parquet object whose footer calls some columns plain numbers and bytes, so that one bad value costs one row.

DuckDB refuses a whole object for a text that is not UTF-8, or for a timestamp that it can't hold. The bytes of a column
are the same whatever it means, so in a copy with another footer each value can be tested on its own. A footer is a
Thrift struct in the compact protocol: its field 2 lists the columns, and of a column the fields 6 (ConvertedType) and
10 (LogicalType) say what its numbers or bytes mean.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

_MAGIC = b"PAR1"
_COLUMNS, _NAME, _MEANINGS = 2, 4, (6, 10)
_BOOLEANS, _BYTE, _DOUBLE, _BINARY, _LISTS, _MAP, _STRUCT = (1, 2), 3, 7, 8, (9, 10), 11, 12


class _Field(NamedTuple):
    number: int
    kind: int
    value: bytes


def copy_with_plain(path: Path, to: Path, columns: Collection[str]) -> None:
    """Copy an object; these columns lose what their type means. Raises ValueError when the footer can't be read."""
    shutil.copyfile(path, to)
    with to.open("r+b") as file:
        end = file.seek(-8, 2)
        size = int.from_bytes(file.read(4), "little")
        if file.read() != _MAGIC or size > end - len(_MAGIC):
            raise ValueError("there is no footer at the end")
        file.seek(end - size)
        footer = _without_meanings(file.read(size), columns)
        file.seek(end - size)
        file.write(footer + len(footer).to_bytes(4, "little") + _MAGIC)
        file.truncate()


def _without_meanings(footer: bytes, columns: Collection[str]) -> bytes:
    reader = _Reader(footer)
    try:
        for number, kind in reader.fields():
            if number != _COLUMNS:
                reader.skip(kind)
                continue
            start = reader.at
            count, _ = reader.list_header()
            nodes = footer[start : reader.at] + b"".join(_node(reader, columns) for _ in range(count))
            return footer[:start] + nodes + footer[reader.at :]
    except IndexError as error:
        raise ValueError("the footer is cut short") from error
    raise ValueError("the footer lists no columns")


def _node(reader: _Reader, columns: Collection[str]) -> bytes:
    """One column as it is to be written."""
    fields = [_Field(number, kind, reader.skip(kind)) for number, kind in reader.fields()]
    name = next((_Reader(field.value).text() for field in fields if field.number == _NAME), "")
    return _struct(field for field in fields if name not in columns or field.number not in _MEANINGS)


def _struct(fields: Iterable[_Field]) -> bytes:
    """Fields in ascending order, each with its distance from the one before."""
    written, last = b"", 0
    for number, kind, value in fields:
        written += bytes([(number - last) << 4 | kind]) + value
        last = number
    return written + b"\0"


class _Reader:
    """Reads Thrift's compact protocol. Raises IndexError at the end of the data."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def fields(self) -> Iterator[tuple[int, int]]:
        """The number and kind of each field of a struct; its value is to be read or skipped."""
        number = 0
        while header := self._byte():
            number = number + (header >> 4) if header >> 4 else self._signed()
            yield number, header & 15

    def list_header(self) -> tuple[int, int]:
        """How many elements, and of which kind."""
        header = self._byte()
        return (header >> 4 if header >> 4 < 15 else self._number()), header & 15

    def text(self) -> str:
        length = self._number()
        return self._bytes(length).decode(errors="replace")

    def skip(self, kind: int, *, in_list: bool = False) -> bytes:
        """The bytes of a value. A boolean has none as a field: its kind says which it is."""
        start = self.at
        if kind in _BOOLEANS:
            self.at += in_list
        elif kind in (_BYTE, _DOUBLE):
            self._bytes(1 if kind == _BYTE else 8)
        elif kind == _BINARY:
            self._bytes(self._number())
        elif kind in _LISTS:
            count, of = self.list_header()
            for _ in range(count):
                self.skip(of, in_list=True)
        elif kind == _MAP:
            self._skip_map()
        elif kind == _STRUCT:
            for _, inner in self.fields():
                self.skip(inner)
        else:
            self._number()
        return self.data[start : self.at]

    def _skip_map(self) -> None:
        if count := self._number():
            kinds = self._byte()
            for _ in range(count):
                self.skip(kinds >> 4, in_list=True)
                self.skip(kinds & 15, in_list=True)

    def _byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def _bytes(self, count: int) -> bytes:
        self.at += count
        if self.at > len(self.data):
            raise IndexError
        return self.data[self.at - count : self.at]

    def _number(self) -> int:
        number = shift = 0
        while (byte := self._byte()) & 128:
            number |= (byte & 127) << shift
            shift += 7
        return number | byte << shift

    def _signed(self) -> int:
        number = self._number()
        return (number >> 1) ^ -(number & 1)
