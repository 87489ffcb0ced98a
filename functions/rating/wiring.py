"""Builds the real services of the rating function from its settings. Only this module chooses an engine."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from functions.rating.extracts.inventory import Extracts
from functions.rating.measuring.measurements import Measurements
from functions.rating.measuring.reuse import Distributed, Embedded, Measuring
from functions.rating.measuring.spark.glue import GlueJob
from functions.rating.progress import Listener, Progress
from functions.rating.publication.outbox import Outbox
from functions.rating.publication.publisher import Publisher
from functions.rating.publication.report import Reports
from functions.rating.publication.staging import WRITERS
from functions.rating.services import Services
from functions.rating.workbook.description import Description, load_description
from functions.rating.workbook.example import Example
from functions.rating.workbook.folder import Folder
from functions.rating.workbook.source import WorkbookSource
from shared.errors import WorkbookUnavailable
from shared.settings import RatingSettings
from shared.table import Table

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from mypy_boto3_s3 import S3Client

    from functions.rating.measuring.embedded.measure import EmbeddedEngine

ROOT = Path(__file__).parents[2]
CLIENT = Config(
    retries={"mode": "standard", "max_attempts": 8},
    connect_timeout=5,
    read_timeout=60,
    max_pool_connections=2 * WRITERS,
)


def wire(settings: RatingSettings, context: LambdaContext, listener: Listener | None) -> Services:
    """The real services, built again for each invocation (there are few in a month)."""
    # The default signature of links is not accepted in every region.
    s3 = boto3.client("s3", config=CLIENT.merge(Config(signature_version="s3v4")))
    measurements = Measurements(s3, settings.reports, settings.scratch)
    engine = _engine(settings, s3, int(context.memory_limit_in_mb))  # Lambda sets this variable as text
    measuring = Measuring(
        measurements,
        engine,
        settings.zone,
        int96_is_utc=settings.int96_is_utc,
        distributed=distributed_engine(settings, measurements),
        embedded_bytes=settings.embedded_gb * 10**9 if settings.measuring == "auto" else -1,
    )
    table = Table(boto3.client("dynamodb", config=CLIENT), settings.table_name)
    outbox = Outbox(table, boto3.client("events", config=CLIENT), settings.event_bus)
    progress = Progress(listener, remaining=lambda: context.get_remaining_time_in_millis() / 1000)
    publisher = Publisher(table, outbox, progress, lambda: datetime.now(UTC), code_version())
    description = load_description(ROOT / "config" / "workbook.json")
    return Services(
        workbook=workbook_source(settings.workbook, description, s3),
        description=description,
        example=Example(ROOT / "config" / "workbook", description, settings.example_allowed),
        extracts=Extracts(s3, settings.extracts),
        measure=measuring.measure,
        table=table,
        reports=Reports(s3, settings.reports),
        publisher=publisher,
        zone=settings.zone,
        retention_months=settings.retention_months,
        code_version=publisher.code_version,
        now=publisher.now,
        progress=progress,
        scratch=settings.scratch,
    )


def wire_workbook(settings: RatingSettings) -> WorkbookSource:
    """The workbook alone: enough to read the console tab."""
    description = load_description(ROOT / "config" / "workbook.json")
    return workbook_source(settings.workbook, description, boto3.client("s3", config=CLIENT))


def _engine(settings: RatingSettings, s3: S3Client, megabytes: int) -> Embedded:
    """The method of the engine, imported only when a month is measured: a check or a decision needs no engine.

    The engine lives as long as the returned function, because its quarantine file does.
    """

    @cache
    def engine() -> EmbeddedEngine:
        from functions.rating.measuring.embedded import measure  # noqa: PLC0415 - see above

        bucket, memory = settings.extracts.bucket, measure.engine_memory(megabytes * 1024**2)
        return measure.EmbeddedEngine(
            s3, bucket, settings.zone, settings.scratch, memory, int96_is_utc=settings.int96_is_utc
        )

    return lambda inventory, max_bad_row_share, progress: engine().measure(inventory, max_bad_row_share, progress)


def distributed_engine(settings: RatingSettings, measurements: Measurements) -> Distributed | None:
    """The engine for months that are too large for this function. None if the setting MEASURING excludes it."""
    if settings.measuring == "embedded":
        return None
    glue = boto3.client("glue", config=CLIENT)
    return GlueJob(glue, settings.glue_job, measurements, settings.extracts, lambda: datetime.now(UTC)).measure


def workbook_source(setting: str, description: Description, s3: S3Client) -> WorkbookSource:
    """The workbook that the setting WORKBOOK names: a folder, a Google Sheet, or a file or folder in S3.

    Imports only the library of that source. Raises WorkbookUnavailable for any other setting.
    """
    kind, _, name = setting.partition(":")
    if kind == "dir":
        return Folder(Path(name), description)
    if kind == "gsheet":
        from functions.rating.workbook.google.source import GoogleSource  # noqa: PLC0415 - folders need no Google

        return GoogleSource(name, description)
    if kind == "s3":
        from functions.rating.workbook.bucket.source import BucketWorkbook  # noqa: PLC0415 - nor do they need Excel

        bucket, _, key = name.removeprefix("//").partition("/")
        return BucketWorkbook(s3, bucket, key, description)
    raise WorkbookUnavailable(
        f"workbook {setting!r}: expected gsheet:<spreadsheet key>, s3://<bucket>/<key>.xlsx, s3://<bucket>/<prefix>/ "
        "or dir:<folder>"
    )


def code_version() -> str:
    """A digest of the rating code, for the ledger. The same code has the same digest on every machine."""
    digest = sha256()
    found = [*ROOT.glob("functions/rating/**/*"), *ROOT.glob("shared/*"), ROOT / "config" / "workbook.json"]
    for path in sorted(found):
        if path.suffix in (".py", ".sql", ".json"):
            digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]
