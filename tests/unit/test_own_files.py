"""What ``make serve EXTRACTS=…`` refuses before it starts anything: the same as a run that reads from S3."""

from __future__ import annotations

import gzip
from pathlib import Path

import duckdb
import pytest

from local.own_files import wrong_files
from tests.months import month_rows, write_month

MONTH = "2026-05"


@pytest.fixture
def extracts(tmp_path: Path) -> Path:
    """A month of one agency, complete and valid."""
    write_month(tmp_path, MONTH, month_rows(MONTH, {"a": (1, 100)}))
    return tmp_path


def put(extracts: Path, name: str, content: bytes) -> Path:
    """Write one more file into a month's folder. ``name``: the dataset, and the name in its folder."""
    dataset, _, name = name.partition("/")
    path = extracts / dataset / f"month={MONTH}" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_a_valid_month_has_no_faults(extracts: Path) -> None:
    assert list(wrong_files(extracts)) == []


@pytest.mark.parametrize("name", ["part-0.csv.md5", ".part-0.csv.crc", "_temporary/0/part.csv", "manifest"])
def test_files_that_are_no_data_are_passed_over(extracts: Path, name: str) -> None:
    put(extracts, f"orders/{name}", b"\0\0")
    assert list(wrong_files(extracts)) == []


def test_a_column_may_be_in_the_name_of_a_folder(extracts: Path) -> None:
    put(extracts, "creators/agency_id=a/part.csv", b"creator_id,bind_time,power_level\n")
    assert list(wrong_files(extracts)) == []


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("creators/part.csv", b"creator_id,bind_time\n", "columns agency_id, power_level are missing"),
        ("creators/part.csv.gz", gzip.compress(b"creator_id,agency_id,bind_time\n"), "column power_level is missing"),
        ("orders/part.csv", b"PK\x03\x04", "found a zip archive, or an Excel workbook"),
        ("orders/part.csv", b"", "the object has zero bytes"),
        ("orders/old/part.csv", b"order_id\n", "lies in the folder old/"),
        ("orders/part.parquet", b"PAR1, cut off", "it can't be read"),
    ],
)
def test_a_file_that_a_run_would_refuse_is_named(extracts: Path, name: str, content: bytes, fault: str) -> None:
    path = put(extracts, name, content)
    (found,) = wrong_files(extracts)
    assert found.startswith(f"{path}: ")
    assert fault in found


def test_a_parquet_file_without_a_column_is_named(extracts: Path) -> None:
    path = put(extracts, "orders/part.parquet", b"")
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT 'o' AS order_id, 'c' AS creator_id, 1 AS pay_time) TO '{path}'")
    (found,) = wrong_files(extracts)
    assert "column pay_amount is missing; found 'order_id', 'creator_id', 'pay_time'" in found
