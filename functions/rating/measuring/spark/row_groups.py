"""Splits a Parquet object that is too large for one task: writes some of its row groups as a file of their own.

In that file every byte has the same position as in the object, with holes in place of the other row groups, and the
footer lists only the row groups that are there. A footer is a Thrift struct. These of its fields are used:

    footer            3 number of rows, 4 row groups
    row group         1 columns, 3 number of rows
    column            1 the file that has it, if it is another one, 3 metadata
    metadata          7 size in bytes, 9 start of the data pages, 11 start of the dictionary, if there is one
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import IO, NamedTuple

from functions.rating.measuring.embedded.reading.batches import batches
from functions.rating.measuring.embedded.reading.parquet_end import END_BYTES, MAGIC, ended, footer_start
from functions.rating.measuring.embedded.reading.thrift import Reader, signed, struct, structs

Content = Callable[[int, int], IO[bytes]]
"""Returns an object's bytes from one position up to another."""

_ROWS, _GROUPS = 3, 4
_COLUMNS, _GROUP_ROWS = 1, 3
_OTHER_FILE, _FACTS = 1, 3
_SIZE, _DATA, _DICTIONARY = 7, 9, 11


@dataclass(frozen=True, slots=True)
class RowGroups:
    """Neighbouring row groups of an object.

    ``first`` and ``last``: their numbers, from 0. ``start`` and ``end``: the range of their bytes, half-open.
    ``rows_before``: rows of the object before them.
    """

    first: int
    last: int
    start: int
    end: int
    rows_before: int


class _Group(NamedTuple):
    number: int
    start: int
    end: int
    rows_before: int


def split(content: Content, size: int, most: int) -> list[RowGroups]:
    """An object's row groups, combined up to ``most`` bytes; a larger one alone.

    Empty for an object that can only be read whole: one that is not Parquet, or whose footer is damaged. Reading it
    whole reports the error.
    """
    try:
        with content(0, len(MAGIC)) as head:
            if head.read() != MAGIC:
                return []
        groups = list(_groups(*_footer(content, size)))
    except (ValueError, LookupError, RecursionError):
        return []
    runs = [
        RowGroups(some[0].number, some[-1].number, some[0].start, some[-1].end, some[0].rows_before)
        for some in batches(groups, lambda group: group.end - group.start, most)
    ]
    return runs if len(runs) > 1 else []


def write(content: Content, size: int, groups: RowGroups, path: Path) -> None:
    """Write some row groups of an object of ``size`` bytes as a file of their own."""
    at, footer = _footer(content, size)
    fields = Reader(footer).struct()
    listed = next(Reader(field.value).elements() for field in fields if field.number == _GROUPS)
    kept = listed[groups.first : groups.last + 1]
    changed = {_ROWS: signed(sum(map(_rows, kept))), _GROUPS: structs(kept)}
    narrowed = struct(field._replace(value=changed.get(field.number, field.value)) for field in fields)
    with path.open("wb") as file, content(groups.start, groups.end) as some:
        file.write(MAGIC)
        file.seek(groups.start)
        shutil.copyfileobj(some, file)
        file.seek(at)
        file.write(ended(narrowed))


def _footer(content: Content, size: int) -> tuple[int, bytes]:
    """The position of an object's footer, and the footer. Raises ValueError."""
    with content(max(0, size - END_BYTES), size) as end:
        at = footer_start(end.read(), size)
    with content(at, size - END_BYTES) as footer:
        return at, footer.read()


def _groups(at: int, footer: bytes) -> Iterator[_Group]:
    """The row groups; each ends where the next one begins. Raises ValueError if they overlap or are not in order."""
    fields = _values(footer)
    listed = Reader(fields[_GROUPS]).elements()
    extents = [_extent(group) for group in listed]
    rows = [_rows(group) for group in listed]
    starts = [*(start for start, _ in extents), at]
    if starts[0] < len(MAGIC) or any(end > after for (_, end), after in zip(extents, starts[1:], strict=True)):
        raise ValueError("the row groups do not lie one after the other")
    if _number(fields[_ROWS]) != sum(rows):
        raise ValueError("the row groups have not as many rows as the object")
    before = accumulate(rows, initial=0)
    for number, ((start, end), rows_before) in enumerate(zip(pairwise(starts), before, strict=False)):
        yield _Group(number, start, end, rows_before)


def _extent(group: bytes) -> tuple[int, int]:
    """The range of a row group's bytes. Raises ValueError if they are in another file."""
    starts, ends = [], []
    for column in Reader(_values(group)[_COLUMNS]).elements():
        found = _values(column)
        if _OTHER_FILE in found:
            raise ValueError("a column is in another file")
        facts = _values(found[_FACTS])
        offsets = [_number(facts[field]) for field in (_DATA, _DICTIONARY) if field in facts]
        start = min(offset for offset in offsets if offset)  # some writers write 0 without a dictionary
        starts.append(start)
        ends.append(start + _number(facts[_SIZE]))
    return min(starts), max(ends)


def _rows(group: bytes) -> int:
    return _number(_values(group)[_GROUP_ROWS])


def _values(value: bytes) -> Mapping[int, bytes]:
    return {field.number: field.value for field in Reader(value).struct()}


def _number(value: bytes) -> int:
    return Reader(value).signed()
