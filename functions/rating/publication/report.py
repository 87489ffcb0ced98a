"""The report of a run for operations: an HTML page, the same as JSON, and the quarantined rows, all in S3."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from functions.rating.measuring.quarantine import QUARANTINE
from functions.rating.publication.ledger import Entry
from functions.rating.publication.report_page import report_page, stopped_page
from functions.rating.run.computed import Computed
from functions.rating.run.distribution import distributions
from functions.rating.run.guardrails import Because
from functions.rating.run.movers import comparison
from functions.rating.run.nothing_counted import words_for_nothing
from functions.rating.run.standings import Restatement
from functions.rating.workbook.changes import Change
from functions.rating.workbook.rulebook import Fault
from shared.bilingual import each_language
from shared.content import canonical_json
from shared.errors import ExtractError, ReportUnwritten, ScratchUnusable
from shared.levels import Measured, Rulebook
from shared.observability import logger
from shared.settings import S3Prefix

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


_RIGHTS = "If access is denied, check the policy of the reports bucket and the function's role."


@dataclass(frozen=True, slots=True)
class Context:
    """What a report shows besides the run: the sheet's faults, seconds of each stage, and the ledger.

    ``in_force``: the rulebook of the earlier levels. ``restates``: what changes in the month's publication.
    ``preview``: nothing will be published. ``held_because``: why the run is held besides the guardrails.
    ``earlier_measured``: the movers' earlier numbers, by agency_id. ``changes``: what differs in the sheet.
    ``workbook``: the objects in S3 that the rulebook was read from, each with its version.
    """

    faults: Sequence[Fault]
    stages: Mapping[str, float]
    code_version: str
    ledger: Sequence[Entry] = ()
    in_force: Rulebook | None = None
    restates: Restatement | None = None
    preview: bool = False
    held_because: Because | None = None
    earlier_measured: Mapping[str, Measured] = field(default_factory=dict)
    changes: Sequence[Change] = ()
    workbook: tuple[str, ...] = ()


class Reports:
    """Writes and reads reports below one location in S3."""

    def __init__(self, client: S3Client, location: S3Prefix) -> None:
        self.client = client
        self.location = location

    def url(self, month: str, run: str, *, preview: bool = False) -> str:
        """The URL of a run's report."""
        return self.location.url(*_folder(month, run, preview=preview), "report.html")

    def write(self, computed: Computed, context: Context) -> str:
        """Write a run's report and its quarantine. Returns the report's URL. Raises ReportUnwritten."""
        month = str(computed.month)
        folder = _folder(month, computed.run, preview=context.preview)
        quarantine = computed.measured.quarantine
        kept = self.location.url(*folder, quarantine.name) if quarantine else None
        document = report_document(computed, context, kept)
        if quarantine:
            self._put(quarantine.read_bytes(), "application/octet-stream", *folder, quarantine.name)
        self._put_json(document, *folder)
        self._put_page(report_page(document), *folder)
        return self.url(month, computed.run, preview=context.preview)

    def write_stopped(self, month: str, run: str, error: ExtractError | ScratchUnusable) -> str:
        """Write why a run stopped, with its first bad rows. Returns the report's URL. Raises ReportUnwritten."""
        folder = (f"month={month}", f"stopped={run}")
        quarantine = error.quarantine if isinstance(error, ExtractError) else b""
        if quarantine:
            self._put(quarantine, "application/octet-stream", *folder, QUARANTINE)
        document = {"month": month, "run": run, "cause": type(error).__name__, "because": str(error)}
        self._put_json(document, *folder)
        kept = self.location.url(*folder, QUARANTINE) if quarantine else None
        self._put_page(stopped_page(document, kept), *folder)
        return self.location.url(*folder, "report.html")

    def show_decision(self, month: str, run: str, ledger: Sequence[Entry]) -> None:
        """Write a run's report again with the decisions taken since. Does nothing if there is no report.

        Raises ReportUnwritten.
        """
        folder = _folder(month, run, preview=False)
        key = self.location.key(*folder, "report.json")
        try:
            if not self._exists(key):
                return
            body = self.client.get_object(Bucket=self.location.bucket, Key=key)["Body"].read()
        except (BotoCoreError, ClientError) as error:
            raise ReportUnwritten(f"s3://{self.location.bucket}/{key} can't be read ({error}). {_RIGHTS}") from error
        document = {**_kept(body), "ledger": json.loads(canonical_json(list(ledger)))}
        self._put_json(document, *folder)
        self._put_page(report_page(document), *folder)

    def _exists(self, key: str) -> bool:
        """Whether the object exists. Lists it, because reading a missing object gives AccessDenied."""
        found = self.client.list_objects_v2(Bucket=self.location.bucket, Prefix=key, MaxKeys=1)
        return any(listed["Key"] == key for listed in found.get("Contents", ()))

    def document(self, url: str) -> dict[str, Any] | None:
        """The JSON data of a report, by its URL; None if it can't be read."""
        try:
            answer = self.client.get_object(**self._object(url.removesuffix(".html") + ".json"))
            return _kept(answer["Body"].read())
        except (BotoCoreError, ClientError) as error:
            logger.warning("a report could not be read", report=url, cause=str(error))
            return None

    def link(self, url: str, seconds: int) -> str:
        """A link that opens a report in a browser for ``seconds``, or until AWS's credentials expire."""
        return self.client.generate_presigned_url("get_object", Params=self._object(url), ExpiresIn=seconds)

    def _object(self, url: str) -> Any:
        found = S3Prefix.parse(url)
        return {"Bucket": found.bucket, "Key": found.prefix}

    def export_ledger(self, month: str, ledger: Sequence[Entry]) -> None:
        """Write a month's ledger to S3, one JSON line for each entry, for the case that the table is lost.

        If it fails, that is only logged: levels don't depend on it.
        """
        lines = "".join(f"{canonical_json(entry)}\n" for entry in ledger)
        try:
            self._put(lines.encode(), "application/x-ndjson", "ledger", f"month={month}.jsonl")
        except ReportUnwritten as error:
            logger.warning("the ledger could not be exported", cause=str(error))

    def _put_json(self, document: Mapping[str, Any], *folder: str) -> None:
        text = json.dumps(document, ensure_ascii=False, indent=1)
        self._put(text.encode(), "application/json; charset=utf-8", *folder, "report.json")

    def _put_page(self, page: str, *folder: str) -> None:
        self._put(page.encode(), "text/html; charset=utf-8", *folder, "report.html")

    def _put(self, body: bytes, content_type: str, *parts: str) -> None:
        key = self.location.key(*parts)
        try:
            self.client.put_object(Bucket=self.location.bucket, Key=key, Body=body, ContentType=content_type)
        except (BotoCoreError, ClientError) as error:
            raise ReportUnwritten(
                f"s3://{self.location.bucket}/{key} can't be written ({error}). A run is published only with its "
                f"report; the next firing tries again. {_RIGHTS}"
            ) from error


def report_document(computed: Computed, context: Context, quarantine: str | None = None) -> dict[str, Any]:
    """The report as data: the run's record, movers with reasons, the sheet's faults, timing and versions.

    ``quarantine``: where the bad rows are kept; None without any.
    """
    document = {
        "record": computed.record,
        "held": computed.record.held or context.held_because is not None,
        "held_because": context.held_because,
        "preview": context.preview,
        "renewed_on": computed.month.renewed_on.isoformat(),
        "moves": comparison(
            computed.ratings, computed.earlier, computed.in_month, context.in_force, context.earlier_measured
        ),
        "level_names": {level.level: level.name for level in computed.in_month.levels},
        "distributions": distributions(computed.ratings, computed.in_month, str(computed.month)),
        "changes": [change.as_dict() for change in context.changes],
        "restates": context.restates,
        "words_for_nothing": {
            "creators": words_for_nothing(computed.record.quality.excluded_creators),
            "orders": words_for_nothing(computed.record.quality.excluded_orders),
        },
        "data_warnings": list(computed.measured.warnings),
        "retention_assessed": computed.measured.previous_creators is not None,
        "faults": [fault.as_dict() for fault in context.faults],
        "ledger": list(context.ledger),
        "workbook": context.workbook,
        "quarantine": quarantine,
        "stages": dict(context.stages),
        "code_version": context.code_version,
        "engine": computed.measured.engine,
    }
    return dict(json.loads(canonical_json(document)))


def _kept(body: bytes) -> dict[str, Any]:
    """A report as it was kept; earlier releases kept ``held_because`` as one string."""
    document: dict[str, Any] = json.loads(body)
    because = document.get("held_because")
    return {**document, "held_because": each_language(because)} if isinstance(because, str) else document


def _folder(month: str, run: str, *, preview: bool) -> tuple[str, str]:
    return f"month={month}", f"{'preview' if preview else 'run'}={run}"
