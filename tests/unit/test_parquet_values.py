"""Values in Parquet files: instants mean what the footer says, and one bad value makes one bad row."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from functions.rating.extracts.datasets import Dataset, LocalFile
from functions.rating.measuring.embedded.measure import measure
from functions.rating.measuring.embedded.reading import parquet_plain
from functions.rating.measuring.embedded.reading.parquet_footers import Node
from functions.rating.measuring.embedded.reading.parquet_shapes import shape_of
from functions.rating.measuring.totals import MonthTotals
from shared.months import Month
from tests.worlds import SHANGHAI

OCTOBER = Month(2026, 10)
LEAST, GREATEST = (-(2**63)).to_bytes(8, "little", signed=True), (10**18).to_bytes(8, "little")


def write(path: Path, rows: str = "5", **columns: str) -> None:
    """Writes orders; ``columns``: SQL with the row number i. Values are stored uncompressed, for tests to change."""
    usual = {
        "order_id": "'o' || i",
        "creator_id": "'c1'",
        "pay_time": "TIMESTAMP '2026-10-05 12:00:00' + to_seconds(i)",
        "pay_amount": "1",
        "risk_tag": "CASE WHEN i = 1 THEN 'seen' END",
    }
    picked = ", ".join(f"{sql} AS {name}" for name, sql in (usual | columns).items())
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        options = "FORMAT parquet, COMPRESSION uncompressed, DICTIONARY_SIZE_LIMIT 0"
        connection.execute(f"COPY (SELECT {picked} FROM range(1, {rows} + 1) AS numbers(i)) TO '{path}' ({options})")


def change(path: Path, old: bytes, new: bytes) -> None:
    content = path.read_bytes()
    assert content.count(old) >= 1
    path.write_bytes(content.replace(old, new))


def measured(folder: Path, orders: Path, *, stays: bool = True, int96_is_utc: bool = True) -> MonthTotals:
    (folder / "a").write_text("agency_id,name,joined_at\nA1,x,2024-05-06\n")
    (folder / "c").write_text("creator_id,agency_id,bind_time,power_level\nc1,A1,2026-01-01,6\n")
    files = [
        LocalFile(Dataset.AGENCIES, "agencies/a", folder / "a"),
        LocalFile(Dataset.CREATORS, "creators/c", folder / "c"),
        LocalFile(Dataset.ORDERS, "orders/o", orders, stays=stays),
    ]
    return measure(files, OCTOBER, SHANGHAI, Decimal(1), folder, int96_is_utc=int96_is_utc)


def bad(totals: MonthTotals) -> dict[str, int]:
    return dict(totals.rows_read[Dataset.ORDERS].bad)


def orders_counted(totals: MonthTotals) -> int:
    return sum(total.orders for total in totals.orders)


@pytest.mark.parametrize("stays", [True, False])
@pytest.mark.parametrize("column", ["order_id", "creator_id", "risk_tag"])
def test_invalid_utf8_makes_one_bad_row(tmp_path: Path, column: str, *, stays: bool) -> None:
    path = tmp_path / "o"
    write(path, **{column: "CASE WHEN i = 3 THEN 'QZQZ' ELSE 'o' || i END"})
    change(path, b"QZQZ", "刷单".encode("gbk"))

    totals = measured(tmp_path, path, stays=stays)

    assert bad(totals) == {f"unreadable_{column}": 1}
    assert orders_counted(totals) == 4


def test_gbk_bytes_that_are_also_valid_utf8_are_a_flag(tmp_path: Path) -> None:
    """They cannot be told from UTF-8 text. Guessing could change other text; and any text is a flag."""
    path = tmp_path / "o"
    write(path, risk_tag="CASE WHEN i = 3 THEN 'QZ' END")
    change(path, b"QZ", "刷".encode("gbk"))

    totals = measured(tmp_path, path, stays=True)

    assert bad(totals) == {}
    assert {total.risk_tag for total in totals.orders if total.risk_tag} == {"ˢ"}


@pytest.mark.parametrize("stored", [LEAST, GREATEST])
@pytest.mark.parametrize("unit", ["TIMESTAMP_MS", "TIMESTAMP", "TIMESTAMPTZ"])
def test_a_timestamp_out_of_range_makes_one_bad_row(tmp_path: Path, unit: str, stored: bytes) -> None:
    path = tmp_path / "o"
    marker = "2030-01-01 00:00:00"
    write(path, pay_time=f"CAST(CASE WHEN i = 3 THEN '{marker}' ELSE '2026-10-05 12:00:00' END AS {unit})")
    seconds = 1_893_456_000
    change(path, (seconds * (1000 if unit == "TIMESTAMP_MS" else 1_000_000)).to_bytes(8, "little"), stored)

    totals = measured(tmp_path, path)

    assert bad(totals) == {"unreadable_pay_time": 1}
    assert orders_counted(totals) == 4


def test_a_timestamp_without_a_logical_type_is_utc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, bare = tmp_path / "o", tmp_path / "bare"
    write(path, pay_time="TIMESTAMP '2026-10-31 20:00:00'")  # in Shanghai it is November
    monkeypatch.setattr(parquet_plain, "_MEANINGS", (10,))
    parquet_plain.copy_with_plain(path, bare, {"pay_time"})

    assert [total.in_month for total in measured(tmp_path, path).orders] == [True, True]
    assert [total.in_month for total in measured(tmp_path, bare).orders] == [False, False]


@pytest.mark.parametrize(("is_utc", "read_as"), [(True, "UTC_TIMESTAMP"), (False, "TIMESTAMP")])
def test_int96_is_utc_unless_the_setting_says_otherwise(tmp_path: Path, read_as: str, *, is_utc: bool) -> None:
    file = LocalFile(Dataset.ORDERS, "o", tmp_path)
    stored = {"order_id": "BYTE_ARRAY", "creator_id": "BYTE_ARRAY", "pay_time": "INT96", "pay_amount": "INT64"}
    nodes = [Node(name, None, kind, None, None) for name, kind in stored.items()]

    shape = shape_of(file, nodes, ["VARCHAR", "VARCHAR", "TIMESTAMP", "BIGINT"], int96_is_utc=is_utc)

    assert shape.physical["pay_time"] == read_as


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("order_id", "7123456789012345678::DOUBLE", "unreadable_order_id"),
        ("order_id", "16777216::FLOAT", "unreadable_order_id"),
        ("order_id", "'inf'::DOUBLE", "unreadable_order_id"),
        ("order_id", "1e19::DECIMAL(38, 0)", "unreadable_order_id"),
        ("order_id", "'nan'::DOUBLE", "missing_order_id"),
        ("creator_id", "'-inf'::FLOAT", "unreadable_creator_id"),
        ("pay_amount", "9007199254740992::DOUBLE", "unreadable_pay_amount"),
        ("pay_amount", "16777216::FLOAT", "unreadable_pay_amount"),
        ("pay_amount", "'nan'::DOUBLE", "missing_pay_amount"),
        ("pay_time", "1790000000::FLOAT", "unreadable_pay_time"),
        ("pay_time", "20261005", "unreadable_pay_time"),
        ("pay_time", "46300.5::DOUBLE", "unreadable_pay_time"),
        ("pay_time", "0", "missing_pay_time"),
        ("risk_tag", "9007199254740993::DOUBLE", "unreadable_risk_tag"),
        ("order_id", "'o' || chr(10) || '1'", "newline_in_order_id"),
        ("creator_id", "'c' || chr(10) || '1'", "newline_in_creator_id"),
        ("risk_tag", "'a' || chr(10) || 'b'", "newline_in_risk_tag"),
    ],
)
def test_a_value_that_may_not_be_what_was_meant_is_bad(tmp_path: Path, column: str, value: str, reason: str) -> None:
    write(tmp_path / "o", rows="1", **{column: value})

    assert bad(measured(tmp_path, tmp_path / "o")) == {reason: 1}


def test_times_in_doubles_are_exact_seconds_or_bad(tmp_path: Path) -> None:
    values = {1: "'nan'", 2: "'inf'", 3: "'-inf'", 4: "9007199254740992", 5: "46300", 6: "1791000000.5"}
    cases = " ".join(f"WHEN i = {i} THEN {value}::DOUBLE" for i, value in values.items())
    write(tmp_path / "o", rows="8", pay_time=f"CASE {cases} ELSE 1791000000::DOUBLE END", risk_tag="NULL")

    totals = measured(tmp_path, tmp_path / "o")

    assert bad(totals) == {"missing_pay_time": 1, "unreadable_pay_time": 5}
    assert [(total.in_month, total.orders) for total in totals.orders] == [(True, 2)]


@pytest.mark.parametrize("value", ["9007199254740991::DOUBLE", "16777215::FLOAT", "7::DECIMAL(38, 2)", "2::UBIGINT"])
def test_exact_numbers_are_ids(tmp_path: Path, value: str) -> None:
    write(tmp_path / "o", rows="1", order_id=value)

    assert bad(measured(tmp_path, tmp_path / "o")) == {}


@pytest.mark.parametrize(
    ("written", "in_month"),
    [
        ("2026/10/05 12:00:00", True),
        ("2026/10/5 9:03", True),
        ("2026-10-5 9:03", True),
        ("2026-10-5", True),
        ("2026-10-31 23:59:59 +0800", True),
        ("2026-10-31 23:59:59 +08:00", True),
        ("2026-10-31 23:59:59 Asia/Shanghai", True),
        ("2026-10-31 15:59:59.999 UTC", True),
        ("2026-10-31 16:00:00 UTC", False),
        ("2026-10-31 23:59:59 UTC+8", True),
        ("2026-11-01T00:00:00+08:00[Asia/Shanghai]", False),
        ("1793462399.0", True),
        ("2026-10-05 12:00:00 America/New_York", None),
        ("20261005", None),
        ("20261005120000", None),
        ("46300", None),
        ("46300.5", None),
        ("2026年10月5日", None),
        ("5/10/2026", None),
    ],
)
def test_written_times_are_read_or_bad(tmp_path: Path, written: str, *, in_month: bool | None) -> None:
    write(tmp_path / "o", rows="1", pay_time=f"'{written}'", risk_tag="NULL")

    totals = measured(tmp_path, tmp_path / "o")

    if in_month is None:
        assert bad(totals) == {"unreadable_pay_time": 1}
    else:
        assert [total.in_month for total in totals.orders] == [in_month]


@pytest.mark.parametrize("end", ["0000-00-00 00:00:00", "0000-00-00", "NULL", "None", "0.0", "0", "NaT", "nan"])
def test_words_for_no_end_are_read_as_no_end(tmp_path: Path, end: str) -> None:
    write(tmp_path / "o")
    path = tmp_path / "creators"
    path.write_text(f"creator_id,agency_id,bind_time,unbind_time,power_level\nc2,A1,2026-01-01,{end},6.0\n")
    (tmp_path / "agencies").write_text("agency_id,name,joined_at\nA1,x,2024-05-06\n")
    files = [
        LocalFile(Dataset.AGENCIES, "a", tmp_path / "agencies"),
        LocalFile(Dataset.CREATORS, "c", path),
        LocalFile(Dataset.ORDERS, "o", tmp_path / "o"),
    ]

    totals = measure(files, OCTOBER, SHANGHAI, Decimal(0), tmp_path)

    assert [(total.agency_id, total.creators) for total in totals.creators] == [("A1", 1)]
