"""The reader of files alone: it splits one object into valid and bad rows, in a process without the engine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

TASK = """
import sys
from pathlib import Path
from zoneinfo import ZoneInfo
from functions.rating.extracts.datasets import Dataset, LocalFile
from functions.rating.measuring.embedded.reading.one_object import read_object
from shared.months import Month

bad_rows = []
path, folder = map(Path, sys.argv[1:])
read = read_object(LocalFile(Dataset.ORDERS, "orders/o", path), Month(2026, 10), ZoneInfo("Asia/Shanghai"), folder,
                   lambda bad, _: bad_rows.extend(bad))
print(read.rows, dict(read.bad), [(row.row, row.reason) for row in bad_rows])
loaded = {name for name in sys.modules if name.startswith("functions.rating.measuring.embedded.")}
assert not loaded & {f"functions.rating.measuring.embedded.{name}" for name in ("measure", "relations", "duplicates")}
assert not {"boto3", "botocore"} & set(sys.modules)
"""


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_an_object_is_read_in_a_process_of_its_own(tmp_path: Path, form: str) -> None:
    path = tmp_path / "object"
    folder = tmp_path / "valid"
    folder.mkdir()
    rows = "SELECT 'o' || i AS order_id, 'c1' AS creator_id, '2026-10-05 08:00:00' AS pay_time, i - 3 AS pay_amount"
    options = "FORMAT parquet" if form == "parquet" else "FORMAT csv, HEADER"
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({rows} FROM range(1, 6) AS numbers(i)) TO '{path}' ({options})")

    done = subprocess.run(
        [sys.executable, "-c", TASK, str(path), str(folder)], check=True, capture_output=True, text=True, timeout=120
    )

    bad = [(1, "negative_pay_amount"), (2, "negative_pay_amount")]
    assert done.stdout == f"5 {{'negative_pay_amount': 2}} {bad}\n"
    with duckdb.connect() as connection:
        found = connection.execute(f"SELECT * FROM '{folder}/*.parquet' ORDER BY order_id").fetchall()
    eight = 1_791_158_400_000_000  # 2026-10-05 08:00 in Shanghai
    assert found == [(f"o{n}", "c1", eight, n - 3, None) for n in (3, 4, 5)]
    assert [path.suffix for path in folder.iterdir()] == [".parquet"]
