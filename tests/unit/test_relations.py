"""A month's totals are written as bytes and read back."""

from __future__ import annotations

import random
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from functions.rating.measuring.assemble import assemble
from functions.rating.measuring.embedded.measure import measure
from functions.rating.measuring.relations import relations_of, totals_of
from tests.worlds import Maker, write


@pytest.mark.parametrize("seed", range(4))
def test_totals_are_read_back_as_they_were_written(seed: int, tmp_path: Path) -> None:
    world = Maker(seed).world()
    totals = measure(write(world, tmp_path, seed).files, world.month, world.zone, Decimal(1), tmp_path)

    read = totals_of(relations_of(totals))

    assert assemble(replace(read, quarantine=totals.quarantine, engine=totals.engine)) == assemble(totals)


def test_the_order_of_rows_does_not_change_the_bytes(tmp_path: Path) -> None:
    world = Maker(7).world()
    totals = measure(write(world, tmp_path, 7).files, world.month, world.zone, Decimal(1), tmp_path)
    chance = random.Random(1)

    shuffled = replace(
        totals,
        orders=chance.sample(list(totals.orders), len(totals.orders)),
        creators=chance.sample(list(totals.creators), len(totals.creators)),
        slots=chance.sample(list(totals.slots), len(totals.slots)),
    )

    assert relations_of(shuffled) == relations_of(totals)


def test_another_schema_is_refused() -> None:
    with pytest.raises(ValueError, match="schema 2, expected 1"):
        totals_of(b'{"schema": 2}')
