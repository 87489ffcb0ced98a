"""What operations read after a run: one HTML page, the same as data, and the rows left out; all kept in S3."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from functions.rating.measuring.quarantine import MOST_OF_STOPPED, QUARANTINE
from functions.rating.publication.ledger import Entry
from functions.rating.run.computed import Computed
from functions.rating.run.distribution import distributions
from functions.rating.run.movers import comparison
from functions.rating.run.nothing_counted import words_for_nothing
from functions.rating.run.standings import Restatement
from functions.rating.workbook.rulebook import Fault
from shared.content import canonical_json
from shared.errors import ExtractError, ReportUnwritten
from shared.levels import Measure, Removed, Rulebook
from shared.money import yuan
from shared.settings import S3Prefix

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SHOWN_MOVERS = 1000  # on the page; the JSON document has all of them

WORDS = {
    "unrated": ("未定级", "unrated"),
    "awaiting_first_rating": ("等待首次考核", "awaiting first rating"),
    "up": ("升级", "up"),
    "down": ("降级", "down"),
    "same": ("不变", "same"),
    "new": ("新定级", "new"),
    "left": ("离开平台", "left"),
    "read": ("文件中的行", "rows in the files"),
    "quarantined": ("隔离的坏行", "quarantined"),
    "duplicate": ("重复", "duplicate"),
    "out_of_month": ("不在考核月", "out of month"),
    "excluded": ("风控剔除", "excluded (flagged)"),
    "unbound": ("无机构绑定", "unbound"),
    "used": ("计入", "used"),
}


@dataclass(frozen=True, slots=True)
class Context:
    """What a report tells beyond the run itself: its sheet's faults, seconds of each stage, and what happened before.

    ``in_force``: the rulebook that the earlier levels came from; ``restates``: what changes of the month's publication
    until now; ``preview``: nothing is going to be published; ``held_because``: what besides guardrails holds the run.
    """

    faults: Sequence[Fault]
    stages: Mapping[str, float]
    code_version: str
    ledger: Sequence[Entry] = ()
    in_force: Rulebook | None = None
    restates: Restatement | None = None
    preview: bool = False
    held_because: str | None = None


class Reports:
    """Writes reports below one place in S3."""

    def __init__(self, client: S3Client, place: S3Prefix) -> None:
        self.client = client
        self.place = place

    def url(self, month: str, run: str, *, preview: bool = False) -> str:
        """Where the report of a run is."""
        return self.place.url(*_folder(month, run, preview=preview), "report.html")

    def write(self, computed: Computed, context: Context) -> str:
        """Write a run's report and its quarantine; the report's URL. Raises ReportUnwritten."""
        month = str(computed.month)
        folder = _folder(month, computed.run, preview=context.preview)
        document = report_document(computed, context)
        if quarantine := computed.measured.quarantine:
            self._put(quarantine.read_bytes(), "application/octet-stream", *folder, quarantine.name)
        as_json = json.dumps(document, ensure_ascii=False, indent=1)
        self._put(as_json.encode(), "application/json; charset=utf-8", *folder, "report.json")
        page = report_page(computed.rulebook, document)
        self._put(page.encode(), "text/html; charset=utf-8", *folder, "report.html")
        return self.url(month, computed.run, preview=context.preview)

    def write_stopped(self, month: str, run: str, error: ExtractError) -> str:
        """Write why a run stopped and the first of its bad rows; the report's URL. Raises ReportUnwritten."""
        folder = (f"month={month}", f"stopped={run}")
        if error.quarantine:
            self._put(error.quarantine, "application/octet-stream", *folder, QUARANTINE)
        document = {"month": month, "run": run, "cause": type(error).__name__, "because": str(error)}
        as_json = json.dumps(document, ensure_ascii=False, indent=1)
        self._put(as_json.encode(), "application/json; charset=utf-8", *folder, "report.json")
        linked = QUARANTINE if error.quarantine else None
        page = _template("stopped.html.j2").render(document, quarantine=linked, most_rows=f"{MOST_OF_STOPPED:,}")
        self._put(page.encode(), "text/html; charset=utf-8", *folder, "report.html")
        return self.place.url(*folder, "report.html")

    def _put(self, body: bytes, content_type: str, *parts: str) -> None:
        key = self.place.key(*parts)
        try:
            self.client.put_object(Bucket=self.place.bucket, Key=key, Body=body, ContentType=content_type)
        except (BotoCoreError, ClientError) as error:
            raise ReportUnwritten(f"s3://{self.place.bucket}/{key}: {error}; nothing was published") from error


def report_document(computed: Computed, context: Context) -> dict[str, Any]:
    """The report as data: the run's record, who moves and why, the sheet's faults, timing and versions."""
    document = {
        "record": computed.record,
        "held": computed.record.held or context.held_because is not None,
        "held_because": context.held_because,
        "preview": context.preview,
        "moves": comparison(computed.ratings, computed.earlier, computed.rulebook, context.in_force),
        "level_names": {level.level: level.name for level in computed.rulebook.levels},
        "distributions": distributions(computed.ratings, computed.rulebook, str(computed.month)),
        "restates": context.restates,
        "words_for_nothing": {
            "creators": words_for_nothing(computed.record.quality.excluded_creators),
            "orders": words_for_nothing(computed.record.quality.excluded_orders),
        },
        "faults": [fault.as_dict() for fault in context.faults],
        "ledger": list(context.ledger),
        "stages": dict(context.stages),
        "code_version": context.code_version,
    }
    return dict(json.loads(canonical_json(document)))


def report_page(rulebook: Rulebook, document: Mapping[str, Any]) -> str:
    """The report as one HTML page in Chinese and English, without any outside resource."""
    record, metrics = document["record"], {metric.key: metric for metric in rulebook.metrics}

    def amount(metric: str, value: int) -> str:
        return yuan(value) if metrics[metric].measure is Measure.PAID_GMV else str(value)

    return _template("report.html.j2").render(
        document,
        words=WORDS,
        names={level.level: level.name for level in rulebook.levels},
        metrics=metrics,
        amount=amount,
        yuan=yuan,
        shown=SHOWN_MOVERS,
        most_in_level=max(record["levels"].values()),
        most_in_moves=max(record["moves"].values()),
        excluded=_excluded_by_tag(record["quality"]),
    )


def _template(name: str) -> Template:
    loader = FileSystemLoader(Path(__file__).parent)
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True).get_template(name)


def _excluded_by_tag(quality: Mapping[str, Any]) -> list[tuple[str, int, int, int]]:
    """Tag, creators, orders, fen."""
    creators = {removed["risk_tag"]: Removed(**removed) for removed in quality["excluded_creators"]}
    orders = {removed["risk_tag"]: Removed(**removed) for removed in quality["excluded_orders"]}
    none = Removed("", 0, 0)
    return [
        (tag, creators.get(tag, none).count, orders.get(tag, none).count, orders.get(tag, none).amount)
        for tag in sorted(creators.keys() | orders.keys())
    ]


def _folder(month: str, run: str, *, preview: bool) -> tuple[str, str]:
    return f"month={month}", f"{'preview' if preview else 'run'}={run}"
