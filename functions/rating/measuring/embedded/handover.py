"""What the engine hands over: columns of numbers and of texts, as Arrow lays them out, without a copy."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import nanoarrow
import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[Any]
Characters = npt.NDArray[np.uint8]
_SPACE, _TILDE, _BACKSLASH, _N = b" ~\\N"


@dataclass(frozen=True)
class Texts:
    """Texts in UTF-8, each right after the one before.

    ``bounds``: where each begins in ``characters``, and at last where the last one ends. A null is like an empty text.
    """

    bounds: npt.NDArray[np.int64]
    characters: Characters

    @cached_property
    def lengths(self) -> npt.NDArray[np.int64]:
        """In bytes."""
        return np.diff(self.bounds)

    def may_be_padded(self) -> bool:
        """Whether there may be blanks around some text, or one says that there is none. Empty texts are not looked at.

        Any character beyond ASCII is taken for a blank: whoever is in doubt has to look closer.
        """
        first, last, lengths = self._edges()
        none = (first == _BACKSLASH) & (last == _N) & (lengths == 2)
        return bool((_beyond_plain(first) | _beyond_plain(last) | none).any())

    def _edges(self) -> tuple[Characters, Characters, npt.NDArray[np.int64]]:
        """First and last characters of all texts that are not empty, and the lengths of these."""
        lengths = self.lengths
        if lengths.any() and (lengths == lengths[0]).all():  # a view of them all costs less than picking them
            rows = self.characters[self.bounds[0] : self.bounds[-1]].reshape(-1, lengths[0])
            return rows[:, 0], rows[:, -1], lengths
        filled = lengths > 0
        return self.characters[self.bounds[:-1][filled]], self.characters[self.bounds[1:][filled] - 1], lengths[filled]


class Piece:
    """Some rows of a result. They last as long as this does."""

    def __init__(self, array: nanoarrow.Array) -> None:
        self._columns = {field.name: index for index, field in enumerate(array.schema.fields)}
        self._array = array

    def __len__(self) -> int:
        return len(self._array)

    def numbers(self, name: str) -> Numbers:
        """A column of numbers that are never null."""
        column = self._array.child(self._columns[name])
        return np.asarray(column.buffer(1))[column.offset : column.offset + len(column)]

    def texts(self, name: str) -> Texts:
        """A column of texts, whose bounds the engine gives in eight bytes."""
        column = self._array.child(self._columns[name])
        _, bounds, characters = map(np.asarray, column.buffers)
        return Texts(bounds[column.offset : column.offset + len(column) + 1], characters.view(np.uint8))


class HandoverBroken(Exception):
    """The engine stopped within a result. Arrow carries the text of its error only, not the kind."""


def pieces(result: object) -> Generator[Piece]:
    """A result piece by piece: the next is worked out while one is looked at. To be closed if not read to its end.

    Raises HandoverBroken.
    """
    with nanoarrow.ArrayStream(result) as stream:
        try:
            yield from map(Piece, stream)
        except RuntimeError as error:
            raise HandoverBroken(str(error)) from error


def _beyond_plain(characters: Characters) -> npt.NDArray[np.bool_]:
    """Which are blanks, other control characters, or not ASCII."""
    return characters - np.uint8(_SPACE + 1) >= np.uint8(_TILDE - _SPACE)  # what is less than a blank wraps around
