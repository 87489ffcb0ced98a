"""The quarantine: every row that could not be used, with its object, its row number, the reason, and its text."""

from __future__ import annotations

import csv
import gzip
import io
import shutil
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Self

QUARANTINE = "quarantine.csv.gz"
MOST_OF_STOPPED = 10_000  # rows that are kept of a run that stops
HEADER = ("object", "row", "reason", "text")


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that can't be used. ``row`` counts the rows of the object from 1, the header not among them."""

    row: int
    reason: str
    text: str


class Quarantine:
    """Writes bad rows to a ``.csv.gz``, by object and row number, in whatever order they are found.

    Each object is a gzip member of its own, and so is the header: members that different machines have written can be
    put together by appending them. There is no file where there are no bad rows.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows = 0
        self._open = ExitStack()
        self._found: IO[bytes] | None = None
        self._ends: dict[str, list[tuple[int, int, int]]] = {}  # of each object: row number, first byte, last byte

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._open:
            if self._found is not None:
                self._write(self._found)

    def add(self, key: str, bad: Iterable[BadRow]) -> None:
        """Put some of an object's bad rows away."""
        for row in bad:
            if self._found is None:
                self._found = self._open.enter_context(TemporaryFile(dir=self.path.parent))  # noqa: SIM115 - the stack closes it
            start = self._found.tell()
            self._found.write(_line((key, row.row, row.reason, row.text)))
            self._ends.setdefault(key, []).append((row.row, start, self._found.tell()))
            self.rows += 1

    def _write(self, found: IO[bytes]) -> None:
        with self.path.open("wb") as into:
            into.write(header_member())
            for _, spans in sorted(self._ends.items()):
                with gzip.GzipFile(fileobj=into, mode="wb", filename="", mtime=0) as packed:
                    for _, start, end in sorted(spans):
                        found.seek(start)
                        packed.write(found.read(end - start))


def header_member() -> bytes:
    """The gzip member that a quarantine begins with."""
    return gzip.compress(_line(HEADER), mtime=0)


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
    """The first rows of a quarantine, as a ``.csv.gz``; empty where there is no quarantine."""
    if not path.exists():
        return b""
    packed = io.BytesIO()
    with (
        gzip.open(path, "rt", encoding="utf-8", newline="") as every,
        gzip.GzipFile(fileobj=packed, mode="wb", filename="", mtime=0) as raw,
        io.TextIOWrapper(raw, encoding="utf-8", newline="") as text,
    ):
        csv.writer(text).writerows(islice(csv.reader(every), most + 1))
    return packed.getvalue()
