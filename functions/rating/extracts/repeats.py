"""Which order rows may be repeats of one another: those whose order_id shares its hash with another row's.

Hashes find candidates only: different ids may share one, so identity is always decided on the ids themselves. The
hashes wait in a file, eight bytes a row; forty bits of each are then sorted in memory, in 256 portions, which takes
four bytes a row and half the time of sorting all of them at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

_CHUNK = 1 << 20
_BYTES = np.dtype(np.uint64).itemsize
_PORTIONS = 256
_PORTION = np.uint64(56)  # the first eight bits choose the portion
_PREFIX = np.uint64(24)  # the first forty are what is compared
_SLOT = np.uint64(16)  # the first twenty-four of the prefix are a place in a table that rules nearly all rows out

Hashes = npt.NDArray[np.uint64]


class Repeats:
    """Takes the hashes of all rows, in order, and then tells which rows share theirs."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("wb")
        self._sizes = np.zeros(_PORTIONS, np.int64)
        self._shared: Hashes = np.empty(0, np.uint64)
        self._maybe = np.zeros(1 << 24, np.bool_)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, hashes: Hashes) -> None:
        """The hashes of the next rows."""
        self._file.write(np.ascontiguousarray(hashes).data)
        for at in range(0, hashes.size, _CHUNK):
            self._sizes += np.bincount(_portion(hashes[at : at + _CHUNK]), minlength=_PORTIONS)

    def settle(self) -> int:
        """Call once after the last row: finds the hashes that rows share, and says how many."""
        self._file.close()
        portions = self._in_portions()
        found: list[Hashes] = []
        for number, portion in enumerate(portions):
            portion.sort()
            again = np.unique(portion[1:][portion[1:] == portion[:-1]])
            found.append(again.astype(np.uint64) | np.uint64(number << 32))
        self._shared = np.concatenate(found)
        self._maybe[(self._shared >> _SLOT).astype(np.int64)] = True
        return self._shared.size

    def rows(self, start: int, count: int) -> npt.NDArray[np.int64]:
        """Which of ``count`` rows, from the ``start``-th that was added, share their hash; counted from ``start``."""
        found = [np.empty(0, np.int64)]
        for at, hashes in self._hashes(start, count):
            prefixes = hashes >> _PREFIX
            maybe = np.flatnonzero(self._maybe[(prefixes >> _SLOT).astype(np.int64)])
            nearest = np.searchsorted(self._shared, prefixes[maybe]).clip(max=self._shared.size - 1)
            found.append(maybe[self._shared[nearest] == prefixes[maybe]] + (at - start))
        return np.concatenate(found)

    def _in_portions(self) -> list[npt.NDArray[np.uint32]]:
        """The prefixes of all hashes by portion, each without its portion's bits."""
        ends = np.cumsum(self._sizes)
        free = ends - self._sizes
        low = np.empty(int(ends[-1]), np.uint32)
        for _, hashes in self._hashes(0, low.size):
            portion = _portion(hashes)
            ordered = (hashes >> _PREFIX).astype(np.uint32)[np.argsort(portion, kind="stable")]
            sizes = np.bincount(portion, minlength=_PORTIONS)
            for number, piece in enumerate(np.split(ordered, np.cumsum(sizes)[:-1])):
                low[free[number] : free[number] + piece.size] = piece
            free += sizes
        return np.split(low, ends[:-1])

    def _hashes(self, start: int, count: int) -> Iterator[tuple[int, Hashes]]:
        for at in range(start, start + count, _CHUNK):
            yield at, np.fromfile(self._path, np.uint64, min(_CHUNK, start + count - at), offset=at * _BYTES)


def _portion(hashes: Hashes) -> npt.NDArray[np.uint8]:
    return (hashes >> _PORTION).astype(np.uint8)
