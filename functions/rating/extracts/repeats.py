"""Which order rows may be repeats of one another: those whose order_id shares its hash with another row's.

Hashes find candidates only: different ids may share one, so identity is always decided on the ids themselves. Forty
bits of each hash are compared. The first eight choose one of 256 portions, which are sorted one after the other: that
takes half the time of sorting all rows at once. Eight bytes a row: the other thirty-two bits, and the row's number.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shared.errors import OutOfRoom

_CHUNK = 1 << 20
_PORTIONS = 256
_PORTION = np.uint64(56)
_ROW_BITS = np.uint64(32)
_ROW = np.uint64((1 << 32) - 1)
_BELOW_PORTION = np.uint64(8)

Keys = npt.NDArray[np.uint64]


class Repeats:
    """Takes the hashes of all rows, in order, and then tells which rows share theirs."""

    def __init__(self) -> None:
        self._taken = 0
        self._waiting: list[Keys] = []
        self._portions: list[list[Keys]] = [[] for _ in range(_PORTIONS)]

    def add(self, hashes: Keys) -> None:
        """The hashes of the next rows. Raises OutOfRoom after four thousand million of them."""
        self._waiting.append(np.asarray(hashes))
        if sum(piece.size for piece in self._waiting) >= _CHUNK:
            self._divide()

    def rows(self) -> npt.NDArray[np.int64]:
        """Call once after the last row: the rows that share their hash, ascending, counted from 0."""
        self._divide()
        found = [np.empty(0, np.int64)]
        for portion in self._portions:
            keys = np.concatenate([np.empty(0, np.uint64), *portion])
            portion.clear()
            keys.sort()
            shared = np.zeros(keys.size + 1, np.bool_)
            shared[1:-1] = (keys[1:] ^ keys[:-1]) <= _ROW
            found.append((keys[shared[1:] | shared[:-1]] & _ROW).astype(np.int64))
        rows = np.concatenate(found)
        rows.sort()
        return rows

    def _divide(self) -> None:
        """What waits, into the portions."""
        hashes = np.concatenate([np.empty(0, np.uint64), *self._waiting])
        self._waiting = []
        if self._taken + hashes.size > int(_ROW):
            raise OutOfRoom(f"more than {int(_ROW):,} orders in one month; expected fewer. Rate its parts apart.")
        portion = (hashes >> _PORTION).astype(np.uint8)
        keys = (hashes << _BELOW_PORTION) & ~_ROW
        keys |= np.arange(self._taken, self._taken + hashes.size, dtype=np.uint64)
        keys = keys[np.argsort(portion, kind="stable")]
        ends = np.cumsum(np.bincount(portion, minlength=_PORTIONS))
        for pieces, piece in zip(self._portions, np.split(keys, ends[:-1]), strict=True):
            pieces.append(piece)
        self._taken += hashes.size
