"""An emulated AWS in this process: the table that template.yaml declares, and buckets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import s3_backends

from local.cloud.template import table_definition
from shared.items import key_of
from shared.table import Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

REGION = "cn-north-1"
TABLE = "levels"


@contextmanager
def emulated_aws(**environment: str) -> Iterator[None]:
    """Within the block, AWS clients use an empty emulation. Sets the variables in ``environment`` too."""
    own = {"AWS_DEFAULT_REGION": REGION, "AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**own, **environment}.items():
            patch.setenv(name, value)
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        with mock_aws():
            yield


def remembered() -> Callable[[], None]:
    """Copy the content of the emulation's tables and buckets. The returned function restores it."""
    copies = [
        (backend, name, deepcopy(getattr(backend, name)))
        for backend, name in (
            *((backend, "tables") for backend in dynamodb_backends[DEFAULT_ACCOUNT_ID].values()),
            *((backend, "buckets") for backend in s3_backends[DEFAULT_ACCOUNT_ID].values()),
            (s3_backends, "bucket_accounts"),
        )
    ]

    def bring_back() -> None:
        for backend, name, content in copies:
            setattr(backend, name, deepcopy(content))

    return bring_back


def empty_table(client: DynamoDBClient | None = None, name: str = TABLE) -> Table:
    """A new table without pauses between attempts."""
    client = client or boto3.client("dynamodb")
    client.create_table(TableName=name, **table_definition().create)
    return Table(client, name, sleep=lambda _: None)


def stored_items(table: Table) -> dict[tuple[str, str], dict[str, Any]]:
    """Everything in a table, by its key."""
    pages = table.client.get_paginator("scan").paginate(TableName=table.name)
    return {key_of(item): item for page in pages for item in page["Items"]}


def create_bucket(s3: Any, name: str) -> None:
    """A new bucket in the emulation's region."""
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
