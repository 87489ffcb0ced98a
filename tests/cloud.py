"""A small cloud for tests of the whole rating function: one table, two buckets, a workbook folder, extracts as CSV."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

from functions.rating.app import handler
from local.cloud.invocation import Context
from shared.items import key_of
from shared.table import Table
from shared.tickets import CHECK_KEY
from tests.aws import TABLE, create_bucket, empty_table, emulated_aws, remembered, stored_items
from tests.months import Row, as_csv, month_rows

BUCKET, REPORTS = "extracts", "reports"
FUNCTION_SECONDS = 900
WORKBOOK = {
    "levels": "level,name,description\n1,一级,\n2,二级,\n3,三级,\n",
    "metrics": "metric,name,measure,min_power,max_power,unit\n"
    "six,6级达人,creator_count,6,7,人\ngmv,月支付GMV,paid_gmv,,,元\n",
    "thresholds": "effective_month,level,channel,six,gmv\n,1,1,1,\n,1,2,,100\n,2,1,2,100\n,2,2,,1000\n,3,1,5,5000\n",
    "benefits": "benefit,name,description,kind,1,2,3\ncontact,达人建联机构,,flag,,TRUE,TRUE\n",
    "tips": "metric,tip,link\ngmv,多开播 / stream more,\n",
}


@dataclass
class Cloud:
    """The small cloud, with the actions that tests need."""

    workbook: Path
    s3: Any
    table: Table
    memories: dict[str, tuple[Callable[[], None], dict[Path, bytes]]] = field(default_factory=dict)

    def write_workbook(self, **tabs: str) -> None:
        """Write the small workbook with some tabs replaced (by their key)."""
        for name, text in {**WORKBOOK, **tabs}.items():
            (self.workbook / f"{name}.csv").write_text(text, encoding="utf-8")

    def put(self, dataset: str, month: str, rows: Iterable[Row], name: str = "part-0.csv", ready: bool = True) -> None:
        """Put one CSV object of a dataset, rows in the contract's column order, and its _SUCCESS."""
        self.put_object(dataset, month, name, as_csv(dataset, rows).encode())
        if ready:
            self.put_object(dataset, month, "_SUCCESS", b"")

    def put_object(self, dataset: str, month: str, name: str, body: bytes) -> None:
        self.s3.put_object(Bucket=BUCKET, Key=f"in/{dataset}/month={month}/{name}", Body=body)

    def put_month(self, month: str, agencies: dict[str, tuple[int, int]]) -> None:
        """A whole month: agency id -> (creators of power 6, GMV in fen of one order)."""
        for dataset, rows in month_rows(month, agencies).items():
            self.put(dataset, month, rows)

    def forget_measurements(self) -> None:
        """Delete stored measurements, so that the next run measures its month again."""
        for stored in self.s3.list_objects_v2(Bucket=REPORTS, Prefix="out/measured/").get("Contents", []):
            self.s3.delete_object(Bucket=REPORTS, Key=stored["Key"])

    def rate(self, event: dict[str, Any]) -> dict[str, Any]:
        """The real handler's answer to an event, as JSON, as Lambda would send it."""
        answer: dict[str, Any] = handler(event, Context("rating", FUNCTION_SECONDS))
        json.dumps(answer)
        return answer

    def remember(self, name: str = "") -> None:
        """Remember the content of table, buckets and workbook for ``bring_back``."""
        files = {path: path.read_bytes() for path in self.workbook.iterdir()}
        self.memories[name] = (remembered(), files)

    def bring_back(self, name: str = "") -> Cloud:
        """Restore the content that was remembered under this name, any number of times."""
        stored, files = self.memories[name]
        stored()
        for path in {*self.workbook.iterdir()} - files.keys():
            path.unlink()
        for path, content in files.items():
            path.write_bytes(content)
        return self

    def levels(self, month: str | None = None) -> dict[str, int | None]:
        """The levels that readers see."""
        pointer = self.table.pointer()
        publication = pointer.publications[month] if month else pointer.current()
        return {agency: standing.level for agency, standing in self.table.standings(publication.run).items()}

    def items(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Everything in the table, except the result of the last check for the console."""
        return {names: item for names, item in stored_items(self.table).items() if names != key_of(CHECK_KEY)}

    def report(self, url: str) -> str:
        """A report's text, by the URL in an answer."""
        bucket, key = url.removeprefix("s3://").split("/", 1)
        body: bytes = self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return body.decode()


@contextmanager
def small_cloud(folder: Path, **environment: str) -> Iterator[Cloud]:
    """The small cloud with an empty table, empty buckets and the small workbook. ``environment`` adds variables."""
    workbook, scratch = folder / "workbook", folder / "scratch"
    workbook.mkdir()
    scratch.mkdir()
    own = {
        "TABLE_NAME": TABLE,
        "EXTRACTS": f"s3://{BUCKET}/in",
        "REPORTS": f"s3://{REPORTS}/out",
        "WORKBOOK": f"dir:{workbook}",
        "SCRATCH": str(scratch),
        "POWERTOOLS_SERVICE_NAME": "rating",
    }
    with emulated_aws(**{**own, **environment}):
        s3 = boto3.client("s3")
        for bucket in (BUCKET, REPORTS):
            create_bucket(s3, bucket)
        cloud = Cloud(workbook, s3, empty_table())
        cloud.write_workbook()
        yield cloud
