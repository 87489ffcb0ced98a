"""The quarantine: every row that could not be used, with its object, its row number, the reason, and its text."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Self

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
    """Writes bad rows to a ``.csv.gz``; the same rows give the same bytes. There is no file where there are none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows = 0
        self._open = ExitStack()
        self._text: io.TextIOWrapper | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def add(self, key: str, bad: Iterable[BadRow]) -> None:
        """Put an object's bad rows away."""
        for row in bad:
            if self._text is None:
                self._text = self._begin()
            csv.writer(self._text).writerow((key, row.row, row.reason, row.text))
            self.rows += 1

    def _begin(self) -> io.TextIOWrapper:
        raw = self._open.enter_context(self.path.open("wb"))
        packed = self._open.enter_context(gzip.GzipFile(fileobj=raw, mode="wb", filename="", mtime=0))
        text = self._open.enter_context(io.TextIOWrapper(packed, encoding="utf-8", newline=""))
        csv.writer(text).writerow(HEADER)
        return text


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
