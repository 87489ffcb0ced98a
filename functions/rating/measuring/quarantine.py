"""The quarantine: every row that could not be used, with its object, row number, reason and text."""

from __future__ import annotations

import csv
import gzip
import io
import os
import shutil
import struct
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from heapq import heappop, heappush, heapreplace
from itertools import groupby, islice
from operator import lt
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, NamedTuple, Self, cast

QUARANTINE = "quarantine.csv.gz"
MOST_OF_STOPPED = 10_000  # rows in the report of a run that stops
HEADER = ("object", "row", "reason", "text")

_BATCH = struct.Struct("<qq")  # before some lines in the working file: how many they are, and how many bytes
_AT_ONCE = 4 * 1024 * 1024  # characters of text
_LINES = 2_000
_LEVEL = 6  # compression level; 9 takes three times as long and saves only a twentieth


class BadRow(NamedTuple):
    """A row that can't be used. ``row``: its number in the object from 1, without the header."""

    row: int
    reason: str
    text: str


@dataclass(slots=True)
class _Run:
    """Consecutive bad rows of one object in the working file, in ascending order."""

    first: int
    last: int
    start: int
    end: int


class Quarantine:
    """Writes bad rows to a ``.csv.gz``, sorted by object and row number, in whatever order they are added.

    The header and each object are separate gzip members, so members from different machines can be appended. There is
    no file without bad rows. Bad rows wait on disk; they are mostly added in order, so that little memory is needed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows = 0
        self._open = ExitStack()
        self._found: IO[bytes] | None = None
        self._end = 0  # of the working file
        self._runs: dict[str, list[_Run]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._open:
            if self._found is not None:
                self._write(self._found)

    def add(self, key: str, bad: Iterable[BadRow]) -> None:
        """Add some bad rows of an object."""
        rows = iter(bad)
        while some := list(islice(rows, _LINES)):
            self._put(self._runs.setdefault(key, []), key, some)

    def _put(self, runs: list[_Run], key: str, rows: Sequence[BadRow]) -> None:
        """Write rows into the working file. Each row extends the last run, or begins a new one."""
        if len(rows) > 1 and sum(len(row.text) for row in rows) > _AT_ONCE:
            half = len(rows) // 2
            self._put(runs, key, rows[:half])
            self._put(runs, key, rows[half:])
            return
        numbers = [row.row for row in rows]
        lines = _Lines()
        csv.writer(lines).writerows([(key, row.row, row.reason, row.text) for row in rows])
        if all(map(lt, numbers, numbers[1:])):
            self._put_ascending(runs, numbers, lines)
        else:
            for number, line in zip(numbers, lines, strict=True):
                self._put_ascending(runs, [number], [line])

    def _put_ascending(self, runs: list[_Run], numbers: Sequence[int], lines: Sequence[str]) -> None:
        if self._found is None:
            self._found = self._open.enter_context(TemporaryFile(dir=self.path.parent))  # noqa: SIM115 - the stack closes it
        text = "".join(lines).encode()
        lengths = map(len, lines if text.isascii() else map(str.encode, lines))
        batch = (_BATCH.pack(len(lines), len(text)), array("q", numbers).tobytes(), array("q", lengths).tobytes(), text)
        run = runs[-1] if runs and runs[-1].end == self._end and runs[-1].last < numbers[0] else None
        if run is None:
            run = _Run(numbers[0], numbers[0], self._end, self._end)
            runs.append(run)
        self._end += sum(map(len, batch))
        run.last, run.end = numbers[-1], self._end
        self._found.writelines(batch)
        self.rows += len(lines)

    def _write(self, found: IO[bytes]) -> None:
        found.flush()
        with self.path.open("wb") as into:
            into.write(header_member())
            for _, runs in sorted(self._runs.items()):
                with _member(into) as packed:
                    packed.writelines(self._in_order(runs))

    def _in_order(self, runs: Iterable[_Run]) -> Iterator[bytes]:
        """The lines of an object, by row number. Runs that overlap are merged."""
        waiting = deque(sorted(runs, key=lambda run: run.first))
        opened: list[tuple[int, bytes, int, Iterator[tuple[int, bytes]]]] = []
        while waiting or opened:
            if waiting and not opened and (len(waiting) == 1 or waiting[0].last < waiting[1].first):
                yield from (text for *_, text in self._batches(waiting.popleft()))
                continue
            if waiting and (not opened or waiting[0].first < opened[0][0]):
                records = self._records(run := waiting.popleft())
                heappush(opened, (*next(records), run.start, records))
                continue
            _, line, start, records = opened[0]
            yield line
            if (following := next(records, None)) is None:
                heappop(opened)
            else:
                heapreplace(opened, (*following, start, records))

    def _records(self, run: _Run) -> Iterator[tuple[int, bytes]]:
        """Row number and line of each row of a run."""
        for numbers, lengths, text in self._batches(run):
            at = 0
            for number, length in zip(numbers, lengths, strict=True):
                yield number, text[at : at + length]
                at += length

    def _batches(self, run: _Run) -> Iterator[tuple[array[int], array[int], bytes]]:
        """The rows of a run as they were put away: their numbers, the length of each line, the lines."""
        found, at = cast(IO[bytes], self._found).fileno(), run.start
        while at < run.end:
            count, size = _BATCH.unpack(os.pread(found, _BATCH.size, at))
            numbers, lengths = array("q"), array("q")
            body = os.pread(found, count * (numbers.itemsize + lengths.itemsize) + size, at + _BATCH.size)
            rows = count * numbers.itemsize
            numbers.frombytes(body[:rows])
            lengths.frombytes(body[rows : 2 * rows])
            yield numbers, lengths, body[2 * rows :]
            at += _BATCH.size + len(body)


class _Lines(list[str]):
    """The target of a CSV writer, which writes each row at once."""

    write = list.append


def _member(into: IO[bytes]) -> gzip.GzipFile:
    """A gzip member to write into: the same content gives the same bytes, whenever it is written."""
    return gzip.GzipFile(fileobj=into, mode="wb", compresslevel=_LEVEL, filename="", mtime=0)


def header_member() -> bytes:
    """The gzip member with the quarantine's header."""
    return gzip.compress(_line(HEADER), mtime=0)


def put_together(path: Path, members: Sequence[tuple[str, Callable[[], IO[bytes]]]]) -> Path | None:
    """One quarantine from several. ``members``: each object's key, and a function that opens its gzip member.

    Several members of one object come in the order of its rows. The bytes are those of a quarantine written at once.
    None without members.
    """
    if not members:
        return None
    with path.open("wb") as into:
        into.write(header_member())
        for _, same in groupby(sorted(members, key=lambda member: member[0]), lambda member: member[0]):
            _one_member([opened for _, opened in same], into)
    return path


def _one_member(members: Sequence[Callable[[], IO[bytes]]], into: IO[bytes]) -> None:
    if len(members) == 1:
        with members[0]() as member:
            shutil.copyfileobj(member, into)
        return
    with _member(into) as packed:
        for opened in members:
            with opened() as member, gzip.GzipFile(fileobj=member) as lines:
                shutil.copyfileobj(lines, packed)


def without_header(quarantine: Path, into: Path) -> None:
    """The members of a quarantine after its header."""
    with quarantine.open("rb") as every, into.open("wb") as members:
        every.seek(len(header_member()))
        shutil.copyfileobj(every, members)


def _line(cells: Sequence[object]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue().encode()


def first_rows(path: Path, most: int = MOST_OF_STOPPED) -> bytes:
    """The first rows of a quarantine, as a ``.csv.gz``; empty without a quarantine."""
    if not path.exists():
        return b""
    packed = io.BytesIO()
    with (
        gzip.open(path, "rt", encoding="utf-8", newline="") as every,
        _member(packed) as raw,
        io.TextIOWrapper(raw, encoding="utf-8", newline="") as text,
    ):
        csv.writer(text).writerows(islice(csv.reader(every), most + 1))
    return packed.getvalue()
