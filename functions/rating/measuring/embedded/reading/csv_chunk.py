"""A chunk: consecutive records of a CSV object in a form that every parser reads equally."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
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

    def records(self, indexes: Sequence[int]) -> Iterator[bytes]:
        """The text of some records."""
        ends = self.ends[np.asarray(indexes)]
        starts = np.append(-1, self.ends)[np.asarray(indexes)] + 1
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            yield self.text[start:end]


def is_utf8(text: bytes) -> bool:
    if text.isascii():
        return True
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
