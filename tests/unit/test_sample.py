"""The sample extracts: always the same, large enough, and with every case that occurs in real extracts."""

from __future__ import annotations

import csv
import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from local.sample import DATASETS, MONTHS, sample_folder, write_sample
from local.sample.agencies import ZONE, agencies

NOTATIONS = {
    "offset": r".*T.*\+08:00",
    "other offset": r".*T.*\+09:00",
    "Z": r".*T.*Z",
    "T without offset": r"\d{4}-\d\d-\d\dT[\d:.]+",
    "space without offset": r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d",
    "epoch seconds": r"\d+",
}


def small_sample(folder: Path) -> dict[str, bytes]:
    write_sample(folder, agency_count=30, orders=3000)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def whole() -> Path:
    return sample_folder()


def month_folders(sample: Path) -> Iterator[Path]:
    for dataset in DATASETS:
        for month in MONTHS:
            yield sample / dataset / f"month={month}"


def texts(folder: Path) -> Iterator[dict[str, str]]:
    """The rows of a month's generated CSV files (without those written by hand), with lower-case column names."""
    for path in sorted(folder.glob("*.csv*")):
        if "odd" not in path.name:
            content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            reader = csv.reader(content.decode().splitlines())
            columns = [column.lower() for column in next(reader)]
            yield from (dict(zip(columns, row, strict=True)) for row in reader)


def ids(folder: Path, column: str) -> set[str]:
    """Every value of a column in a month's files."""
    query = f"SELECT DISTINCT {column} FROM read_parquet('{folder}/*.parquet', union_by_name = true)"
    with duckdb.connect() as connection:
        parquet = connection.execute(query).fetchall()
    return {row[0] for row in parquet} | {row[column] for row in texts(folder)}


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    assert small_sample(tmp_path / "one") == small_sample(tmp_path / "two")


def test_each_month_of_each_dataset_is_ready_and_mixes_the_formats(whole: Path) -> None:
    for folder in month_folders(whole):
        names = {path.name for path in folder.iterdir()}
        assert "_SUCCESS" in names
        assert {"".join(Path(name).suffixes) for name in names} >= {".parquet", ".csv", ".csv.gz"}


def test_a_month_has_at_least_the_documented_number_of_rows(whole: Path) -> None:
    for month in MONTHS:
        for dataset, column, least in (
            ("agencies", "agency_id", 300),
            ("creators", "creator_id", 20_000),
            ("orders", "order_id", 400_000),
        ):
            assert len(ids(whole / dataset / f"month={month}", column)) >= least


@pytest.mark.parametrize(("dataset", "column"), [("creators", "bind_time"), ("orders", "pay_time")])
def test_every_time_notation_occurs(whole: Path, dataset: str, column: str) -> None:
    seen = {row[column] for row in texts(whole / dataset / "month=2026-10")}
    for notation, pattern in NOTATIONS.items():
        assert any(re.fullmatch(pattern, text) for text in seen), notation


def test_parquet_has_times_with_and_without_zone_and_as_numbers(whole: Path) -> None:
    found = set()
    with duckdb.connect() as connection:
        for path in (whole / "orders" / "month=2026-09").glob("*.parquet"):
            columns = connection.execute(f"DESCRIBE SELECT * FROM '{path}'").fetchall()
            found |= {kind for name, kind, *_ in columns if name.lower() == "pay_time"}
    assert found == {"TIMESTAMP WITH TIME ZONE", "TIMESTAMP", "BIGINT"}


def test_every_power_level_tag_and_form_of_an_open_end_occurs(whole: Path) -> None:
    rows = list(texts(whole / "creators" / "month=2026-10"))
    assert {row["power_level"] for row in rows} == set("01234567")
    assert {row["risk_tag"] for row in rows} == {"", "\\N", "云剪辑", "虚假交易", "null", "0"}
    assert {row["unbind_time"] for row in rows} >= {"", "0", "\\N"}
    assert "X-9001" in {row["agency_id"] for row in rows}
    tags = {row.get("risk_tag", "") for row in texts(whole / "orders" / "month=2026-10")}
    assert tags == {"", "\\N", "刷单", "虚假订单", "云剪辑", "虚假交易", "null", "0"}


def test_agencies_join_in_the_first_and_last_microsecond_of_each_month() -> None:
    joined = {agency.joined_at for agency in agencies(10, MONTHS)}
    for month in MONTHS:
        assert month.start(ZONE) in joined
        assert max(instant for instant in joined if instant < month.end(ZONE)).microsecond == 999_999


def test_an_agency_that_joins_just_after_a_month_is_in_its_extract() -> None:
    late = [agency for agency in agencies(10, MONTHS) if agency.joined_at >= MONTHS[-1].end(ZONE)]
    assert [agency.listed(MONTHS[-1]) for agency in late] == [True, True, False, False]


def test_one_agency_leaves_after_the_first_month() -> None:
    gone = [agency for agency in agencies(10, MONTHS) if agency.left]
    assert [[agency.listed(month) for month in MONTHS] for agency in gone] == [[True, False, False]]
