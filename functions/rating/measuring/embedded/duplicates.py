"""Finds order rows that may repeat another row: those whose order_id has the same hash as another row's.

Hashes only find candidates. Different ids may have the same hash, so the ids themselves always decide. The first eight
bits of a hash choose one of 256 partitions, which are sorted one after the other, without a second copy of all rows.
Eight bytes per row contain the row's number and as many of the other bits as fit: forty to fifty bits of each hash are
compared, which few rows share by chance.
"""

from __future__ import annotations

from mmap import mmap

import numpy as np
import numpy.typing as npt

from shared.errors import OutOfRoom

_CHUNK = 1 << 18  # rows that are divided into partitions together; they fit into a processor's cache
_PARTITION_BITS = 8
_FEWEST_ROW_BITS, _MOST_ROW_BITS = 22, 32

Keys = npt.NDArray[np.uint64]
OrderNumbers = npt.NDArray[np.uint32]


class Repeats:
    """Collects the hashes of all rows in order, then returns the rows that share a hash."""

    def __init__(self) -> None:
        self._count = 0
        self._row_bits = _FEWEST_ROW_BITS
        self._waiting: list[Keys] = []
        self._divided: list[Keys] = []
        self._partitions: list[list[Keys]] = [[] for _ in range(1 << _PARTITION_BITS)]  # for each partition: its chunks

    def add(self, hashes: Keys) -> None:
        """Add the hashes of the next rows. Raises OutOfRoom after about four billion rows."""
        for start in range(0, hashes.size, _CHUNK):
            self._waiting.append(hashes[start : start + _CHUNK])
            if sum(chunk.size for chunk in self._waiting) >= _CHUNK:
                self._divide()

    def rows(self, at_once: int) -> list[OrderNumbers]:
        """The numbers (from 0, ascending) of the rows that share a hash. Call it once, after the last row.

        Yields batches of about ``at_once`` rows, so that each batch fits into bounded memory. All rows with the same
        hash are in the same batch.
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
        """The expected number of rows that share a hash although no order is repeated."""
        return self._count**2 / 2.0 ** (_PARTITION_BITS + 64 - self._row_bits)

    def _divide(self) -> None:
        """Divide the waiting hashes into the partitions."""
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
        """Use more bits for row numbers if there are more rows. The stored hashes lose these bits."""
        while rows > 1 << self._row_bits:
            if self._row_bits == _MOST_ROW_BITS:
                raise OutOfRoom(
                    f"more than {1 << _MOST_ROW_BITS:,} orders in one month; expected fewer. Check whether objects are "
                    "there twice; if not, have Spark measure the month (docs/spark.md)."
                )
            narrower = _ones(self._row_bits)
            self._row_bits += 1
            for keys in self._divided:
                np.bitwise_and(keys, ~_ones(self._row_bits) | narrower, out=keys)


def _ones(bits: int) -> np.uint64:
    return np.uint64((1 << bits) - 1)


def _lasting(count: int) -> Keys:
    """Memory that can be given back to the system. In the heap, short-lived arrays around it would prevent that."""
    return np.frombuffer(mmap(-1, count * 8), np.uint64)


def _joined(chunks: list[Keys]) -> Keys:
    return np.concatenate([np.empty(0, np.uint64), *chunks])
