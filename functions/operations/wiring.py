"""Builds the real services of the console's function from its environment, once for each instance."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import boto3
from botocore.config import Config

from functions.operations.api import Services
from functions.operations.asking import Asking, Invoke, invoke_with
from functions.operations.reading import Reader
from functions.operations.serving import Handler, serving
from shared.settings import OperationsSettings
from shared.table import Table

CONFIG = Config(connect_timeout=2, read_timeout=8, retries={"mode": "standard", "total_max_attempts": 3})


def handler_from(settings: OperationsSettings, invoke: Invoke | None = None) -> Handler:
    """A handler over the deployed table and buckets. ``invoke``: another way to invoke the rating function."""
    s3 = boto3.client("s3", config=CONFIG)
    table = Table(boto3.client("dynamodb", config=CONFIG), settings.table_name)
    reader = Reader(table, s3, settings.extracts, settings.reports, settings.zone)
    ask = invoke or invoke_with(boto3.client("lambda", config=CONFIG), settings.rating_function)
    return serving(Services(reader, Asking(table, ask, _now), s3, settings.workbook, _now))


def _now() -> datetime:
    return datetime.now(UTC)


def from_environment() -> Handler:
    return handler_from(OperationsSettings.from_environment(os.environ))
