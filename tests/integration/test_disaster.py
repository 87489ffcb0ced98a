"""After a disaster: the table is restored from its backup, the ledger from S3, as docs/disaster.*.md describe."""

from __future__ import annotations

import json
from collections.abc import Iterator

import boto3
import pytest

from functions.rating.publication.items import load_record
from shared.table import Table
from tests.aws import TABLE, stored_items
from tests.cloud import BUCKET, REPORTS, Cloud, small_cloud

MONTH = {"month": "2026-05"}


@pytest.fixture(scope="module")
def beginning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with small_cloud(tmp_path_factory.mktemp("cloud")) as cloud:
        cloud.put_month("2026-05", {"a": (5, 500_000), "b": (1, 0)})
        cloud.put_month("2026-06", {"a": (1, 0), "b": (1, 0)})
        cloud.remember()
        yield cloud


@pytest.fixture
def cloud(beginning: Cloud) -> Cloud:
    return beginning.bring_back()


def test_a_stack_works_with_a_table_restored_from_its_backup(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    published = cloud.rate(MONTH)
    client = boto3.client("dynamodb")
    client.restore_table_to_point_in_time(
        SourceTableName=TABLE, TargetTableName="levels-restored", UseLatestRestorableTime=True
    )
    restored = Table(client, "levels-restored")
    assert stored_items(restored) == stored_items(cloud.table)
    monkeypatch.setenv("TABLE_NAME", "levels-restored")  # what the parameter RestoredTable does
    assert cloud.rate(MONTH)["outcome"] == "unchanged"
    assert cloud.rate({"verify": published["run"]})["outcome"] == "verified"
    assert cloud.rate({"month": "2026-06"})["outcome"] == "published"
    assert sorted(restored.pointer().publications) == ["2026-05", "2026-06"]
    assert sorted(cloud.table.pointer().publications) == ["2026-05"]


@pytest.mark.parametrize("lost", ["overwritten", "deleted"])
def test_a_run_can_be_verified_again_after_its_overwritten_or_deleted_extract_was_restored(
    cloud: Cloud, lost: str
) -> None:
    """The bucket keeps versions; the run's record has the ETag of the right one."""
    cloud.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    cloud.put_month("2026-05", {"a": (5, 500_000), "b": (1, 0)})
    run = cloud.rate(MONTH)["run"]
    key = "in/orders/month=2026-05/part-0.csv"
    (read,) = [one for one in load_record(cloud.table, run).inputs if one.key == key]
    if lost == "overwritten":
        cloud.put_object("orders", "2026-05", "part-0.csv", b"order_id,creator_id,pay_time,pay_amount\n")
    else:
        cloud.s3.delete_object(Bucket=BUCKET, Key=key)
    differs = cloud.rate({"verify": run})
    assert differs["outcome"] == "differs"
    assert any("in/orders/month=2026-05/" in one for one in differs["differences"])

    versions = cloud.s3.list_object_versions(Bucket=BUCKET, Prefix=key)["Versions"]
    right = next(one["VersionId"] for one in versions if one["ETag"].strip('"') == read.etag.strip('"'))
    cloud.s3.copy_object(Bucket=BUCKET, Key=key, CopySource={"Bucket": BUCKET, "Key": key, "VersionId": right})
    assert cloud.rate({"verify": run})["outcome"] == "verified"


def test_a_stack_in_another_region_gets_the_same_runs_from_the_extracts(cloud: Cloud) -> None:
    """Table and reports are lost. Rating the months again gives the same runs; the saved ledger says who decided."""
    first = cloud.rate(MONTH)
    june = cloud.rate({"month": "2026-06"})
    levels = {month: cloud.levels(month) for month in ("2026-05", "2026-06")}
    kept = cloud.report(f"s3://{REPORTS}/out/ledger/month=2026-05.jsonl")
    for item in cloud.items().values():
        cloud.table.client.delete_item(TableName=TABLE, Key={name: item[name] for name in ("pk", "sk")})
    for one in cloud.s3.list_objects_v2(Bucket=REPORTS)["Contents"]:
        cloud.s3.delete_object(Bucket=REPORTS, Key=one["Key"])
    again = [cloud.rate({"month": month}) for month in ("2026-05", "2026-06")]
    assert [answer["run"] for answer in again] == [first["run"], june["run"]]
    assert {month: cloud.levels(month) for month in levels} == levels
    assert json.loads(kept.splitlines()[0])["run"] == first["run"]


def test_each_publication_and_decision_writes_the_months_ledger_to_s3(cloud: Cloud) -> None:
    first = cloud.rate(MONTH)
    cloud.put_month("2026-05", {"a": (1, 0), "b": (1, 0)})
    second = cloud.rate(MONTH)
    cloud.rate({"rollback": first["run"], "by": "Li", "reason": "the extracts were wrong"})
    lines = [json.loads(line) for line in cloud.report(f"s3://{REPORTS}/out/ledger/month=2026-05.jsonl").splitlines()]
    assert [(line["action"], line["run"]) for line in lines] == [
        ("published", first["run"]),
        ("restated", second["run"]),
        ("rolled_back", first["run"]),
    ]
    assert lines[-1]["reason"] == "the extracts were wrong"
