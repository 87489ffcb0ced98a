"""Two minutes of `make soak` with a random seed, which is printed."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.soak.soak import soak


def test_after_two_minutes_of_kills_faults_and_decisions_everything_agrees(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = random.SystemRandom().randrange(10**6)
    with capsys.disabled():
        print(f"\nsoak: seed {seed}")
        done = soak(tmp_path, 2, seed, lambda line: print(f"soak: {line}"))
        print("soak:", ", ".join(f"{number} {name}" for name, number in sorted(done.items())))
    assert done["steps"] > 5
    assert done["months published"] > 0
    assert done["quiet refreshes"] > 0
    assert done["valid runs verified at the end"] == done["months published"]
