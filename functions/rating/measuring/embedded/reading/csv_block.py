"""A block: consecutive records of a CSV object, in a shape that every parser reads alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from functions.rating.measuring.quarantine import BadRow

LONGEST_RECORD = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive sound records, in a shape that every parser reads alike: RFC 4180, a newline after each.

    ``rows``: where each stands in the object, from 1. ``ends``: the offset of each one's closing newline in ``text``.
    ``bad``: the records between them that can't be split into the header's columns.
    """

    text: bytes
    rows: Sequence[int]
    ends: npt.NDArray[np.int64]
    bad: tuple[BadRow, ...] = ()

    def record(self, index: int) -> str:
        """The text of one record."""
        start = int(self.ends[index - 1]) + 1 if index else 0
        return self.text[start : int(self.ends[index])].decode()


def is_utf8(text: bytes) -> bool:
    if text.isascii():
        return True
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
