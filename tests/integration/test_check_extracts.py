"""`make check-extracts` shows everything that is wrong with a month at once, without rating it."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest

from functions.rating.extracts.datasets import Dataset
from tests.aws import create_bucket, emulated_aws
from tests.cloud import WORKBOOK
from tests.months import HEADERS, month_rows, write_month
from tools.check_extracts import main

MONTH = "2026-10"


@pytest.fixture
def extracts(tmp_path: Path) -> Path:
    write_month(tmp_path, MONTH, month_rows(MONTH, {"a": (2, 10_000), "b": (1, 100)}))
    return tmp_path


def add(extracts: Path, dataset: str, name: str, text: str) -> None:
    path = extracts / dataset / f"month={MONTH}" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_a_valid_month_is_called_valid_and_its_counts_are_shown(
    extracts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(extracts), MONTH]) == 0

    printed = capsys.readouterr().out
    assert "orders: 2 rows, 0 bad" in printed
    assert "orders: 2 used, 0 duplicate" in printed
    assert f"{MONTH}: 可用 valid" in printed


def test_everything_that_is_wrong_is_shown_at_once(extracts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add(extracts, "orders", "empty.csv", "")
    add(extracts, "orders", "other.csv", "id,name\n1,2\n")
    add(extracts, "orders", "times.csv", HEADERS[Dataset.ORDERS] + "o9,a-0,yesterday,100,\no8,a-0,today,-1,\n")
    add(extracts, "agencies", "more.csv", HEADERS[Dataset.AGENCIES] + "机构,x,2020-01-01,,,\n")
    add(extracts, "creators", "old/part.csv", HEADERS[Dataset.CREATORS])

    assert main([str(extracts), MONTH]) == 1

    printed = capsys.readouterr().out
    for finding in (
        "orders: 2 used, 0 duplicate",
        "orders/month=2026-10/empty.csv: the object has zero bytes",
        "orders/month=2026-10/other.csv: columns order_id, creator_id, pay_time, pay_amount are missing",
        "orders: 2 x unreadable_pay_time; expected 2026-10-05 12:00:00",
        "orders/month=2026-10/times.csv, row 1: 'yesterday'",
        "agencies: 1 x malformed_agency_id; expected 1 to 64 letters",
        "creators/month=2026-10/old/part.csv: lies in the folder old/",
        "不可用，见上 not usable",
        "docs/extracts",
    ):
        assert finding in printed


def test_orders_are_counted_also_if_the_agencies_are_invalid(
    extracts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add(extracts, "agencies", "more.csv", HEADERS[Dataset.AGENCIES] + "机构,x,2020-01-01,,,\na,other,2020-01-01,,,\n")
    add(extracts, "orders", "more.csv", HEADERS[Dataset.ORDERS] + "o7,b-0,2026-10-05,100,\no8,,2026-10-05,1,\n")

    assert main([str(extracts), MONTH]) == 1

    printed = capsys.readouterr().out
    assert "agencies: 1 x malformed_agency_id" in printed
    assert "agency a has rows that differ" in printed
    assert "orders: 1 x missing_creator_id" in printed
    assert "orders: 3 used, 0 duplicate, 0 out of month, 0 flagged, 0 unbound, 1 bad" in printed


def test_an_empty_dataset_is_compared_with_the_month_before(extracts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (extracts / "orders" / f"month={MONTH}" / "part-0.csv").write_text(HEADERS[Dataset.ORDERS], encoding="utf-8")
    assert main([str(extracts), MONTH]) == 0, "there may have been none before"
    write_month(extracts, "2026-09", month_rows("2026-09", {"a": (1, 5)}))
    capsys.readouterr()

    assert main([str(extracts), MONTH]) == 1
    assert "orders: no rows, where the month before had 1" in capsys.readouterr().out


def test_the_limits_are_those_of_the_workbook(
    extracts: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    add(extracts, "orders", "bad.csv", HEADERS[Dataset.ORDERS] + "o9,a-0,yesterday,100,\n")
    assert main([str(extracts), MONTH]) == 1
    workbook = tmp_path_factory.mktemp("workbook")
    for tab, text in {**WORKBOOK, "settings": "setting,value\nmax_bad_row_share,0.5\n"}.items():
        (workbook / f"{tab}.csv").write_text(text, encoding="utf-8")

    assert main([str(extracts), MONTH, "--workbook", str(workbook)]) == 0
    assert "orders: 1 x unreadable_pay_time" in capsys.readouterr().out


def test_objects_that_are_not_read_are_named(extracts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add(extracts, "orders", "orders_manifest", "{}")

    assert main([str(extracts), MONTH]) == 0
    assert "orders/month=2026-10/orders_manifest: not read" in capsys.readouterr().out


def test_a_month_that_would_be_held_is_not_usable(extracts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add(
        extracts,
        "orders",
        "zero.csv",
        HEADERS[Dataset.ORDERS] + "".join(f"z{i},a-0,2026-10-05,1,0\n" for i in range(1000)),
    )

    assert main([str(extracts), MONTH]) == 1
    assert "the column risk_tag looks wrong, such as '0'" in capsys.readouterr().out


def test_a_dataset_without_objects_is_named(extracts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(extracts), "2026-11"]) == 1
    printed = capsys.readouterr().out
    assert all(f"{dataset}/month=2026-11/ has no data" in printed for dataset in ("agencies", "creators", "orders"))


def test_a_prefix_in_s3_is_checked_in_the_same_way(extracts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with emulated_aws():
        s3 = boto3.client("s3")
        create_bucket(s3, "extracts")
        for path in extracts.rglob("*"):
            if path.is_file():
                s3.upload_file(str(path), "extracts", f"in/{path.relative_to(extracts).as_posix()}")
        assert main(["s3://extracts/in", MONTH]) == 0
    assert "orders: 2 rows, 0 bad" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["/nowhere", MONTH], "FOLDER: '/nowhere' is no folder"), ([".", "October"], "MONTH: ")],
)
def test_invalid_arguments_are_refused(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert capsys.readouterr().err.startswith(f"make check-extracts: {message}")
