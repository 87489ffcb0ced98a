"""Candidates for repeated orders: every row that shares forty bits of its hash with another row, and no other row."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.rating.extracts import repeats
from functions.rating.extracts.repeats import Repeats
from shared.errors import OutOfRoom

_LOW = 24
# Few different values, in every portion and at its edges, so that many are shared.
HASHES = st.builds(
    lambda high, low: (high << _LOW) + low,
    st.one_of(st.integers(0, 3), st.integers(2**40 - 3, 2**40 - 1), st.integers(0, 255).map(lambda n: n << 32)),
    st.integers(0, 2**_LOW - 1),
)


@given(pieces=st.lists(st.lists(HASHES, max_size=12), max_size=8), chunk=st.integers(1, 20))
def test_rows_that_share_forty_bits_and_no_others(pieces: list[list[int]], chunk: int) -> None:
    found = Repeats()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repeats, "_CHUNK", chunk)
        for piece in pieces:
            found.add(np.array(piece, np.uint64))
    hashes = [number >> _LOW for piece in pieces for number in piece]
    counts = Counter(hashes)
    assert found.rows().tolist() == [row for row, number in enumerate(hashes) if counts[number] > 1]


def test_more_rows_than_have_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Repeats()
    monkeypatch.setattr(repeats, "_ROW", np.uint64(2))
    found.add(np.array([1, 2, 3], np.uint64))
    with pytest.raises(OutOfRoom, match="more than 2 orders"):
        found.rows()
