"""The quarantine: bad rows are sorted by object and row number, in whatever order they were found."""

from __future__ import annotations

import csv
import gzip
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.rating.measuring import quarantine as module
from functions.rating.measuring.quarantine import HEADER, QUARANTINE, BadRow, Quarantine

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
FOUND = st.dictionaries(st.tuples(st.sampled_from("ab云"), st.integers(1, 60)), TEXTS, min_size=1, max_size=40)


def kept(path: Path) -> list[list[str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as text:
        return list(csv.reader(text))


def put(folder: Path, batches: list[list[tuple[str, BadRow]]]) -> Path:
    path = folder / QUARANTINE
    with Quarantine(path) as quarantine:
        for batch in batches:
            for key in dict.fromkeys(key for key, _ in batch):
                quarantine.add(key, [row for object_key, row in batch if object_key == key])
    return path


@given(found=FOUND, order=st.randoms(use_true_random=False), size=st.integers(1, 7), at_once=st.integers(1, 64))
def test_rows_are_sorted_by_object_and_number_in_whatever_order_they_were_found(
    tmp_path_factory: pytest.TempPathFactory, found: dict[tuple[str, int], str], order: object, size: int, at_once: int
) -> None:
    rows = [(key, BadRow(number, "missing_order_id", text)) for (key, number), text in found.items()]
    order.shuffle(rows)  # type: ignore[attr-defined]
    batches = [rows[start : start + size] for start in range(0, len(rows), size)]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "_AT_ONCE", at_once)
        path = put(tmp_path_factory.mktemp("found"), batches)

    expected = [[key, str(number), "missing_order_id", found[key, number]] for key, number in sorted(found)]
    assert kept(path) == [list(HEADER), *expected]
    assert (
        path.read_bytes() == put(tmp_path_factory.mktemp("sorted"), [sorted(rows, key=object_and_number)]).read_bytes()
    )


def object_and_number(found: tuple[str, BadRow]) -> tuple[str, int]:
    return found[0], found[1].row


def test_no_file_is_written_without_bad_rows(tmp_path: Path) -> None:
    assert not put(tmp_path, []).exists()
    assert list(tmp_path.iterdir()) == []


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    """In the order of a reader: in each batch, rows of a wrong column count before rows with a wrong value."""
    peaks = []
    for count in (10_000, 50_000):
        tracemalloc.start()
        with Quarantine(tmp_path / str(count)) as quarantine:
            for start in range(0, count, 5_000):
                for first in (1, 0):
                    numbers = range(start + first, min(start + 5_000, count), 2)
                    quarantine.add("o.csv", (BadRow(number, "wrong_column_count", "x" * 20) for number in numbers))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert len(kept(tmp_path / str(count))) == count + 1
    assert peaks[1] < peaks[0] + 500_000
