"""Candidates for repeated orders: exactly the rows whose compared bits of the hash are those of another row."""

from __future__ import annotations

from collections import Counter
from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.rating.measuring.embedded import duplicates
from functions.rating.measuring.embedded.duplicates import Repeats
from shared.errors import OutOfRoom

# Few different values, in every partition and at its edges; some differ in one bit only.
HASHES = st.builds(
    lambda high, low: (high << 24) ^ low,
    st.one_of(st.integers(0, 3), st.integers(2**40 - 3, 2**40 - 1), st.integers(0, 255).map(lambda n: n << 32)),
    st.one_of(st.just(0), st.integers(0, 30).map(lambda bit: 1 << bit)),
)


@given(
    batches=st.lists(st.lists(HASHES, max_size=12), max_size=8),
    chunk=st.integers(1, 20),
    partition_bits=st.integers(1, 8),
    row_bits=st.integers(1, 22),
    at_once=st.integers(1, 30),
)
def test_the_candidates_are_the_rows_that_share_the_compared_bits(
    batches: list[list[int]], chunk: int, partition_bits: int, row_bits: int, at_once: int
) -> None:
    hashes = [number for batch in batches for number in batch]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(duplicates, "_CHUNK", chunk)
        patch.setattr(duplicates, "_PARTITION_BITS", partition_bits)
        patch.setattr(duplicates, "_FEWEST_ROW_BITS", row_bits)
        found = Repeats()
        for batch in batches:
            found.add(np.array(batch, np.uint64))
        candidates = [rows.tolist() for rows in found.rows(at_once)]
    ignored = max(0, max(row_bits, (len(hashes) - 1).bit_length()) - partition_bits)
    counts = Counter(number >> ignored for number in hashes)
    assert sorted(chain(*candidates)) == [row for row, number in enumerate(hashes) if counts[number >> ignored] > 1]
    assert all(rows and rows == sorted(rows) for rows in candidates)
    compared = [{hashes[row] >> ignored for row in rows} for rows in candidates]
    assert len(set().union(*compared)) == sum(map(len, compared))  # no value is in two batches
    assert all(len(rows) >= at_once for rows in candidates[:-1])


def test_the_expected_number_of_rows_that_share_a_hash_by_chance_is_about_right(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(duplicates, "_PARTITION_BITS", 1)
    monkeypatch.setattr(duplicates, "_FEWEST_ROW_BITS", 41)
    found = Repeats()
    found.add(np.random.default_rng(1).integers(0, 2**64, 10_000, np.uint64))

    [rows] = found.rows(at_once=100_000)
    assert 0.5 < rows.size / found.by_chance() < 2


def test_more_rows_than_can_be_numbered_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "_FEWEST_ROW_BITS", 1)
    monkeypatch.setattr(duplicates, "_MOST_ROW_BITS", 1)
    found = Repeats()
    found.add(np.array([1, 2, 3], np.uint64))
    with pytest.raises(OutOfRoom, match="more than 2 orders"):
        found.rows(at_once=1)
