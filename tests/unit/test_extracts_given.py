"""Files that were written by other programs: which of their rows are read, and which are bad."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from functions.rating.extracts.datasets import Dataset, LocalFile
from functions.rating.extracts.keys import columns_of_key
from functions.rating.measuring.assemble import assemble
from functions.rating.measuring.embedded.measure import measure
from functions.rating.measuring.measured import MonthMeasured
from shared.errors import ObjectInvalid
from shared.months import Month
from tests.worlds import SHANGHAI
from tools.check_extracts import main

GIVEN = Path(__file__).parents[1] / "data" / "extracts_given"
USUAL = {
    Dataset.AGENCIES: "agency_id,name,joined_at\nA1,甲,2024-05-06\nA2,乙,2024-05-06\n",
    Dataset.CREATORS: "creator_id,agency_id,bind_time,power_level\nc1,A1,2026-01-01,6\nc2,A2,2026-01-01,4\n",
    Dataset.ORDERS: "order_id,creator_id,pay_time,pay_amount\n"
    "o1,c1,2026-10-05 12:00:00,100\no2,c1,2026-10-06 12:00:00,20\no3,c2,2026-10-07 12:00:00,3\n",
}


def measured(case: str, folder: Path, *, int96_is_utc: bool = True) -> MonthMeasured:
    """A case, measured together with the usual rows of the datasets that it does not have."""
    assert (GIVEN / case).is_dir(), case
    files: list[LocalFile] = []
    for dataset, text in USUAL.items():
        below = GIVEN / case / dataset
        for path in sorted(path for path in below.rglob("*") if path.is_file()):
            name = path.relative_to(below).as_posix()
            files.append(LocalFile(dataset, f"{dataset}/{name}", path, key_columns=columns_of_key(dataset, name)))
        if not below.exists():
            (folder / dataset).write_text(text, encoding="utf-8")
            files.append(LocalFile(dataset, dataset, folder / dataset))
    month = measure(files, Month(2026, 10), SHANGHAI, Decimal(1), folder, int96_is_utc=int96_is_utc)
    return assemble(month)


def bad(month: MonthMeasured) -> dict[str, int]:
    return {reason: n for dataset in month.datasets.values() for reason, n in dataset.bad_rows.items()}


@pytest.mark.parametrize(
    ("case", "reasons", "gmv"),
    [
        ("name_trino", {}, 123),
        ("m_dot0", {}, 123),
        ("t_slashes_nozero", {}, 123),
        ("t_compact8", {"unreadable_pay_time": 1}, 23),
        ("t_excel_serial_int", {"unreadable_pay_time": 1}, 23),
        ("c_compact8_both", {"unreadable_bind_time": 2}, 0),
        ("nan_order_ids", {"missing_order_id": 2}, 100),
        ("double_ids_beyond_2_53", {"unreadable_order_id": 3}, 0),
        ("ts_int64_min_us", {"unreadable_pay_time": 1}, 0),
    ],
)
def test_rows_are_read_as_meant_or_bad(tmp_path: Path, case: str, reasons: dict[str, int], gmv: int) -> None:
    month = measured(case, tmp_path)

    assert bad(month) == reasons
    assert month.paid_gmv == gmv


@pytest.mark.parametrize("case", ["int96_spark", "converted_only_ms"])
def test_instants_without_a_logical_type_are_utc(tmp_path: Path, case: str) -> None:
    """In UTC the first order is in October and the last in November; in local time it is the other way round."""
    month = measured(case, tmp_path)

    assert (month.paid_gmv, month.order_rows.out_of_month) == (120, 1)


def test_int96_is_local_time_where_the_setting_says_so(tmp_path: Path) -> None:
    assert measured("int96_spark", tmp_path, int96_is_utc=False).paid_gmv == 23
    assert measured("converted_only_ms", tmp_path, int96_is_utc=False).paid_gmv == 120


def test_check_extracts_reads_int96_as_the_function_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for dataset, text in USUAL.items():
        folder = tmp_path / dataset / "month=2026-10"
        folder.mkdir(parents=True)
        if dataset is Dataset.ORDERS:
            (folder / "part-0.parquet").write_bytes((GIVEN / "int96_spark/orders/part-0.parquet").read_bytes())
        else:
            (folder / "part-0.csv").write_text(text.replace("c2,A2,2026-01-01,4\n", ""), encoding="utf-8")
    counts = []
    for setting in ("utc", "local"):
        monkeypatch.setenv("PARQUET_INT96", setting)
        assert main([str(tmp_path), "2026-10"]) == 0
        counts += [line.strip() for line in capsys.readouterr().out.splitlines() if "out of month" in line]

    assert counts == [
        "orders: 2 used, 0 duplicate, 1 out of month, 0 flagged, 0 unbound, 0 bad",
        "orders: 1 used, 0 duplicate, 1 out of month, 0 flagged, 1 unbound, 0 bad",
    ]


def test_a_column_in_the_key_is_read(tmp_path: Path) -> None:
    month = measured("in_path_creator_tag", tmp_path)

    assert [(tag.risk_tag, tag.count) for tag in month.excluded_creators] == [("cloud_edit", 1)]


def test_rows_between_two_stray_quotes_stop_the_run(tmp_path: Path) -> None:
    with pytest.raises(ObjectInvalid, match=r"part-0\.csv\.gz, row 101: a field begins with a quote that is closed"):
        measured("swallow_title", tmp_path)


def test_gbk_bytes_that_are_also_valid_utf8_are_read_as_a_tag(tmp_path: Path) -> None:
    """See docs/decisions.md: any text is a flag, so no level depends on it."""
    month = measured("binary_gbk_one_row_of_many", tmp_path)

    assert bad(month) == {}
    assert sum(tag.count for tag in month.excluded_orders) == 1
