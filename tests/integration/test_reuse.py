"""Measurements are stored in the reports bucket and used again, also after the sheet has changed."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from functions.rating import app
from shared.errors import AgenciesInvalid, ObjectInvalid, TooManyBadRows
from tests.cloud import REPORTS, WORKBOOK, Cloud, small_cloud

MONTH = "2026-10"
TWO = {"a": (5, 500_000), "b": (1, 100)}
LOOSE = "setting,value\nmax_bad_row_share,0.5\n"


@pytest.fixture(scope="module")
def beginning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with small_cloud(tmp_path_factory.mktemp("cloud")) as cloud:
        cloud.put_month(MONTH, TWO)
        cloud.remember()
        yield cloud


@pytest.fixture
def cloud(beginning: Cloud) -> Cloud:
    return beginning.bring_back()


@pytest.fixture
def stages(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the stages that begin."""
    begun: list[str] = []
    monkeypatch.setattr(app, "listener", lambda stage, done, _: begun.append(stage) if not done else None)
    return begun


def stored(cloud: Cloud) -> dict[str, bytes]:
    """The stored objects of measurements, by key."""
    listed = cloud.s3.list_objects_v2(Bucket=REPORTS, Prefix="out/measured/").get("Contents", [])
    return {o["Key"]: cloud.s3.get_object(Bucket=REPORTS, Key=o["Key"])["Body"].read() for o in listed}


def names(cloud: Cloud) -> set[str]:
    return {key.rpartition("/")[2] for key in stored(cloud)}


def put_bad(cloud: Cloud, rows: int) -> None:
    """Adds an object with bad orders."""
    cloud.put("orders", MONTH, [(f"bad{n}", "a-0", "soon", 1) for n in range(rows)], name="bad.csv")


def rate(cloud: Cloud) -> dict[str, Any]:
    return cloud.rate({"month": MONTH})


def test_a_changed_threshold_is_rated_without_measuring(cloud: Cloud, stages: list[str]) -> None:
    before = rate(cloud)
    assert "measure" in stages
    stages.clear()

    cloud.write_workbook(thresholds=WORKBOOK["thresholds"].replace("5000", "9999"))
    after = rate(cloud)

    assert "measure" not in stages
    assert (before["levels"]["3"], after["levels"]["3"]) == (1, 0)
    assert after["run"] != before["run"]


def test_a_preview_and_a_verification_use_the_stored_measurement(cloud: Cloud, stages: list[str]) -> None:
    run = rate(cloud)["run"]
    stages.clear()

    assert cloud.rate({"month": MONTH, "mode": "preview"})["outcome"] == "previewed"
    assert cloud.rate({"verify": run})["outcome"] == "verified"
    assert "measure" not in stages


def test_other_data_is_measured(cloud: Cloud, stages: list[str]) -> None:
    rate(cloud)
    stages.clear()

    cloud.put("orders", MONTH, [("later", "b-0", f"{MONTH}-16 08:00:00", 1_000_000)], name="part-1.csv")

    assert rate(cloud)["agencies"] == 2
    assert "measure" in stages
    assert len({key.split("/")[2] for key in stored(cloud)}) == 2


@pytest.mark.parametrize("name", ["relations.json.gz", "quarantine.csv.gz"])
@pytest.mark.parametrize("damage", ["cut", "other", "gone"])
def test_a_month_with_a_damaged_measurement_is_measured_again(
    cloud: Cloud, stages: list[str], name: str, damage: str
) -> None:
    cloud.write_workbook(settings=LOOSE)
    put_bad(cloud, 1)
    answer, whole = rate(cloud), stored(cloud)
    [key] = [key for key in whole if key.endswith(name)]
    if damage == "gone":
        cloud.s3.delete_object(Bucket=REPORTS, Key=key)
    else:
        body = whole[key][:-20] if damage == "cut" else gzip.compress(b"{}")
        cloud.s3.put_object(Bucket=REPORTS, Key=key, Body=body)
    stages.clear()

    again = cloud.rate({"month": MONTH, "mode": "preview"})

    assert "measure" in stages
    assert again["levels"] == answer["levels"]
    assert stored(cloud) == whole


def test_a_month_with_an_incomplete_measurement_is_measured_again(cloud: Cloud, stages: list[str]) -> None:
    rate(cloud)
    [done] = [key for key in stored(cloud) if key.endswith("done.json")]
    cloud.s3.delete_object(Bucket=REPORTS, Key=done)
    stages.clear()

    assert cloud.rate({"month": MONTH, "mode": "preview"})["outcome"] == "previewed"
    assert "measure" in stages


def test_the_limit_of_bad_rows_is_applied_to_the_stored_measurement(cloud: Cloud, stages: list[str]) -> None:
    cloud.write_workbook(settings=LOOSE)
    put_bad(cloud, 1)
    rate(cloud)
    stages.clear()

    cloud.write_workbook(settings="setting,value\nmax_bad_row_share,0.01\n")
    with pytest.raises(TooManyBadRows, match=r"orders: 1 of 3 rows are bad .*bad\.csv, row 1: 'soon'") as stopped:
        rate(cloud)

    assert "measure" not in stages
    page = str(stopped.value).partition("Report: ")[2]
    quarantine = page.replace("report.html", "quarantine.csv.gz").removeprefix(f"s3://{REPORTS}/")
    text = gzip.decompress(cloud.s3.get_object(Bucket=REPORTS, Key=quarantine)["Body"].read()).decode()
    assert "bad.csv,1,unreadable_pay_time" in text


def test_the_error_of_too_many_bad_rows_is_not_stored(cloud: Cloud) -> None:
    put_bad(cloud, 2)

    with pytest.raises(TooManyBadRows):
        rate(cloud)

    assert not names(cloud) & {"done.json", "error.json"}


@pytest.mark.parametrize(
    ("dataset", "body", "error"),
    [("orders", b"PAR1 cut", ObjectInvalid), ("agencies", b"agency_id,name,joined_at\n,x,soon\n", AgenciesInvalid)],
)
def test_an_error_in_the_data_is_stored_and_raised_again(
    cloud: Cloud, stages: list[str], dataset: str, body: bytes, error: type[Exception]
) -> None:
    cloud.put_object(dataset, MONTH, "wrong", body)
    with pytest.raises(error) as first:
        rate(cloud)
    stages.clear()

    with pytest.raises(error) as second:
        rate(cloud)

    assert "measure" not in stages
    assert str(second.value) == str(first.value)
    assert "error.json" in names(cloud)


def test_the_ledger_and_the_report_name_the_engine(cloud: Cloud) -> None:
    answer = rate(cloud)

    assert "DuckDB" in cloud.report(answer["report"])
    line = json.loads(cloud.report(f"s3://{REPORTS}/out/ledger/month={MONTH}.jsonl"))
    assert line["engine"] == "DuckDB"
