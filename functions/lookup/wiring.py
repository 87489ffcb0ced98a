"""The real services of the lookup function, wired by its environment, once for each instance of the function."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, cast

from botocore.config import Config
from botocore.session import get_session

from functions.lookup.api import serving
from functions.lookup.cursors import Cursors
from functions.lookup.priming import prime
from functions.lookup.publications import Publications
from functions.lookup.routing import Services
from shared.observability import metrics
from shared.settings import LookupSettings
from shared.table import Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# A caller who has waited longer than this has gone. Requests to the table hold nothing that was not checked here. The
# SDK composes its own user agent for each of them, which takes as long as reading an agency's rating.
CONFIG = Config(
    connect_timeout=1,
    read_timeout=2,
    retries={"mode": "standard", "total_max_attempts": 3},
    parameter_validation=False,
    user_agent="mcn-levels",
)


def services_from(settings: LookupSettings) -> Services:
    """Services over the deployed table. botocore alone: boto3 would cost a tenth of the cold start."""
    client = cast("DynamoDBClient", get_session().create_client("dynamodb", config=CONFIG))
    publications = Publications(Table(client, settings.table_name), settings.zone)
    return Services(publications, Cursors(settings.cursor_key), settings.authorized_routes_only)


settings = LookupSettings.from_environment(os.environ)
metrics.set_default_dimensions(stack=settings.stack, version=os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", "local"))
handler = serving(services_from(settings))

if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
    prime(handler)
