"""Which order rows may be repeats of one another: those whose order_id has the same hash as another row's.

Hashes find candidates only; two different ids may share one, so identity is always decided on the ids themselves.
Hashes wait in a file, eight bytes a row, and are sorted in one array once all of them are there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

_CHUNK = 4_000_000
_BYTES = np.dtype(np.uint64).itemsize

Hashes = npt.NDArray[np.uint64]


class Repeats:
    """Takes the hashes of all rows, in order, and then tells which rows share theirs."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("wb")
        self._shared: Hashes = np.empty(0, np.uint64)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, hashes: Hashes) -> None:
        """The hashes of the next rows."""
        self._file.write(np.ascontiguousarray(hashes).data)

    def settle(self) -> int:
        """Call once after the last row: finds the hashes that rows share, and says how many."""
        self._file.close()
        hashes = np.fromfile(self._path, np.uint64)
        hashes.sort()
        self._shared = _repeated(hashes).copy()
        return self._shared.size

    def rows(self, start: int, count: int) -> npt.NDArray[np.int64]:
        """Which of ``count`` rows, from the ``start``-th that was added, share their hash; counted from ``start``."""
        found = [np.empty(0, np.int64)]
        for at in range(start, start + count, _CHUNK):
            hashes = np.fromfile(self._path, np.uint64, min(_CHUNK, start + count - at), offset=at * _BYTES)
            found.append(np.flatnonzero(self._is_shared(hashes)) + (at - start))
        return np.concatenate(found)

    def _is_shared(self, hashes: Hashes) -> npt.NDArray[np.bool_]:
        if not self._shared.size:
            return np.zeros(hashes.size, np.bool_)
        nearest = np.minimum(np.searchsorted(self._shared, hashes), self._shared.size - 1)
        return np.equal(self._shared[nearest], hashes)


def _repeated(ordered: Hashes) -> Hashes:
    """The values that are there more than once, each once, moved to the front of the sorted array itself."""
    found = 0
    previous: np.uint64 | None = None
    for at in range(0, ordered.size - 1, _CHUNK):
        piece = ordered[at : at + _CHUNK + 1]
        again = np.unique(piece[1:][piece[1:] == piece[:-1]])
        if previous is not None and again.size and again[0] == previous:
            again = again[1:]
        ordered[found : found + again.size] = again
        found += again.size
        previous = again[-1] if again.size else previous
    return ordered[:found]
