"""Which order rows may be repeats of one another: those whose order_id shares its hash with another row's.

Hashes find candidates only: different ids may share one, so identity is always decided on the ids themselves. Forty
bits of each hash are compared. The first eight choose one of 256 portions, which are sorted one after the other: that
needs no second copy of all rows. Eight bytes a row: the other thirty-two bits, and the row's number.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shared.errors import OutOfRoom

_CHUNK = 1 << 18  # rows that are divided into portions together: what fits into a processor's cache
_PORTIONS = 256
_PORTION = np.uint64(56)
_BELOW_PORTION = np.uint64(8)
_COMPARED = 40  # bits
_ROW = np.uint64((1 << 32) - 1)

Keys = npt.NDArray[np.uint64]


class Repeats:
    """Takes the hashes of all rows, in order, and then tells which rows share theirs."""

    def __init__(self) -> None:
        self._taken = 0
        self._waiting: list[Keys] = []
        self._portions: list[list[Keys]] = [[] for _ in range(_PORTIONS)]

    def add(self, hashes: Keys) -> None:
        """The hashes of the next rows. Raises OutOfRoom after four thousand million of them."""
        for start in range(0, hashes.size, _CHUNK):
            self._waiting.append(hashes[start : start + _CHUNK])
            if sum(piece.size for piece in self._waiting) >= _CHUNK:
                self._divide()

    def rows(self) -> npt.NDArray[np.int64]:
        """Call once after the last row: the rows that share their hash, ascending, counted from 0."""
        self._divide()
        found = [np.empty(0, np.int64)]
        for portion in self._portions:
            keys = _joined(portion)
            portion.clear()
            keys.sort()
            shared = np.zeros(keys.size + 1, np.bool_)
            shared[1:-1] = (keys[1:] ^ keys[:-1]) <= _ROW
            found.append((keys[shared[1:] | shared[:-1]] & _ROW).astype(np.int64))
        rows = np.concatenate(found)
        rows.sort()
        return rows

    def by_chance(self) -> float:
        """How many rows may be expected to share their hash although no order is repeated."""
        return self._taken**2 / 2.0**_COMPARED

    def _divide(self) -> None:
        """What waits, into the portions."""
        keys = _joined(self._waiting)
        self._waiting = []
        if self._taken + keys.size > int(_ROW):
            raise OutOfRoom(f"more than {int(_ROW):,} orders in one month; expected fewer. Rate its parts apart.")
        portion = (keys >> _PORTION).astype(np.uint8)
        keys <<= _BELOW_PORTION
        keys &= ~_ROW
        keys |= np.arange(self._taken, self._taken + keys.size, dtype=np.uint64)
        keys = keys[np.argsort(portion, kind="stable")]
        sizes = np.bincount(portion, minlength=_PORTIONS)
        ends = np.cumsum(sizes)
        for pieces, start, end in zip(self._portions, ends - sizes, ends, strict=True):
            pieces.append(keys[start:end])
        self._taken += keys.size


def _joined(pieces: list[Keys]) -> Keys:
    return np.concatenate([np.empty(0, np.uint64), *pieces])
