"""Text whose records are beyond doubt: proved for a whole block at once, at the price of looking at each character."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from functions.rating.measuring.embedded.reading.csv_block import LONGEST_RECORD, Block, is_utf8

_NEWLINE, _RETURN, _COMMA, _QUOTE = b'\n\r,"'


def regular(text: bytes, columns: int, first_row: int) -> Block | None:
    """The text as a block when each of its records is beyond doubt; None when they need a closer look."""
    if not is_utf8(text):
        return None
    if b'"' not in text:
        text = text.replace(b"\r\n", b"\n") if b"\r" in text else text
        characters = np.frombuffer(text, np.uint8)
        newlines, commas = characters == _NEWLINE, characters == _COMMA
        doubtful = b"\r" in text
    else:
        characters = np.frombuffer(text, np.uint8)
        outside = _outside_quotes(characters)
        if b"\r" in text:
            before_newline = np.append(characters[1:] == _NEWLINE, False)
            kept = ~((characters == _RETURN) & before_newline & outside)
            characters, outside = characters[kept], outside[kept]
            text = characters.tobytes()
        newlines, commas = (characters == _NEWLINE) & outside, (characters == _COMMA) & outside
        doubtful = bool(((characters == _RETURN) & outside).any()) or not _quotes_are_regular(characters)
    ends = np.flatnonzero(newlines)
    if doubtful or not _each_has(columns - 1, commas, ends):
        return None
    if ends.size and int(np.diff(ends, prepend=-1).max()) > LONGEST_RECORD:
        return None
    return Block(text, range(first_row, first_row + ends.size), ends)


def _each_has(count: int, commas: npt.NDArray[np.bool_], ends: npt.NDArray[np.int64]) -> bool:
    """Whether each record, up to its end, has so many commas."""
    places = np.flatnonzero(commas)
    if places.size != count * ends.size:
        return False
    of_each = places.reshape(ends.size, count)
    return bool((of_each[1:, :1] > ends[:-1, np.newaxis]).all() and (of_each[:, -1:] < ends[:, np.newaxis]).all())


def _outside_quotes(characters: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Which characters stand after an even number of quotes."""
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
    after = characters[closing + 1]  # there always is one: the text ends with a newline
    opens = (before == _COMMA) | (before == _NEWLINE) | (before == _QUOTE)
    closes = (after == _COMMA) | (after == _NEWLINE) | (after == _QUOTE)
    return bool(opens.all() and closes.all())
