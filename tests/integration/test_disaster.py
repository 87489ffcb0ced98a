"""After a disaster: the table from its backup, the ledger from S3. docs/disaster.*.md describe the steps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from shared.table import Table
from tests.aws import TABLE, stored_items
from tests.cloud import REPORTS, Cloud, small_cloud

MONTH = {"month": "2026-05"}


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with small_cloud(tmp_path) as cloud:
        cloud.put_month("2026-05", {"a": (5, 500_000), "b": (1, 0)})
        cloud.put_month("2026-06", {"a": (1, 0), "b": (1, 0)})
        yield cloud


def test_a_stack_goes_on_with_a_table_restored_from_its_backup(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_each_publication_and_decision_leaves_the_months_ledger_in_s3(cloud: Cloud) -> None:
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
