"""Compares a measurement of another engine with DuckDB's, byte by byte."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import boto3

from functions.rating.extracts.inventory import Extracts, Inventory
from functions.rating.measuring.embedded.measure import EmbeddedEngine
from functions.rating.measuring.measurements import Measurements
from functions.rating.measuring.plan import Plan
from functions.rating.measuring.relations import relations_of
from functions.rating.measuring.totals import MonthTotals
from functions.rating.progress import Progress
from local.cloud.embedded import EXTRACTS, REPORTS
from shared.months import Month
from shared.settings import DEFAULT_ZONE, S3Prefix


def alike(month: Month) -> bool:
    """Whether the stored measurement of a month equals what DuckDB measures here."""
    s3, extracts, zone = boto3.client("s3"), S3Prefix.parse(EXTRACTS), ZoneInfo(DEFAULT_ZONE)
    inventory = Extracts(s3, extracts).find(month)
    if not isinstance(inventory, Inventory):
        return False
    with TemporaryDirectory() as folder:
        plan = Plan.of(inventory, zone, int96_is_utc=True)
        kept = Measurements(s3, S3Prefix.parse(REPORTS), Path(folder)).find(plan.id)
        engine = EmbeddedEngine(s3, extracts.bucket, zone, Path(folder))
        here = engine.measure(inventory, Decimal(1), Progress())
        return kept is not None and kept.engine != here.engine and bytes_of(kept) == bytes_of(here)


def bytes_of(totals: MonthTotals) -> tuple[bytes, bytes]:
    return relations_of(totals), totals.quarantine.read_bytes() if totals.quarantine else b""
