"""Extract files: which rows are quarantined, which objects stop the run, and which unusual ones are valid."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from time import process_time

import duckdb
import pytest

from functions.rating.extracts.datasets import FORMATS_PAGE, Dataset, LocalFile
from functions.rating.measuring.assemble import assemble
from functions.rating.measuring.embedded import unknown_creators
from functions.rating.measuring.embedded.measure import measure
from functions.rating.measuring.embedded.reading import missing_creators
from functions.rating.measuring.measured import OTHER_TAGS, TAGS_NAMED, MonthMeasured
from functions.rating.measuring.totals import MonthTotals
from shared.errors import AgenciesInvalid, ObjectInvalid, TooManyBadRows
from shared.months import Month
from tests.worlds import SHANGHAI

OCTOBER = Month(2026, 10)
AGENCIES = "agency_id,name,joined_at\nA1,甲,2020-01-01\n"
CREATORS = "creator_id,agency_id,bind_time,unbind_time,power_level,risk_tag\nc1,A1,2026-01-01,,6,\n"
ORDERS = "order_id,creator_id,pay_time,pay_amount,risk_tag\n"
VALID = "o1,c1,2026-10-05,100,\n"


class Files:
    """The month's files in a folder: one valid agency, one creator, and what a test adds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: list[LocalFile] = []
        self.add(Dataset.AGENCIES, "agencies.csv", AGENCIES)
        self.add(Dataset.CREATORS, "creators.csv", CREATORS)

    def add(self, dataset: Dataset, name: str, content: str | bytes) -> None:
        data = content.encode() if isinstance(content, str) else content
        path = self.folder / name
        path.write_bytes(gzip.compress(data, mtime=0) if name.endswith(".gz") and data[:2] != b"\x1f\x8b" else data)
        self.files.append(LocalFile(dataset, f"{dataset}/month=2026-10/{name}", path))

    def replace(self, dataset: Dataset, name: str, content: str | bytes) -> None:
        self.files = [file for file in self.files if file.dataset is not dataset]
        self.add(dataset, name, content)

    def orders(self, content: str | bytes, name: str = "orders.csv") -> None:
        self.add(Dataset.ORDERS, name, content)

    def parquet(self, dataset: Dataset, name: str, query: str, *options: str) -> None:
        path = self.folder / name
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute(f"COPY ({query}) TO '{path}' ({', '.join(('FORMAT parquet', *options))})")
        self.files.append(LocalFile(dataset, f"{dataset}/month=2026-10/{name}", path))

    def measure(self, max_bad_row_share: str = "1") -> MonthMeasured:
        return assemble(measure(self.files, OCTOBER, SHANGHAI, Decimal(max_bad_row_share), self.folder))

    def totals(self) -> MonthTotals:
        return measure(self.files, OCTOBER, SHANGHAI, Decimal(1), self.folder)

    def error(self, kind: type[Exception], max_bad_row_share: str = "1") -> str:
        with pytest.raises(kind) as raised:
            self.measure(max_bad_row_share)
        return str(raised.value)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def gmv(measured: MonthMeasured) -> int:
    return measured.agencies[0].paid_gmv


def quarantined(measured: MonthMeasured) -> list[tuple[str, int, str]]:
    if measured.quarantine is None:
        return []
    with gzip.open(measured.quarantine, "rt", encoding="utf-8", newline="") as text:
        return [(row["object"].rsplit("/", 1)[-1], int(row["row"]), row["reason"]) for row in csv.DictReader(text)]


# --- objects that stop the run ----------------------------------------------------------------------------------------


PACKED = gzip.compress(
    (ORDERS + "".join(f"o{n},c{n * 7919 % 1000},2026-10-05,{n},\n" for n in range(5000))).encode(), mtime=0
)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("zero.csv", b""),
        ("magic-only.csv.gz", b"\x1f\x8b"),
        ("zero.parquet", b""),
        ("truncated.csv.gz", PACKED[: len(PACKED) // 2]),
        ("without-its-end.csv.gz", PACKED[:-1]),
        ("wrong-crc.csv.gz", PACKED[:-8] + bytes(4) + PACKED[-4:]),
        ("wrong-length.csv.gz", PACKED[:-4] + bytes(4)),
        ("flipped.csv.gz", PACKED[: len(PACKED) // 2] + b"\x55\xaa" + PACKED[len(PACKED) // 2 + 2 :]),
        ("with-remains.csv.gz", PACKED + b"remains"),
        ("blank-lines.csv", b"\n\n\n"),
        ("semicolons.csv", ORDERS.replace(",", ";") + VALID.replace(",", ";")),
        ("tabs.csv", ORDERS.replace(",", "\t") + VALID.replace(",", "\t")),
        ("utf-16.csv", (ORDERS + VALID).encode("utf-16")),
        ("no-amount.csv", "order_id,creator_id,pay_time,risk_tag\no1,c1,2026-10-05,\n"),
        ("no-header.csv", VALID),
        ("twice.csv", "order_id,Order_ID,creator_id,pay_time,pay_amount\n1,1,c1,2026-10-05,100\n"),
        ("ends.parquet", b"PAR1" + bytes(100) + b"PAR1"),
        ("old-mac.csv", (ORDERS + VALID).replace("\n", "\r")),
    ],
)  # fmt: skip
def test_an_invalid_object_stops_the_run_and_is_named(files: Files, name: str, content: bytes | str) -> None:
    files.orders(content, name)

    message = files.error(ObjectInvalid)

    assert message.startswith(f"orders/month=2026-10/{name}")
    assert "expected" in message.lower()
    assert message.endswith(FORMATS_PAGE)
    assert message.count(FORMATS_PAGE) == 1


def test_a_gz_that_is_no_gzip_is_read_as_what_it_is(files: Files) -> None:
    path = files.folder / "plain.csv.gz"
    path.write_text(ORDERS + VALID)
    files.files.append(LocalFile(Dataset.ORDERS, "orders/plain.csv.gz", path))

    assert gmv(files.measure("0")) == 100


@pytest.mark.parametrize("cut", [slice(None, -100), slice(100, None), slice(None, 2000)])
def test_a_cut_parquet_object_is_named(files: Files, cut: slice) -> None:
    files.parquet(Dataset.ORDERS, "cut.parquet", typed_orders("5000"))
    path = files.files[-1].path
    path.write_bytes(path.read_bytes()[cut])

    message = files.error(ObjectInvalid)

    assert "cut.parquet" in message
    assert message.endswith(FORMATS_PAGE)


def test_damage_in_a_column_that_is_read_last_is_named(files: Files) -> None:
    """The tags are not needed to find the bad rows, so their pages are read only when the rows are counted."""
    files.parquet(Dataset.ORDERS, "damaged.parquet", typed_orders("50000", tag="md5(i::VARCHAR)"))
    path = files.files[-1].path
    data = bytearray(path.read_bytes())
    start = data.rindex(b"risk_tag") - 40_000
    data[start : start + 5000] = bytes(5000)
    path.write_bytes(data)

    message = files.error(ObjectInvalid)

    assert "damaged.parquet" in message
    assert message.endswith(FORMATS_PAGE)


def test_a_parquet_object_without_a_required_column_is_named(files: Files) -> None:
    files.parquet(Dataset.ORDERS, "narrow.parquet", "SELECT 'o1' AS order_id, 'c1' AS creator_id, 5 AS pay_amount")

    assert "narrow.parquet: column pay_time is missing" in files.error(ObjectInvalid)


def test_all_columns_that_are_missing_are_named_at_once(files: Files) -> None:
    files.orders("id,creator_id,risk_tag\n")

    message = files.error(ObjectInvalid)

    assert "columns order_id, pay_time, pay_amount are missing; found 'id', 'creator_id', 'risk_tag'" in message


def test_a_parquet_column_of_an_impossible_type_is_named(files: Files) -> None:
    files.parquet(Dataset.ORDERS, "odd.parquet", typed_orders("1", amount="[1, 2]"))

    assert "column pay_amount is of type INTEGER[]" in files.error(ObjectInvalid)


def typed_orders(
    count: str,
    *,
    order_id: str = "i::VARCHAR",
    creator: str = "'c1'",
    time: str = "TIMESTAMP '2026-10-05'",
    amount: str = "1",
    tag: str = "NULL",
) -> str:
    return (
        f"SELECT {order_id} AS order_id, {creator} AS creator_id, {time} AS pay_time, {amount} AS pay_amount, "
        f"{tag} AS risk_tag FROM range(1, {count} + 1) AS numbers(i)"
    )


# --- objects that are valid -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("plain.csv", ORDERS + VALID),
        ("packed.csv.gz", ORDERS + VALID),
        ("two-members.csv.gz", gzip.compress(ORDERS.encode(), mtime=0) + gzip.compress(VALID.encode(), mtime=0)),
        ("mark.csv", "\ufeff" + ORDERS + VALID),
        ("crlf.csv", (ORDERS + VALID).replace("\n", "\r\n")),
        ("no-last-newline.csv", (ORDERS + VALID).rstrip("\n")),
        ("blank-lines.csv", "\n" + ORDERS + "\n\n" + VALID + "\r\n\n"),
        ("quoted.csv", '"order_id","creator_id","pay_time","pay_amount"\r\n"o1","c1","2026-10-05","100"\r\n'),
        ("quoted-newline.csv", ORDERS.strip() + ',note\no1,c1,2026-10-05,100,,"a\nb, ""c"""\n'),
        ("extra.csv", "x,PAY_AMOUNT, Creator_Id ,y,pay_time,order_id\n1,100,c1,,2026-10-05,o1\n"),
        ("no-tag.csv", "order_id,creator_id,pay_time,pay_amount\no1,c1,2026-10-05,100\n"),
        ("spaces.csv", ORDERS + " o1 ,\tc1, 2026-10-05 , 100 ,\u3000\n"),
        ("stray-quote.csv", ORDERS + 'o"1,c1,2026-10-05,100,\n'),
        ("text.parquet", ORDERS + VALID),
        ("000000_0", ORDERS + VALID),
        ("PART.CSV", ORDERS + VALID),
        ("packed.snappy", gzip.compress((ORDERS + VALID).encode(), mtime=0)),
    ],
)  # fmt: skip
def test_an_unusual_but_valid_object_is_read(files: Files, name: str, content: bytes | str) -> None:
    files.orders(content, name)

    measured = files.measure("0")

    assert gmv(measured) == 100
    assert measured.quarantine is None


@pytest.mark.parametrize(
    "again",
    [ORDERS, ORDERS.upper(), '\ufeff"Order_ID","creator_id","pay_time","pay_amount","risk_tag"\r\n'],
    ids=["as it was", "in capitals", "with quotes and a mark"],
)
def test_repeated_headers_in_a_joined_file_and_lines_of_commas_are_skipped(files: Files, again: str) -> None:
    files.orders(ORDERS + VALID + again + VALID.replace("o1", "o2") + ",,,,\n" + again + "bad\n")

    read = files.totals().rows_read[Dataset.ORDERS]

    assert read.skipped == {"repeated_headers": 2, "empty_rows": 1}
    assert (read.rows, read.bad) == (3, {"wrong_column_count": 1})
    assert quarantined(files.measure()) == [("orders.csv", 6, "wrong_column_count")]


def test_the_error_says_what_is_wrong_and_how_to_write_the_file(files: Files) -> None:
    gbk = f"o2,c1,2026-10-05,1,{'刷单' * 40}\n".encode("gbk")  # longer than what is shown of it
    files.orders(ORDERS.encode() + gbk + b'o3,c1,2026-10-05,1,"say \\"hi\\""\n' + b'"o\n4",c1,2026-10-05,1,\n')

    message = files.error(TooManyBadRows, "0")

    assert "invalid_utf8: expected text in UTF-8; it looks like GBK: save the file as UTF-8" in message
    assert "orders.csv, row 1: " in message
    assert "in Spark option('escape', '\"') and option('quote', '\"'), in MySQL ESCAPED BY ''" in message
    assert "newline_in_order_id: expected a order_id on one line" not in message
    assert (
        "newline_in_order_id: expected order_id on one line; found orders/month=2026-10/orders.csv, row 3: " in message
    )
    files.replace(Dataset.ORDERS, "orders.csv", "订单,order_id\n".encode("gbk"))
    assert "It looks like GBK: save the file as UTF-8" in files.error(ObjectInvalid)


def test_twenty_thousand_overlapping_bindings_of_one_creator_take_seconds(files: Files) -> None:
    """Quadratic work over them took 261 seconds."""
    rows = "".join(f"c1,A1,{1_767_225_600 + n},{1_793_462_400 + n},6,\n" for n in range(20_000))
    files.replace(Dataset.CREATORS, "creators.csv", CREATORS.partition("\n")[0] + "\n" + rows)
    files.orders(ORDERS + VALID)
    begun = process_time()

    measured = files.measure("0")

    assert process_time() - begun < 15
    assert gmv(measured) == 100
    assert measured.datasets[Dataset.CREATORS].counters["overlapping"] == 19_999


def test_a_header_without_rows_is_zero_rows(files: Files) -> None:
    files.orders(ORDERS)

    assert files.measure("0").order_rows.read == 0


@pytest.mark.parametrize(
    "time",
    [
        "TIMESTAMP '2026-10-31 23:59:59.999999'",
        "TIMESTAMP_NS '2026-10-31 23:59:59.999999999'",
        "TIMESTAMP_MS '2026-10-31 23:59:59.999'",
        "TIMESTAMP_S '2026-10-31 23:59:59'",
        "TIMESTAMPTZ '2026-10-31 15:59:59.999999+00'",
        "'2026-10-31 15:59:59.999999999+00'::TIMESTAMPTZ_NS",
        "DATE '2026-10-31'",
        "1793462399",
        "1793462399.0::DOUBLE",
        "1793462399::DECIMAL(18, 2)",
        "'2026-10-31 23:59:59'",
        "encode('2026-10-31 23:59:59')",
    ],
)
def test_parquet_times_of_any_type_are_read_to_the_microsecond(files: Files, time: str) -> None:
    files.parquet(Dataset.ORDERS, "o.parquet", typed_orders("2", time=time))

    assert files.measure("0").order_rows.used == 2


@pytest.mark.parametrize(
    "time", ["TIMESTAMP '2026-11-01'", "TIMESTAMPTZ '2026-10-31 16:00:00+00'", "DATE '2026-09-30'"]
)
def test_parquet_times_outside_the_month_are_counted_as_such(files: Files, time: str) -> None:
    files.parquet(Dataset.ORDERS, "o.parquet", typed_orders("2", time=time))

    assert files.measure("0").order_rows.out_of_month == 2


@pytest.mark.parametrize("time", ["'infinity'::TIMESTAMP", "'-infinity'::TIMESTAMPTZ", "'infinity'::DATE"])
def test_infinite_parquet_times_are_bad(files: Files, time: str) -> None:
    files.parquet(Dataset.ORDERS, "o.parquet", typed_orders("1", time=time))

    assert quarantined(files.measure()) == [("o.parquet", 1, "unreadable_pay_time")]


@pytest.mark.parametrize(
    "amount",
    [
        *(f"7::{kind}" for kind in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "UBIGINT")),
        *("7::FLOAT", "7::DOUBLE", "7::DECIMAL(5, 0)", "7::DECIMAL(38, 10)"),
        *("'7'", "' 007 '", "'7.0'", "'7.'", "encode('7')"),
    ],
)
def test_parquet_amounts_of_any_type_are_read(files: Files, amount: str) -> None:
    files.parquet(Dataset.ORDERS, "o.parquet", typed_orders("2", amount=amount))

    assert gmv(files.measure("0")) == 14


@pytest.mark.parametrize("amount", ["7.5::DOUBLE", "7.01::DECIMAL(9, 2)", "1e300::DOUBLE", "'7.5'", "1e30::HUGEINT"])
def test_parquet_amounts_that_are_not_whole_fen_are_bad(files: Files, amount: str) -> None:
    files.parquet(Dataset.ORDERS, "o.parquet", typed_orders("1", amount=amount))

    assert quarantined(files.measure()) == [("o.parquet", 1, "unreadable_pay_amount")]


def test_ids_of_numeric_columns_are_their_digits(files: Files) -> None:
    files.orders(ORDERS + "7,c1,2026-10-05,5,\n")
    files.parquet(Dataset.ORDERS, "whole.parquet", typed_orders("1", order_id="7"))
    files.parquet(Dataset.ORDERS, "double.parquet", typed_orders("1", order_id="7.0::DOUBLE"))
    files.parquet(Dataset.ORDERS, "leading-zeros.parquet", typed_orders("1", order_id="'007'"))

    assert files.measure("0").order_rows.duplicate == 2


@pytest.mark.parametrize(
    "around", ["' c1'", "'c1' || chr(10)", "'c1' || chr(12288)", "CASE WHEN i = 1 THEN 'c1' || chr(9) ELSE 'c1' END"]
)
def test_whitespace_around_the_creators_of_parquet_orders_is_ignored(files: Files, around: str) -> None:
    files.parquet(Dataset.ORDERS, "o.parquet", typed_orders("3", creator=around))

    measured = files.measure("0")

    assert measured.order_rows.used == 3


@pytest.mark.parametrize("creator", ["''", "' '", "chr(160)", "'\\N'", "NULL::VARCHAR", "' \\N '"])
def test_parquet_orders_without_a_creator_are_bad(files: Files, creator: str) -> None:
    files.parquet(
        Dataset.ORDERS, "o.parquet", typed_orders("3", creator=f"CASE WHEN i = 2 THEN {creator} ELSE 'c1' END")
    )

    measured = files.measure()

    assert quarantined(measured) == [("o.parquet", 2, "missing_creator_id")]
    assert measured.order_rows.used == 2


def test_a_parquet_tag_of_zero_is_a_flag(files: Files) -> None:
    files.parquet(Dataset.ORDERS, "o.parquet", typed_orders("1", tag="0"))

    assert [removed.risk_tag for removed in files.measure("0").excluded_orders] == ["0"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("' 刷单'", ["刷单"]),
        ("'刷单' || chr(12288)", ["刷单"]),
        ("' '", []),
        ("''", []),
        ("'\\N '", []),
        ("'null'", ["null"]),
    ],
)
def test_whitespace_around_the_tags_of_parquet_orders_is_ignored(files: Files, written: str, meant: list[str]) -> None:
    files.parquet(Dataset.ORDERS, "o.parquet", typed_orders("3", tag=f"CASE WHEN i > 1 THEN {written} END"))
    files.parquet(Dataset.ORDERS, "p.parquet", typed_orders("1", order_id="'p'", tag="'刷单'"))

    measured = files.measure("0")

    expected = Counter({"刷单": 1}) + Counter(meant * 2)
    assert {removed.risk_tag: removed.count for removed in measured.excluded_orders} == expected


def test_tags_beyond_the_most_frequent_ones_are_counted_together(files: Files) -> None:
    flagged = [*("frequent",) * 3, *(f"once {n:03}" for n in range(TAGS_NAMED + 5))]
    files.orders(ORDERS + "".join(f"o{n},c1,2026-10-05,{n},{tag}\n" for n, tag in enumerate(flagged)))
    creators = (f"k{n},A1,2026-01-01,,6,{tag}\n" for n, tag in enumerate(flagged))
    files.replace(Dataset.CREATORS, "creators.csv", CREATORS + "".join(creators))

    (agency,) = files.measure("0").agencies

    for removed in (agency.excluded_orders, agency.excluded_creators):
        counts = {tag.risk_tag: tag.count for tag in removed}
        assert counts.pop("frequent") == 3
        assert counts.pop(OTHER_TAGS) == 6
        assert counts == {f"once {n:03}": 1 for n in range(TAGS_NAMED - 1)}
    others = range(3 + TAGS_NAMED - 1, len(flagged))
    assert {tag.amount for tag in agency.excluded_orders if tag.risk_tag == OTHER_TAGS} == {sum(others)}


@pytest.mark.parametrize("name", ["o.csv", "o.parquet"])
def test_an_order_repeated_with_different_tags_counts_under_a_frequent_one(files: Files, name: str) -> None:
    frequent = [f"z{n:03}" for n in range(TAGS_NAMED)]
    rows = [(f"{tag}-{n}", tag) for tag in frequent for n in range(2)] + [("o", "a rare one"), ("o", frequent[-1])]
    if name.endswith("csv"):
        files.orders(ORDERS + "".join(f"{order_id},c1,2026-10-05,1,{tag}\n" for order_id, tag in rows))
    else:
        query = typed_orders(
            str(len(rows)), order_id=f"{[row[0] for row in rows]}[i]", tag=f"{[row[1] for row in rows]}[i]"
        )
        files.parquet(Dataset.ORDERS, name, query)

    counts = {tag.risk_tag: tag.count for tag in files.measure("0").excluded_orders}

    assert counts == dict.fromkeys(frequent[:-1], 2) | {frequent[-1]: 3}


def test_parquet_dictionaries_and_nested_unknown_columns_are_read(files: Files) -> None:
    query = (
        "SELECT {'order_id': 1} AS nested, [1] AS list, orders.* FROM (" + typed_orders("1000", tag="'x'") + ") orders"
    )
    files.parquet(Dataset.ORDERS, "o.parquet", query)

    assert files.measure("0").order_rows.excluded == 1000


def test_parquet_objects_of_one_dataset_may_differ_in_their_columns(files: Files) -> None:
    files.parquet(Dataset.ORDERS, "a.parquet", typed_orders("3", order_id="'a' || i"))
    files.parquet(
        Dataset.ORDERS,
        "b.parquet",
        "SELECT 1 AS x, 5 AS PAY_AMOUNT, 'b' AS Order_Id, 'c1' AS creator_id, 1790900000 AS pay_time",
    )
    files.parquet(
        Dataset.ORDERS,
        "c.parquet",
        "SELECT 5 AS PAY_AMOUNT, 'c' AS Order_Id, 'c1' AS creator_id, 1790900000 AS pay_time, 2 AS y",
    )

    assert gmv(files.measure("0")) == 13


@pytest.mark.parametrize("together", [0, 40, 10**9])
def test_the_batch_size_of_small_parquet_objects_changes_no_result(
    files: Files, monkeypatch: pytest.MonkeyPatch, together: int
) -> None:
    for module in ("scan", "parquet_objects"):
        monkeypatch.setattr(f"functions.rating.measuring.embedded.reading.{module}.AT_ONCE", max(together, 1))
    monkeypatch.setattr("functions.rating.measuring.embedded.relations._SMALL", together)
    monkeypatch.setattr("functions.rating.measuring.embedded.reading.parquet_objects._TOGETHER", together * 1000)
    for n in range(9):
        creator = "'c1'" if n % 3 else "' c1'"
        amount = f"CASE WHEN i = {n} THEN -1 ELSE 1 END{'' if n % 4 else '::VARCHAR'}"
        ids = f"CASE WHEN i % 10 = 0 THEN 'r' ELSE '{n}-' END || i"
        query = typed_orders(str(n * 5), order_id=ids, creator=creator, amount=amount)
        files.parquet(Dataset.ORDERS, f"{n}.parquet", query)

    measured = files.measure()

    assert measured.order_rows.read == sum(n * 5 for n in range(9))
    assert quarantined(measured) == [(f"{n}.parquet", n, "negative_pay_amount") for n in range(1, 9)]
    assert measured.order_rows.duplicate == (7 + 5 + 3 + 1) - 4
    assert gmv(measured) == measured.order_rows.read - 8 - 12


@pytest.mark.parametrize("together", [0, 500, 10**9])
def test_the_batch_size_of_small_csv_objects_changes_no_result(
    files: Files, monkeypatch: pytest.MonkeyPatch, together: int
) -> None:
    monkeypatch.setattr("functions.rating.measuring.embedded.reading.csv_objects._AT_ONCE", together)
    for n in range(9):
        header = ORDERS if n < 5 else "risk_tag,x,order_id,creator_id,pay_time,pay_amount\n"
        rows = []
        for i in range(1, n * 5 + 1):
            order_id = f"r{i}" if i % 10 == 0 else f"{n}-{i}"
            amount = -1 if i == n else 1
            cells = [order_id, "c1" if n % 3 else " c1", "2026-10-05", str(amount), ""]
            rows.append(",".join(cells if n < 5 else ["", "x", *cells[:4]]) if i != 3 else "bad")
        files.orders(header + "".join(row + "\n" for row in rows), f"{n}.csv" if n % 2 else f"{n}.csv.gz")

    measured = files.measure()

    assert measured.order_rows.read == sum(n * 5 for n in range(9))
    assert [bad for bad in quarantined(measured) if bad[2] == "wrong_column_count"] == [
        (f"{n}.csv" if n % 2 else f"{n}.csv.gz", 3, "wrong_column_count") for n in range(1, 9)
    ]
    assert [bad for bad in quarantined(measured) if bad[2] != "wrong_column_count"] == [
        (f"{n}.csv" if n % 2 else f"{n}.csv.gz", n, "negative_pay_amount") for n in range(1, 9) if n != 3
    ]
    assert measured.order_rows.duplicate == (7 + 5 + 3 + 1) - 4
    assert gmv(measured) == measured.order_rows.read - 8 - 7 - 12


@pytest.mark.parametrize("proofs", [True, False], ids=["proofs", "no proofs"])
@pytest.mark.parametrize(
    ("column", "valid", "wrong", "reason"),
    [
        ("amount", "1", "-1", "negative_pay_amount"),
        ("amount", "1", "NULL::INT", "missing_pay_amount"),
        ("amount", "'1'", "'1,0'", "unreadable_pay_amount"),
        ("amount", "1::DECIMAL(18, 2)", "-0.2", "unreadable_pay_amount"),
        ("amount", "1::HUGEINT", "9223372036854775808::HUGEINT", "unreadable_pay_amount"),
        ("time", "TIMESTAMP '2026-10-05'", "NULL::TIMESTAMP", "missing_pay_time"),
        ("time", "TIMESTAMP '2026-10-05'", "'infinity'::TIMESTAMP", "unreadable_pay_time"),
        ("time", "TIMESTAMPTZ '2026-10-05 00:00:00+00'", "'-infinity'::TIMESTAMPTZ", "unreadable_pay_time"),
        ("time", "'2026-10-05'", "'2026-10-05 +08:00'", "unreadable_pay_time"),
        ("creator", "'c1'", "NULL::VARCHAR", "missing_creator_id"),
        ("creator", "'c1'", "''", "missing_creator_id"),
        ("creator", "encode('c1')", "encode('')", "missing_creator_id"),
        ("order_id", "uuid()::VARCHAR", "NULL", "missing_order_id"),
    ],
)
def test_checks_that_a_footer_makes_unnecessary_hide_no_bad_row(
    files: Files, monkeypatch: pytest.MonkeyPatch, column: str, valid: str, wrong: str, reason: str, *, proofs: bool
) -> None:
    """Three objects: the middle one has three row groups, and one bad row in the last of them."""
    if not proofs:
        monkeypatch.setattr("functions.rating.measuring.embedded.reading.parquet_objects._proved", lambda *_: False)
    varied = {"order_id": "uuid()::VARCHAR", "amount": "1", column: valid}
    files.parquet(Dataset.ORDERS, "a.parquet", typed_orders("3", **varied))
    one_bad = {**varied, column: f"CASE WHEN i = 5000 THEN {wrong} ELSE {valid} END"}
    files.parquet(Dataset.ORDERS, "b.parquet", typed_orders("5500", **one_bad), "ROW_GROUP_SIZE 2048")
    files.parquet(Dataset.ORDERS, "c.parquet", typed_orders("3", **varied))

    measured = files.measure()

    assert quarantined(measured) == [("b.parquet", 5000, reason)]
    assert gmv(measured) == 5505


def test_damage_in_one_of_many_parquet_objects_is_named(files: Files) -> None:
    for n in range(5):
        files.parquet(Dataset.ORDERS, f"{n}.parquet", typed_orders("5000", order_id=f"'{n}-' || i", tag="md5(i || '')"))
    path = files.files[-2].path
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 2000] = bytes(2000)
    path.write_bytes(data)

    message = files.error(ObjectInvalid)

    assert "3.parquet" in message
    assert "2.parquet" not in message


@pytest.mark.parametrize("name", ["file_row_number", "File_Index"])
def test_a_parquet_column_with_a_reserved_name_is_refused(files: Files, name: str) -> None:
    files.parquet(Dataset.ORDERS, "o.parquet", f"SELECT 1 AS {name}, * FROM ({typed_orders('1')})")

    assert f"o.parquet: a column is called {name.lower()}" in files.error(ObjectInvalid)


# --- rows that are put into quarantine --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"o2,c1,2026-10-05,1e3,", "unreadable_pay_amount"),
        (b"o2,c1,2026-10-05,5.999,", "unreadable_pay_amount"),
        (b"o2,c1,2026-10-05,-5,", "negative_pay_amount"),
        (b"o2,c1,2026-10-05,,", "missing_pay_amount"),
        (b"o2,c1,2026-02-30,5,", "unreadable_pay_time"),
        (b"o2,c1,2026-10-05 24:00:00,5,", "unreadable_pay_time"),
        (b"o2,c1,2026-10-05 23:59:60,5,", "unreadable_pay_time"),
        (b"o2,c1,1790900000000,5,", "unreadable_pay_time"),
        (b"o2,c1,10/05/2026,5,", "unreadable_pay_time"),
        (b"o2,c1,,5,", "missing_pay_time"),
        (b" ,c1,2026-10-05,5,", "missing_order_id"),
        (b"o2,\\N,2026-10-05,5,", "missing_creator_id"),
        (b"o2,c1,2026-10-05,5", "wrong_column_count"),
        (b"o2,c1,2026-10-05,5,,", "wrong_column_count"),
        (b"o2", "wrong_column_count"),
        (b"   ", "wrong_column_count"),
        ("o2,c1,2026-10-05,5,刷单".encode("gb18030"), "invalid_utf8"),
        (b'o2,c1,2026-10-05,5,"open', "malformed_record"),
        (b'"o2"x,c1,2026-10-05,5,', "malformed_record"),
        (b"o2,c1,2026\r-10-05,5,", "malformed_record"),
        (b"o" * 2_000_000 + b",c1,2026-10-05,5,", "record_too_long"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["orders.csv", "orders.csv.gz"])
def test_a_bad_row_is_quarantined_and_no_other_row_is_lost(files: Files, name: str, row: bytes, reason: str) -> None:
    files.orders((ORDERS + VALID).encode() + row + b"\n" + b"o3,c1,2026-10-06,20,\n", name)

    measured = files.measure()

    assert quarantined(measured) == [(name, 2, reason)]
    assert measured.datasets[Dataset.ORDERS].bad_rows == {reason: 1}
    assert gmv(measured) == 120


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("c2,A1,2026-10-01,,8,", "power_level_out_of_range"),
        ("c2,A1,2026-10-01,,-1,", "power_level_out_of_range"),
        ("c2,A1,2026-10-01,,six,", "unreadable_power_level"),
        ("c2,A1,2026-10-01,,,", "missing_power_level"),
        ("c2,A1,2026-10-01,2026-09-30,6,", "unbind_before_bind"),
        ("c2,A1,2026-10-01,never,6,", "unreadable_unbind_time"),
        ("c2,A1,,,6,", "missing_bind_time"),
        (",A1,2026-10-01,,6,", "missing_creator_id"),
        ("c2,,2026-10-01,,6,", "missing_agency_id"),
    ],
)
def test_a_bad_binding_is_quarantined(files: Files, row: str, reason: str) -> None:
    files.replace(Dataset.CREATORS, "creators.csv", CREATORS + row + "\n")
    files.orders(ORDERS)

    assert quarantined(files.measure()) == [("creators.csv", 2, reason)]


def test_a_bad_parquet_row_is_quarantined_with_its_text(files: Files) -> None:
    files.parquet(Dataset.ORDERS, "o.parquet", typed_orders("5", amount="CASE WHEN i = 4 THEN -1 ELSE i END"))

    measured = files.measure()

    assert quarantined(measured) == [("o.parquet", 4, "negative_pay_amount")]
    assert measured.quarantine is not None
    assert '""pay_amount"":-1' in gzip.decompress(measured.quarantine.read_bytes()).decode()
    assert measured.order_rows.used == 4


def test_an_open_quote_at_the_start_of_a_large_file_hides_no_row(files: Files) -> None:
    rows = "".join(f"x{n},c1,2026-10-05,1,\n" for n in range(50_000))
    files.orders(ORDERS + 'o1,c1,2026-10-05,1,"open\n' + rows)

    measured = files.measure()

    assert quarantined(measured) == [("orders.csv", 1, "malformed_record")]
    assert gmv(measured) == 50_000


def test_row_numbers_are_right_in_a_file_of_several_chunks(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.rating.measuring.embedded.reading.csv_text.BLOCK", 1000)
    rows = [f'o{n},c1,2026-10-05,1,,"{"" if n % 50 else "云" + chr(10) + "剪"}"\n' for n in range(1000)]
    rows[701] = "bad\n"
    files.orders(ORDERS.strip() + ",note\n" + "".join(rows))

    measured = files.measure()

    assert quarantined(measured) == [("orders.csv", 702, "wrong_column_count")]
    assert measured.order_rows.used == 999


def test_too_many_bad_rows_stop_the_run(files: Files) -> None:
    files.orders(ORDERS + VALID * 99 + "bad\n")

    assert files.measure("0.01").order_rows.quarantined == 1
    message = files.error(TooManyBadRows, "0.009")
    assert "orders: 1 of 100 rows are bad (wrong_column_count: 1)" in message
    assert "orders.csv, row 100" in message


def test_objects_to_come_are_estimated_with_as_many_rows_as_gzip_can_pack(files: Files) -> None:
    """A repeated order takes a byte for thirty rows; these rows can bring the share of bad rows below the limit."""
    files.orders(ORDERS + "bad\n" * 9, "first.csv")
    files.orders(ORDERS + "o1,c1,2026-10-05 12:00:00,100,\n" * 20_000, "last.csv.gz")
    first, last = files.files[-2:]
    files.files[-2:] = [replace(first, to_come=last.path.stat().st_size), replace(last, to_come=0)]

    assert files.measure("0.0005").order_rows.quarantined == 9
    assert "9 of 20009 rows are bad" in files.error(TooManyBadRows, "0.0001")


def test_too_many_parquet_orders_without_a_creator_stop_the_run(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are read in batches; none is read after the run has to stop."""
    for module in (missing_creators, unknown_creators):
        monkeypatch.setattr(module, "BAD_TOGETHER", 100)
    files.parquet(
        Dataset.ORDERS, "o.parquet", typed_orders("5000", creator="CASE WHEN i % 2 = 0 THEN ' ' ELSE 'c1' END")
    )

    assert files.measure().order_rows.quarantined == 2500
    assert [row for _, row, _ in quarantined(files.measure())] == list(range(2, 5001, 2))
    assert "orders: 600 of 5000 rows are bad (missing_creator_id: 600)" in files.error(TooManyBadRows, "0.1")


def test_creators_of_the_month_before_are_quarantined_too(files: Files) -> None:
    files.orders(ORDERS)
    files.add(Dataset.PREVIOUS_CREATORS, "before.csv", CREATORS + "bad\n")

    measured = files.measure()

    assert quarantined(measured) == [("before.csv", 2, "wrong_column_count")]
    assert measured.previous_creators is not None
    assert measured.previous_creators.rows == 2


# --- agencies ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "row",
    ["A 2,乙,2020-01-01", "甲,乙,2020-01-01", f"{'A' * 65},乙,2020-01-01", ",乙,2020-01-01", "A2,,2020-01-01",
     "A2,乙,", "A2,乙,2020-13-01", "A2,乙", '"A2"",乙,2020-01-01'],
)  # fmt: skip
def test_a_bad_agency_stops_the_run(files: Files, row: str) -> None:
    files.replace(Dataset.AGENCIES, "agencies.csv", AGENCIES + row + "\n")
    files.orders(ORDERS)

    message = files.error(AgenciesInvalid)

    assert "agencies.csv, row 2: " in message
    assert message.endswith(FORMATS_PAGE)


def test_equal_agencies_count_once_however_they_are_written(files: Files) -> None:
    files.add(Dataset.AGENCIES, "again.csv", AGENCIES + "A1, 甲 ,2019-12-31T16:00:00Z\n")
    files.orders(ORDERS)

    measured = files.measure()

    assert [agency.agency_id for agency in measured.agencies] == ["A1"]
    assert measured.datasets[Dataset.AGENCIES].counters == {"repeated": 2}


def test_different_rows_of_one_agency_stop_the_run(files: Files) -> None:
    files.add(
        Dataset.AGENCIES, "again.csv", "agency_id,name,joined_at,city\nA3,丙,2020-01-01,\nA1,甲,2020-01-01,杭州\n"
    )
    files.orders(ORDERS)

    message = files.error(AgenciesInvalid)

    assert "agency A1" in message
    assert "agencies.csv, row 1" in message
    assert "again.csv, row 2" in message
    assert message.endswith(FORMATS_PAGE)


def test_formulas_and_quotes_in_names_are_only_text(files: Files) -> None:
    name = "=HYPERLINK('x')\"; DROP TABLE agencies; --"
    path = files.folder / "named.csv"
    with path.open("w", encoding="utf-8", newline="") as text:
        csv.writer(text).writerows([("agency_id", "name", "joined_at"), ("A1", name, "2020-01-01")])
    files.replace(Dataset.AGENCIES, "named.csv", path.read_bytes())
    files.orders(ORDERS)

    assert files.measure().agencies[0].name == name


# --- folders ----------------------------------------------------------------------------------------------------------


def test_only_the_quarantine_stays_in_the_folder(files: Files) -> None:
    files.orders(ORDERS + "bad\n")
    before = set(files.folder.iterdir())

    measured = files.measure()

    assert set(files.folder.iterdir()) - before == {measured.quarantine}


def test_the_quarantine_has_the_same_bytes_whenever_it_is_written(files: Files) -> None:
    files.orders(ORDERS + "bad\n")
    first = files.measure().quarantine
    assert first is not None
    content = first.read_bytes()

    assert files.measure().quarantine == first
    assert first.read_bytes() == content


def test_paths_may_contain_quotes(tmp_path: Path) -> None:
    folder = tmp_path / "it's $files [1] *"
    folder.mkdir()
    files = Files(folder)
    files.orders(ORDERS + VALID)

    assert gmv(files.measure("0")) == 100


def test_parquet_objects_that_are_deleted_after_reading_are_kept_as_values(files: Files) -> None:
    files.parquet(Dataset.ORDERS, "p.parquet", typed_orders("5", order_id="'p' || i", amount="100"))
    files.parquet(Dataset.ORDERS, "o.parquet", typed_orders("5", amount="CASE WHEN i = 4 THEN -1 ELSE i END"))

    def downloaded() -> Iterator[LocalFile]:
        for file in files.files:
            yield LocalFile(file.dataset, file.key, file.path, stays=False)
            file.path.unlink()

    measured = assemble(measure(downloaded(), OCTOBER, SHANGHAI, Decimal(1), files.folder))

    assert gmv(measured) == 500 + 1 + 2 + 3 + 5
    assert quarantined(measured) == [("o.parquet", 4, "negative_pay_amount")]


@pytest.mark.parametrize("name", ["o.csv.gz", "o.parquet"])
def test_the_values_kept_of_an_object_take_less_room_than_the_object(files: Files, name: str) -> None:
    ids = "CAST(hash(i) // 2 AS VARCHAR) AS order_id, CAST(hash(i % 997) // 2 AS VARCHAR) AS creator_id"
    rest = "TIMESTAMP '2026-10-02' + to_seconds(hash(i) % 2000000) AS pay_time, hash(i) % 50000 AS pay_amount"
    with duckdb.connect() as connection:
        options = "FORMAT csv, COMPRESSION gzip" if name.endswith(".gz") else "FORMAT parquet, COMPRESSION zstd"
        query = f"SELECT {ids}, {rest}, NULL AS risk_tag FROM range(100000) t(i)"
        connection.execute(f"COPY ({query}) TO '{files.folder / name}' ({options})")
    scratch = files.folder / "scratch"
    scratch.mkdir()
    kept = 0

    def downloaded() -> Iterator[LocalFile]:
        nonlocal kept
        yield from files.files
        yield LocalFile(Dataset.ORDERS, name, files.folder / name, stays=False)
        kept = sum(path.stat().st_size for path in scratch.rglob("*") if path.is_file())

    measured = assemble(measure(downloaded(), OCTOBER, SHANGHAI, Decimal(0), scratch))

    assert measured.order_rows.read == 100_000
    assert 0 < kept < (files.folder / name).stat().st_size


def test_a_month_includes_its_first_and_last_microsecond(files: Files) -> None:
    times = ("2026-09-30T23:59:59.999999", "2026-10-01", "2026-10-31T23:59:59.999999", "2026-11-01")
    files.orders(ORDERS + "".join(f"o{n},c1,{time},{10**n},\n" for n, time in enumerate(times)))

    assert gmv(files.measure("0")) == 110
