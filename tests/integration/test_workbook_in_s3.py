"""A workbook in S3: a month is rated from an Excel file, uploads are checked, and other files are refused."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from functions.rating.publication.ledger import entries
from shared.errors import WorkbookFaulty, WorkbookUnavailable
from tests.cloud import WORKBOOK, Cloud, small_cloud
from tests.excel_files import excel

MONTH = "2026-09"
KEY = "levels/levels.xlsx"
BUCKET = "extracts"


def typed(text: str) -> object:
    """A CSV cell as the type that Excel gives it."""
    if text in ("TRUE", ""):
        return True if text else None
    return float(text) if text.replace(".", "", 1).isdigit() else text


def tables(**changed: str) -> dict[str, list[list[object]]]:
    """The small workbook, with some tabs replaced, as rows of typed cells."""
    return {
        tab: [[typed(cell) for cell in line.split(",")] for line in text.splitlines()]
        for tab, text in {**WORKBOOK, **changed}.items()
    }


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with small_cloud(tmp_path, WORKBOOK=f"s3://{BUCKET}/{KEY}") as made:
        upload(made, excel(tables()))
        made.put_month(MONTH, {"A1": (5, 10), "A2": (1, 100), "A3": (0, 0)})
        yield made


def upload(cloud: Cloud, content: bytes, key: str = KEY) -> None:
    cloud.s3.put_object(Bucket=BUCKET, Key=key, Body=content)


def uploaded(key: str = KEY, bucket: str = BUCKET) -> dict[str, Any]:
    """The event that EventBridge sends for a new object in S3."""
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "time": "2026-10-01T02:00:00Z",
        "region": "cn-north-1",
        "resources": [f"arn:aws:s3:::{bucket}"],
        "detail": {
            "version": "0",
            "bucket": {"name": bucket},
            "object": {"key": key, "size": 5, "etag": "b1946ac9", "version-id": "v1", "sequencer": "617F08299329D189"},
            "reason": "PutObject",
        },
    }


def content_of(cloud: Cloud, key: str) -> bytes:
    body: bytes = cloud.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    return body


def status_texts(cloud: Cloud, key: str = "levels/levels.status.xlsx") -> list[str]:
    book = openpyxl.load_workbook(io.BytesIO(content_of(cloud, key)))
    return [str(cell.value) for row in book.worksheets[0].iter_rows() for cell in row if cell.value is not None]


def test_an_excel_file_gives_the_same_run_as_a_folder(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    published = cloud.rate({"month": MONTH})
    assert published["outcome"] == "published"
    monkeypatch.setenv("WORKBOOK", f"dir:{cloud.workbook}")
    again = cloud.rate({"month": MONTH})
    assert (again["outcome"], again["run"], again["rulebook"]) == ("unchanged", published["run"], published["rulebook"])


def test_a_folder_of_csv_files_in_s3_gives_the_same_rulebook(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    for tab, text in WORKBOOK.items():
        upload(cloud, text.encode("utf-8-sig"), f"book/{tab}.csv")
    upload(cloud, b"not a tab", "book/old/levels.csv")
    upload(cloud, b"\xff\xfe", "book/notes.csv")
    expected = cloud.rate({"mode": "check"})["rulebook"]
    monkeypatch.setenv("WORKBOOK", f"s3://{BUCKET}/book/")
    assert cloud.rate({"mode": "check"})["rulebook"] == expected
    assert b"<table>" in content_of(cloud, "book/status.html")


def keep_versions(cloud: Cloud) -> None:
    cloud.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})


def upload_version(cloud: Cloud, content: bytes, key: str = KEY) -> str:
    """The address of a new version of an object."""
    version = cloud.s3.put_object(Bucket=BUCKET, Key=key, Body=content)["VersionId"]
    return f"s3://{BUCKET}/{key}?versionId={version}"


def workbooks_in_the_ledger(cloud: Cloud) -> list[tuple[str, tuple[str, ...]]]:
    return [(line.action, line.workbook) for line in entries(cloud.table, MONTH)]


def test_ledger_and_report_name_the_version_of_the_file_of_each_run(cloud: Cloud) -> None:
    keep_versions(cloud)
    first = upload_version(cloud, excel(tables()))
    published = cloud.rate({"month": MONTH})
    second = upload_version(cloud, excel(tables(tips="metric,tip,link\ngmv,直播更多,\n")))
    assert cloud.rate({"mode": "refresh"})["outcome"] == "refreshed"
    third = upload_version(cloud, excel(tables(thresholds=WORKBOOK["thresholds"].replace("5000", "6000"))))
    held = cloud.rate({"month": MONTH})
    cloud.rate({"accept": held["run"], "by": "wang", "reason": "meant"})
    cloud.rate({"rollback": published["run"], "by": "wang", "reason": "not meant"})
    assert workbooks_in_the_ledger(cloud) == [
        ("published", (first,)),
        ("refreshed", (second,)),
        ("held", (third,)),
        ("accepted", (third,)),
        ("rolled_back", (second,)),
    ]
    page = cloud.report(published["report"])
    assert first in page
    assert third in page, "the ledger in the report says which version the later run was rated by"
    assert cloud.rate({"verify": published["run"]})["outcome"] == "verified"


def test_the_version_of_the_file_does_not_change_the_run(cloud: Cloud) -> None:
    """The same rules from another upload give the same run."""
    keep_versions(cloud)
    upload_version(cloud, excel(tables()))
    run = cloud.rate({"month": MONTH})["run"]
    upload_version(cloud, excel(tables()))
    assert (again := cloud.rate({"month": MONTH}))["outcome"] == "unchanged"
    assert again["run"] == run


def test_the_ledger_names_no_version_if_the_bucket_has_none(cloud: Cloud) -> None:
    cloud.rate({"month": MONTH})
    assert workbooks_in_the_ledger(cloud) == [("published", ())]
    (item,) = (item for names, item in cloud.items().items() if names[0].startswith("LEDGER"))
    assert "workbook" not in item["entry"]["S"], "the bytes of such lines stay the same"


def test_each_file_of_a_folder_is_named_with_its_version(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_versions(cloud)
    stored = [upload_version(cloud, text.encode(), f"book/{tab}.csv") for tab, text in sorted(WORKBOOK.items())]
    upload_version(cloud, b"copy", "book/levels (1).csv")
    monkeypatch.setenv("WORKBOOK", f"s3://{BUCKET}/book/")
    faults = cloud.rate({"month": MONTH})["faults"]
    assert workbooks_in_the_ledger(cloud) == [("published", tuple(stored))]
    assert [(fault["code"], fault["tab"]) for fault in faults] == [("tab_unread", "levels (1)")]


def test_an_upload_is_checked_and_the_result_is_written_beside_it(cloud: Cloud) -> None:
    answer = cloud.rate(uploaded())
    assert answer["outcome"] == "checked"
    assert not answer["faults"]
    assert any("2026" in text for text in status_texts(cloud))
    assert b"<html" in content_of(cloud, "levels/levels.status.html")


def test_the_faults_of_an_upload_are_written_beside_it_and_count_for_the_alarm(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    upload(
        cloud, excel(tables(thresholds="effective_month,level,channel,six,gmv\n,1,1,many,\n,2,1,2,100\n,3,1,5,5000\n"))
    )
    answer = cloud.rate(uploaded())
    assert [fault["cell"] for fault in answer["faults"] if fault["severity"] == "error"] == ["D2"]
    assert any("thresholds!D2" in text for text in status_texts(cloud))
    assert '"WorkbookFaulty":[1.0]' in capsys.readouterr().out.replace(" ", "")
    with pytest.raises(WorkbookFaulty):
        cloud.rate({"month": MONTH})


def test_the_error_of_an_unreadable_upload_is_written_beside_it_and_counts_for_the_alarm(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    upload(cloud, b"level,name\n1,x\n")
    with pytest.raises(WorkbookUnavailable, match=r"no \.xlsx file"):
        cloud.rate(uploaded())
    assert any("暂时读不到表格" in text and "no .xlsx file" in text for text in status_texts(cloud))
    assert "no .xlsx file" in content_of(cloud, "levels/levels.status.html").decode()
    assert '"WorkbookFaulty":[1.0]' in capsys.readouterr().out.replace(" ", "")


def test_a_formula_that_was_not_saved_is_a_fault_of_its_cell(cloud: Cloud) -> None:
    changed = tables()
    changed["thresholds"][1][4] = "=1+1"
    upload(cloud, excel(changed))
    answer = cloud.rate(uploaded())
    assert [(fault["code"], fault["tab"], fault["cell"]) for fault in answer["faults"]] == [
        ("formula_unsaved", "thresholds", "E2")
    ]
    texts = "\n".join(status_texts(cloud))
    assert "thresholds!E2" in texts
    assert '"#UNSAVED! =1+1"' in texts


def test_an_unreadable_file_stops_the_run(cloud: Cloud) -> None:
    upload(cloud, b"level,name\n1,x\n")
    with pytest.raises(WorkbookUnavailable, match=r"s3://extracts/levels/levels\.xlsx.*no \.xlsx file"):
        cloud.rate({"month": MONTH})


def test_a_missing_workbook_is_named(cloud: Cloud) -> None:
    cloud.s3.delete_object(Bucket=BUCKET, Key=KEY)
    with pytest.raises(WorkbookUnavailable, match="there is no such object; upload the workbook there"):
        cloud.rate({"mode": "check"})


@pytest.mark.parametrize(
    ("key", "bucket"), [("levels/levels.status.xlsx", BUCKET), ("levels/other.xlsx", BUCKET), (KEY, "reports")]
)
def test_an_upload_of_another_object_is_ignored(cloud: Cloud, key: str, bucket: str) -> None:
    answer = cloud.rate(uploaded(key, bucket))
    assert answer["outcome"] == "unchanged"
    assert "Contents" not in cloud.s3.list_objects_v2(Bucket=BUCKET, Prefix="levels/levels.status")


@pytest.mark.parametrize("address", ["s3://extracts", "s3://extracts/levels.xls", "s3:///levels.xlsx", "s3://b/folder"])
def test_an_address_that_cannot_be_a_workbook_is_refused(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("WORKBOOK", address)
    with pytest.raises(WorkbookUnavailable, match=r"\.xlsx, or s3://<bucket>/<prefix>/"):
        cloud.rate({"mode": "check"})


GBK = "level,name,description\n1,一级,\n".encode("gb18030")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (GBK, "looks like GBK"),
        (b"level;name;description\n1;x;\n", "separated by semicolons"),
        (b"level\tname\n1\tx\n", "separated by tabs"),
    ],
)
def test_csv_files_in_other_encodings_or_with_other_separators_are_refused(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, content: bytes, found: str
) -> None:
    upload(cloud, content, "book/levels.csv")
    monkeypatch.setenv("WORKBOOK", f"s3://{BUCKET}/book/")
    with pytest.raises(WorkbookUnavailable, match=rf"book/levels\.csv.*{found}"):
        cloud.rate({"mode": "check"})
