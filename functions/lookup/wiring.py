"""Builds the real services of the lookup function from its environment, once for each instance."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, cast

from botocore.session import get_session

from functions.lookup.api import serving
from functions.lookup.authorization import Access
from functions.lookup.budget import Budget
from functions.lookup.cursors import Cursors
from functions.lookup.priming import prime
from functions.lookup.publications import Publications
from functions.lookup.routing import Services
from shared.observability import metrics
from shared.settings import LookupSettings
from shared.table import Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Requests to the table hold nothing that was not checked here. The SDK composes its own user agent for each of them,
# which takes as long as reading an agency's rating.
CLIENT: dict[str, Any] = {"parameter_validation": False, "user_agent": "mcn-levels"}


def services_from(settings: LookupSettings) -> Services:
    """Services over the deployed table. Uses botocore alone, since boto3 takes a tenth of the cold start."""
    budget = Budget(settings.request_seconds)
    client = cast("DynamoDBClient", get_session().create_client("dynamodb", config=budget.config(**CLIENT)))
    budget.watch(client)
    table = Table(client, settings.table_name, sleep=budget.sleep)
    publications = Publications(table, settings.zone, settings.retention_months)
    access = Access(settings.agency_claim, settings.local_caller)
    return Services(publications, Cursors(settings.cursor_key), access, budget, settings.base_path)


settings = LookupSettings.from_environment(os.environ)
metrics.set_default_dimensions(stack=settings.stack, version=os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", "local"))
handler = serving(services_from(settings))

if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
    prime(handler)
