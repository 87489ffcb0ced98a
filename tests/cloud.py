"""A small cloud for tests of the whole rating function: one table, two buckets, a workbook folder, extracts as CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.rating.app import handler
from shared.table import Table

BUCKET, REPORTS, TABLE = "extracts", "reports", "levels"
COLUMNS = {
    "agencies": ("agency_id", "name", "joined_at", "city", "introduction", "logo_url"),
    "creators": ("creator_id", "agency_id", "bind_time", "unbind_time", "power_level", "risk_tag"),
    "orders": ("order_id", "creator_id", "pay_time", "pay_amount", "risk_tag"),
}
WORKBOOK = {
    "levels": "level,name,description\n1,一级,\n2,二级,\n3,三级,\n",
    "metrics": "metric,name,measure,min_power,max_power,unit\n"
    "six,6级达人,creator_count,6,7,人\ngmv,月支付GMV,paid_gmv,,,元\n",
    "thresholds": "effective_month,level,channel,six,gmv\n,1,1,1,\n,1,2,,100\n,2,1,2,100\n,2,2,,1000\n,3,1,5,5000\n",
    "benefits": "benefit,name,description,kind,1,2,3\ncontact,达人建联机构,,flag,,TRUE,TRUE\n",
    "tips": "metric,tip,link\ngmv,多开播 / stream more,\n",
}
Row = Sequence[object]


class Context(SimpleNamespace):
    """What Lambda hands a function beside the event."""

    function_name = "rating"
    memory_limit_in_mb = 3008
    invoked_function_arn = "arn:aws:lambda:cn-north-1:000000000000:function:rating"
    aws_request_id = "00000000-0000-0000-0000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        return 900_000


@dataclass
class Cloud:
    """The small cloud, and what tests do in it."""

    workbook: Path
    s3: Any
    table: Table

    def write_workbook(self, **tabs: str) -> None:
        """Write the small workbook with some tabs replaced (by their key)."""
        for name, text in {**WORKBOOK, **tabs}.items():
            (self.workbook / f"{name}.csv").write_text(text, encoding="utf-8")

    def put(self, dataset: str, month: str, rows: Iterable[Row], name: str = "part-0.csv", ready: bool = True) -> None:
        """Put one CSV object of a dataset, rows in the contract's column order, and its _SUCCESS."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS[dataset])
        writer.writerows([*row, *[""] * (len(COLUMNS[dataset]) - len(row))] for row in rows)
        self.put_object(dataset, month, name, text.getvalue().encode())
        if ready:
            self.put_object(dataset, month, "_SUCCESS", b"")

    def put_object(self, dataset: str, month: str, name: str, body: bytes) -> None:
        self.s3.put_object(Bucket=BUCKET, Key=f"in/{dataset}/month={month}/{name}", Body=body)

    def put_month(self, month: str, agencies: dict[str, tuple[int, int]]) -> None:
        """A whole month: agency id -> (creators of power 6, GMV in fen of one order)."""
        creators = [
            (f"{agency}-{n}", agency, "2025-01-01 00:00:00", "", 6 if n < sixes else 3)
            for agency, (sixes, _) in agencies.items()
            for n in range(sixes + 1)
        ]
        orders = [
            (f"{month}-{agency}", f"{agency}-0", f"{month}-15 12:00:00", fen) for agency, (_, fen) in agencies.items()
        ]
        self.put("agencies", month, [(agency, f"机构 {agency}", "2025-01-01 00:00:00") for agency in agencies])
        self.put("creators", month, creators)
        self.put("orders", month, orders)

    def rate(self, event: dict[str, Any]) -> dict[str, Any]:
        """What the real handler answers to an event; the answer is JSON, as Lambda would send it."""
        answer: dict[str, Any] = handler(event, Context())
        json.dumps(answer)
        return answer

    def levels(self, month: str | None = None) -> dict[str, int | None]:
        """The levels that readers see."""
        pointer = self.table.pointer()
        publication = pointer.publications[month] if month else pointer.current()
        return {agency: standing.level for agency, standing in self.table.standings(publication.run).items()}

    def items(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Everything in the table."""
        pages = self.table.client.get_paginator("scan").paginate(TableName=self.table.name)
        return {(item["pk"]["S"], item["sk"]["S"]): item for page in pages for item in page["Items"]}

    def report(self, url: str) -> str:
        """A report's text, by the URL in an answer."""
        bucket, key = url.removeprefix("s3://").split("/", 1)
        body: bytes = self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return body.decode()


@contextmanager
def small_cloud(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """The small cloud with an empty table, empty buckets and the small workbook."""
    workbook, scratch = folder / "workbook", folder / "scratch"
    workbook.mkdir()
    scratch.mkdir()
    environment = {
        "AWS_DEFAULT_REGION": "cn-north-1",
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nothing",
        "TABLE_NAME": TABLE,
        "EXTRACTS": f"s3://{BUCKET}/in",
        "REPORTS": f"s3://{REPORTS}/out",
        "WORKBOOK": f"dir:{workbook}",
        "SCRATCH": str(scratch),
        "POWERTOOLS_SERVICE_NAME": "rating",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        s3 = boto3.client("s3")
        for bucket in (BUCKET, REPORTS):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "cn-north-1"})
        client = boto3.client("dynamodb")
        client.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        )
        cloud = Cloud(workbook, s3, Table(client, TABLE))
        cloud.write_workbook()
        yield cloud
