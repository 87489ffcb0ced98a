"""Months that must not be published: a stopped run writes a report, and a month of which nothing counts is held."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from functions.rating.extracts.datasets import Dataset
from shared.errors import ObjectInvalid, TooManyBadRows
from tests.cloud import Cloud, small_cloud
from tests.months import HEADERS

MAY = {"month": "2026-05"}
HEADER = "order_id,creator_id,pay_time,pay_amount,risk_tag\n"
CHECK_SMALL_MONTHS = "setting,value\nmin_rows_judged,1\n"
BAD = 12_000


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with small_cloud(tmp_path_factory.mktemp("cloud")) as small:
        small.put_month("2026-05", {"a": (2, 10_000)})
        yield small


def body(cloud: Cloud, url: str) -> bytes:
    bucket, key = url.removeprefix("s3://").split("/", 1)
    found: bytes = cloud.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return found


@pytest.fixture(scope="module")
def stopped(cloud: Cloud) -> str:
    """The URL of the report of a run that stopped because of bad rows."""
    rows = "".join(f"<b>{i}</b>,a-0,yesterday,100,\n" for i in range(BAD))
    cloud.put_object("orders", "2026-05", "bad.csv", (HEADER + rows).encode())
    with pytest.raises(TooManyBadRows) as raised:
        cloud.rate(MAY)
    cloud.s3.delete_object(Bucket="extracts", Key="in/orders/month=2026-05/bad.csv")
    found = re.search(r"Report: (s3://\S+/report\.html)$", str(raised.value))
    assert found
    return found[1]


def test_the_error_of_a_stopped_run_names_a_report_that_says_why(cloud: Cloud, stopped: str) -> None:
    report = json.loads(body(cloud, stopped.replace(".html", ".json")))

    assert report["month"] == "2026-05"
    assert report["cause"] == "TooManyBadRows"
    assert "unreadable_pay_time" in report["because"]
    assert report["because"] in body(cloud, stopped).decode().replace("&#39;", "'").replace("&lt;", "<").replace(
        "&gt;", ">"
    )


def test_markup_in_the_rows_is_escaped_on_the_page(cloud: Cloud, stopped: str) -> None:
    assert "<b>" not in body(cloud, stopped).decode()


def test_the_first_ten_thousand_bad_rows_are_stored(cloud: Cloud, stopped: str) -> None:
    packed = body(cloud, stopped.replace("report.html", "quarantine.csv.gz"))
    header, *rows = csv.reader(io.StringIO(gzip.decompress(packed).decode(), newline=""))

    assert header == ["object", "row", "reason", "text"]
    assert len(rows) == 10_000
    assert rows[-1] == [
        "in/orders/month=2026-05/bad.csv",
        "10000",
        "unreadable_pay_time",
        "<b>9999</b>,a-0,yesterday,100,",
    ]


def test_a_stopped_run_publishes_nothing_and_empties_the_scratch_folder(cloud: Cloud, stopped: str) -> None:
    assert not cloud.table.pointer().publications
    assert not list((cloud.workbook.parent / "scratch").iterdir())


def test_a_run_that_stops_before_reading_writes_the_same_report_at_every_firing(cloud: Cloud) -> None:
    cloud.put_object("orders", "2026-05", "shop=x/rows.csv", b"order_id\n")
    messages: set[str] = set()
    for _ in range(2):
        with pytest.raises(ObjectInvalid) as raised:
            cloud.rate(MAY)
        messages.add(str(raised.value))
    cloud.s3.delete_object(Bucket="extracts", Key="in/orders/month=2026-05/shop=x/rows.csv")
    (message,) = messages
    because, _, url = message.partition(" Report: ")
    assert "shop=x/rows.csv: lies in the folder shop=x/" in because
    assert json.loads(body(cloud, url.replace(".html", ".json")))["because"] == because
    assert "考核已停止" in body(cloud, url).decode()


def test_a_month_of_which_nothing_counts_is_held_and_answer_and_report_say_why(cloud: Cloud, tmp_path: Path) -> None:
    cloud.write_workbook(settings=CHECK_SMALL_MONTHS)
    cloud.put("orders", "2026-05", [("o1", "a-0", "2026-05-05 00:00:00", 100, "NULL")])

    answer = cloud.rate(MAY)

    assert answer["outcome"] == "held"
    assert "the column risk_tag looks wrong, such as 'NULL'" in answer["held_because"]
    report = json.loads(body(cloud, answer["report"].replace(".html", ".json")))
    assert report["words_for_nothing"] == {"creators": 0, "orders": 1}
    page = body(cloud, answer["report"]).decode()
    assert "the column risk_tag looks wrong" in page
    assert "Flagged with a word for nothing" in page
    assert cloud.rate(MAY)["held_because"] == answer["held_because"]

    accepted = cloud.rate({"accept": answer["run"], "by": "Li", "reason": "all were fraud"})
    assert accepted["outcome"] == "published"


def test_a_month_with_an_empty_dataset_that_had_rows_before_is_held(cloud: Cloud) -> None:
    """The month before is the one that the test above published."""
    cloud.write_workbook()
    cloud.put_month("2026-06", {"a": (2, 10_000)})
    cloud.put("orders", "2026-06", [])

    answer = cloud.rate({"month": "2026-06"})

    assert answer["outcome"] == "held"
    assert "orders: no rows, where the month before had 1." in answer["held_because"]
    assert "orders：没有任何数据行" in answer["held_because"]
    assert "2026-06" not in cloud.table.pointer().publications
    assert "orders: no rows, where the month before had 1." in body(cloud, answer["report"]).decode()


def test_objects_that_are_not_read_are_in_the_report(cloud: Cloud) -> None:
    cloud.put_object("creators", "2026-04", "part-0.csv", HEADERS[Dataset.CREATORS].encode())
    cloud.put_object("creators", "2026-04", "_SUCCESS", b"")
    cloud.put_object("orders", "2026-05", "orders_manifest", b"{}")

    page = body(cloud, cloud.rate({**MAY, "mode": "preview"})["report"]).decode()

    assert "orders/month=2026-05/orders_manifest: not read" in page
    assert "creators of the month before are not read" not in page


def test_damage_in_the_creators_of_the_month_before_is_in_the_report(cloud: Cloud) -> None:
    cloud.put_object("creators", "2026-04", "cut.parquet", b"PAR1 cut")
    cloud.put_object("creators", "2026-04", "_SUCCESS", b"")

    url = cloud.rate({**MAY, "mode": "preview"})["report"]

    (_, warning) = json.loads(body(cloud, url.replace(".html", ".json")))["data_warnings"]
    assert "creators/month=2026-04/cut.parquet" in warning
    page = body(cloud, url).decode()
    assert "creators/month=2026-04/cut.parquet" in page
    assert "The creators of the month before are not read" in page


def test_without_the_creators_of_the_month_before_the_report_says_what_is_not_assessed(cloud: Cloud) -> None:
    cloud.put_month("2026-03", {"a": (1, 5_000), "b": (0, 0)})
    url = cloud.rate({"month": "2026-03", "mode": "preview"})["report"]
    document = json.loads(body(cloud, url.replace(".html", ".json")))
    assert (document["retention_assessed"], document["data_warnings"]) == (False, [])
    assert "not assessed (no_previous_month)" in body(cloud, url).decode()
