"""A chunk: consecutive records of a CSV object in a form that every parser reads equally."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from functions.rating.measuring.quarantine import BadRow

LONGEST_RECORD = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive valid records in a form that every parser reads equally: RFC 4180, with a newline after each.

    ``rows``: the row number of each in the object, from 1. ``ends``: the offset of each record's closing newline in
    ``text``. ``bad``: lines that can't be split into the header's columns. ``skipped``: lines that are not rows, by
    kind. ``numbered``: how many row numbers all of these take.
    """

    text: bytes
    rows: Sequence[int]
    ends: npt.NDArray[np.int64]
    bad: tuple[BadRow, ...] = ()
    skipped: Counter[str] = field(default_factory=Counter)
    numbered: int = 0

    def record(self, index: int) -> bytes:
        """The text of one record."""
        start = int(self.ends[index - 1]) + 1 if index else 0
        return self.text[start : int(self.ends[index])]


def is_utf8(text: bytes) -> bool:
    if text.isascii():
        return True
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
