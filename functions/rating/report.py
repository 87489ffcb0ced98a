"""What operations read after a run: one JSON document and one HTML page, kept in S3 beside the run's quarantine."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from functions.rating.compute import Computed
from functions.rating.explain import comparison
from functions.rating.rulebook import Fault
from functions.rating.stages import Stages
from shared.content import canonical_json
from shared.errors import ReportUnwritten
from shared.settings import S3Prefix

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Reports:
    """Writes reports below one place in S3."""

    def __init__(self, client: S3Client, place: S3Prefix) -> None:
        self.client = client
        self.place = place

    def url(self, month: str, run: str) -> str:
        """Where the report of a run is, whether or not it is still kept."""
        return self.place.url(*_folder(month, run), "report.json")

    def write(self, computed: Computed, stages: Stages, faults: Sequence[Fault], *, preview: bool = False) -> str:
        """Write a run's report and its quarantine; the report's URL. Raises ReportUnwritten."""
        folder = _folder(str(computed.month), computed.run, preview=preview)
        document = report_document(computed, stages, faults)
        if quarantine := computed.measured.quarantine:
            self._put(quarantine.read_bytes(), *folder, f"quarantine{''.join(Path(quarantine).suffixes)}")
        self._put(json.dumps(document, ensure_ascii=False, indent=1).encode(), *folder, "report.json")
        return self.place.url(*folder, "report.json")

    def _put(self, body: bytes, *parts: str) -> None:
        key = self.place.key(*parts)
        try:
            self.client.put_object(Bucket=self.place.bucket, Key=key, Body=body)
        except (BotoCoreError, ClientError) as error:
            raise ReportUnwritten(f"s3://{self.place.bucket}/{key}: {error}; nothing was published") from error


def report_document(computed: Computed, stages: Stages, faults: Sequence[Fault]) -> dict[str, Any]:
    """The report as data: the run's record, who moves and why, the sheet's warnings, seconds of each stage."""
    document = {
        "record": computed.record,
        "moves": comparison(computed.ratings, computed.earlier, computed.rulebook),
        "faults": [fault.as_dict() for fault in faults],
        "stages": dict(stages.seconds),
    }
    return dict(json.loads(canonical_json(document)))


def _folder(month: str, run: str, *, preview: bool = False) -> tuple[str, str]:
    return f"month={month}", f"{'preview' if preview else 'run'}={run}"
