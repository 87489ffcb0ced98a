"""The engine's limits: memory is not exceeded, the rest goes to disk, and what does not fit there is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from functions.rating.measuring.embedded import duckdb_engine
from functions.rating.measuring.embedded.duckdb_engine import open_engine
from shared.errors import OutOfRoom

MEGABYTE = 1024**2
LIMIT = 64 * MEGABYTE
_TEXT = "md5(CAST(i AS VARCHAR)) || md5(CAST(-i AS VARCHAR)) AS text"  # compresses badly
LARGE = f"CREATE TABLE large AS SELECT i AS number, {_TEXT} FROM range(2_000_000) t(i)"  # 150 megabytes


def test_a_table_larger_than_memory_is_spilled_to_the_folder(tmp_path: Path) -> None:
    with open_engine(tmp_path, LIMIT) as engine:
        engine.run(LARGE)
        [(in_memory,)] = engine.rows("SELECT CAST(sum(memory_usage_bytes) AS BIGINT) FROM duckdb_memory()")
        on_disk = sum(path.stat().st_size for path in (tmp_path / "spill").iterdir())

        assert in_memory <= LIMIT
        assert on_disk > MEGABYTE
        assert engine.rows("SELECT count(*), CAST(sum(number) AS BIGINT) FROM large") == [
            (2_000_000, 1_999_999_000_000)
        ]


def test_a_table_larger_than_memory_and_disk_is_refused_with_the_settings_to_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duckdb_engine, "SPILL_LIMIT", MEGABYTE)
    with open_engine(tmp_path, LIMIT) as engine, pytest.raises(OutOfRoom, match=r"RatingMemory.*RatingStorage"):
        engine.run(LARGE)
