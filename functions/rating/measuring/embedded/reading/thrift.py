"""Thrift's compact protocol, used by Parquet footers: reads structs and writes them again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

_BOOLEANS, _BYTE, _DOUBLE, _BINARY, _LISTS, _MAP, _STRUCT = (1, 2), 3, 7, 8, (9, 10), 11, 12
_SHORT = 15  # a shorter list has its length in its first byte


class Field(NamedTuple):
    """One field of a struct. ``value``: its bytes; empty for a boolean, whose kind is its value."""

    number: int
    kind: int
    value: bytes


def struct(fields: Iterable[Field]) -> bytes:
    """The bytes of a struct: fields in ascending order, each with the distance from the one before."""
    written, last = b"", 0
    for number, kind, value in fields:
        written += bytes([(number - last) << 4 | kind]) + value
        last = number
    return written + b"\0"


def structs(elements: Sequence[bytes]) -> bytes:
    """The bytes of a list of structs."""
    count = len(elements)
    header = bytes([count << 4 | _STRUCT]) if count < _SHORT else bytes([_SHORT << 4 | _STRUCT]) + _varint(count)
    return header + b"".join(elements)


def signed(number: int) -> bytes:
    """The bytes of a whole number, 0 or more."""
    return _varint(number << 1)


class Reader:
    """Reads values one after the other. Raises IndexError at the end of the data."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def fields(self) -> Iterator[tuple[int, int]]:
        """The number and kind of each field of a struct. The caller has to read or skip its value."""
        number = 0
        while header := self._byte():
            number = number + (header >> 4) if header >> 4 else self.signed()
            yield number, header & 15

    def struct(self) -> list[Field]:
        """The fields of a struct, each with its value."""
        return [Field(number, kind, self.skip(kind)) for number, kind in self.fields()]

    def elements(self) -> list[bytes]:
        """The values of a list."""
        count, kind = self._list_header()
        return [self.skip(kind, in_list=True) for _ in range(count)]

    def _list_header(self) -> tuple[int, int]:
        """The number and kind of the elements."""
        header = self._byte()
        return (header >> 4 if header >> 4 < _SHORT else self._number()), header & 15

    def text(self) -> str:
        length = self._number()
        return self._bytes(length).decode(errors="replace")

    def signed(self) -> int:
        number = self._number()
        return (number >> 1) ^ -(number & 1)

    def skip(self, kind: int, *, in_list: bool = False) -> bytes:
        """Skip a value and return its bytes."""
        start = self.at
        if kind in _BOOLEANS:
            self._bytes(int(in_list))
        elif kind in (_BYTE, _DOUBLE):
            self._bytes(1 if kind == _BYTE else 8)
        elif kind == _BINARY:
            self._bytes(self._number())
        elif kind in _LISTS:
            count, of = self._list_header()
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


def _varint(number: int) -> bytes:
    written = bytearray()
    while number > 127:
        written.append(number & 127 | 128)
        number >>= 7
    return bytes([*written, number])
