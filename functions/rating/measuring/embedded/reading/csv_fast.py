"""Splits a chunk at once, if every record in it is certain. It proves that by arithmetic over all characters."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from functions.rating.measuring.embedded.reading.csv_chunk import LONGEST_RECORD, Chunk, is_utf8
from functions.rating.measuring.embedded.reading.csv_layout import Layout

_NEWLINE, _RETURN, _COMMA, _QUOTE = b'\n\r,"'

Positions = npt.NDArray[np.int64]


class _Found(NamedTuple):
    """The offsets at which records end, fields end, and lines end within a quoted field."""

    ends: Positions
    commas: Positions
    inner_newlines: Positions


def regular(text: bytes, layout: Layout, first_row: int) -> Chunk | None:
    """The text as a chunk, if each of its records is certain; None if they have to be split one by one."""
    if not is_utf8(text):
        return None
    text = text.replace(b"\r\n", b"\n") if b"\r" in text and b'"' not in text else text
    characters = np.frombuffer(text, np.uint8)
    if b'"' in text:
        outside = _outside_quotes(characters)
        if b"\r" in text:
            before_newline = np.append(characters[1:] == _NEWLINE, False)
            kept = ~((characters == _RETURN) & before_newline & outside)
            characters, outside = characters[kept], outside[kept]
            text = characters.tobytes()
        if (b"\r" in text and ((characters == _RETURN) & outside).any()) or not _quotes_are_regular(characters):
            return None
        newlines = characters == _NEWLINE
        commas = (characters == _COMMA) & outside
        found = _Found(*map(np.flatnonzero, (newlines & outside, commas, newlines & ~outside)))
    else:
        if b"\r" in text:
            return None
        found = _Found(
            np.flatnonzero(characters == _NEWLINE), np.flatnonzero(characters == _COMMA), np.empty(0, np.int64)
        )
    if not _each_has(layout.width - 1, found.commas, found.ends):
        return None
    if found.ends.size and int(np.diff(found.ends, prepend=-1).max()) > LONGEST_RECORD:
        return None
    if found.inner_newlines.size and not _newlines_are_meant(text, layout, found):
        return None
    count = found.ends.size
    return Chunk(text, range(first_row, first_row + count), found.ends, numbered=count)


def _each_has(count: int, commas: Positions, ends: Positions) -> bool:
    """Whether each record, up to its end, has ``count`` commas."""
    if commas.size != count * ends.size:
        return False
    of_each = commas.reshape(ends.size, count)
    return bool((of_each[1:, :1] > ends[:-1, np.newaxis]).all() and (of_each[:, -1:] < ends[:, np.newaxis]).all())


def _newlines_are_meant(text: bytes, layout: Layout, found: _Found) -> bool:
    """Whether newlines are only in fields that may have several lines, and hide no rows."""
    records = np.searchsorted(found.ends, found.inner_newlines)
    columns = np.searchsorted(found.commas, found.inner_newlines) - records * (layout.width - 1)
    if np.isin(columns, list(layout.single_line)).any():
        return False
    starts = np.append(0, found.ends + 1)
    return all(layout.swallowed(text[starts[r] : found.ends[r]]) is None for r in np.unique(records).tolist())


def _outside_quotes(characters: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """For each character, whether an even number of quotes is before it."""
    quotes = (characters == _QUOTE).view(np.uint8)
    before: npt.NDArray[np.uint8] = np.add.accumulate(quotes, dtype=np.uint8)
    return np.asarray(before % 2 == 0)


def _quotes_are_regular(characters: npt.NDArray[np.uint8]) -> bool:
    """Whether each quote opens a field, closes one, or is one of a doubled pair within one."""
    quotes = np.flatnonzero(characters == _QUOTE)
    if quotes.size % 2:
        return False
    opening, closing = quotes[0::2], quotes[1::2]
    before = np.where(opening > 0, characters[opening - 1], _NEWLINE)
    after = characters[closing + 1]  # exists always: the text ends with a newline
    opens = (before == _COMMA) | (before == _NEWLINE) | (before == _QUOTE)
    closes = (after == _COMMA) | (after == _NEWLINE) | (after == _QUOTE)
    return bool(opens.all() and closes.all())
