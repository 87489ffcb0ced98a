"""Which order rows may repeat another one: those whose order_id shares its hash with another row's.

Hashes find candidates only. Different ids may share one, so identity is always decided on the ids themselves. The first
eight bits of a hash choose one of 256 partitions. They are sorted one after the other, so that no second copy of all
rows is needed. Eight bytes a row hold the row's number and as many of the other bits as there is room for. Between
forty and fifty bits of each hash are compared; few rows share those by chance.
"""

from __future__ import annotations

from mmap import mmap

import numpy as np
import numpy.typing as npt

from shared.errors import OutOfRoom

_CHUNK = 1 << 18  # rows that are divided into partitions together: what fits into a processor's cache
_PARTITION_BITS = 8
_FEWEST_ROW_BITS, _MOST_ROW_BITS = 22, 32

Keys = npt.NDArray[np.uint64]
OrderNumbers = npt.NDArray[np.uint32]


class Repeats:
    """Keeps the hashes of all rows, in order, and then tells which rows share theirs."""

    def __init__(self) -> None:
        self._count = 0
        self._row_bits = _FEWEST_ROW_BITS
        self._waiting: list[Keys] = []
        self._divided: list[Keys] = []
        self._partitions: list[list[Keys]] = [[] for _ in range(1 << _PARTITION_BITS)]  # chunks of what was divided

    def add(self, hashes: Keys) -> None:
        """The hashes of the next rows. Raises OutOfRoom after four thousand million of them."""
        for start in range(0, hashes.size, _CHUNK):
            self._waiting.append(hashes[start : start + _CHUNK])
            if sum(chunk.size for chunk in self._waiting) >= _CHUNK:
                self._divide()

    def rows(self, at_once: int) -> list[OrderNumbers]:
        """Call once after the last row: the rows that share their hash, ascending, counted from 0.

        In batches of ``at_once`` rows or a little more, so that each can be handled in bounded memory. All rows that
        share a hash are in the same batch.
        """
        self._divide()
        self._divided.clear()
        row = _ones(self._row_bits)
        batches: list[OrderNumbers] = []
        found: list[OrderNumbers] = []
        for partition in self._partitions:
            keys = _joined(partition)
            partition.clear()
            keys.sort()
            shared = np.zeros(keys.size + 1, np.bool_)
            shared[1:-1] = (keys[1:] ^ keys[:-1]) <= row
            found.append((keys[shared[1:] | shared[:-1]] & row).astype(np.uint32))
            if sum(chunk.size for chunk in found) >= at_once:
                batches.append(np.sort(np.concatenate(found)))
                found.clear()
        if any(chunk.size for chunk in found):
            batches.append(np.sort(np.concatenate(found)))
        return batches

    def by_chance(self) -> float:
        """How many rows may be expected to share their hash although no order is repeated."""
        return self._count**2 / 2.0 ** (_PARTITION_BITS + 64 - self._row_bits)

    def _divide(self) -> None:
        """What waits, into the partitions."""
        if not self._waiting:
            return
        keys = _joined(self._waiting)
        self._waiting = []
        self._number_up_to(self._count + keys.size)
        partition = (keys >> np.uint64(64 - _PARTITION_BITS)).astype(np.uint8)
        keys <<= np.uint64(_PARTITION_BITS)
        keys &= ~_ones(self._row_bits)
        keys |= np.arange(self._count, self._count + keys.size, dtype=np.uint64)
        keys = np.take(keys, np.argsort(partition, kind="stable"), out=_lasting(keys.size), mode="clip")
        ends = np.cumsum(np.bincount(partition, minlength=len(self._partitions)))
        for chunks, chunk in zip(self._partitions, np.split(keys, ends[:-1]), strict=True):
            chunks.append(chunk)
        self._divided.append(keys)
        self._count += keys.size

    def _number_up_to(self, rows: int) -> None:
        """More bits for the numbers of rows, where so many need them; the hashes already kept lose theirs."""
        while rows > 1 << self._row_bits:
            if self._row_bits == _MOST_ROW_BITS:
                raise OutOfRoom(
                    f"more than {1 << _MOST_ROW_BITS:,} orders in one month; expected fewer. Are objects there twice?"
                )
            narrower = _ones(self._row_bits)
            self._row_bits += 1
            for keys in self._divided:
                np.bitwise_and(keys, ~_ones(self._row_bits) | narrower, out=keys)


def _ones(bits: int) -> np.uint64:
    return np.uint64((1 << bits) - 1)


def _lasting(count: int) -> Keys:
    """Room that is given back when it is no longer needed: in the heap, short-lived arrays around it prevent that."""
    return np.frombuffer(mmap(-1, count * 8), np.uint64)


def _joined(chunks: list[Keys]) -> Keys:
    return np.concatenate([np.empty(0, np.uint64), *chunks])
