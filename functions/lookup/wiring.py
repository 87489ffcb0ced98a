"""The real parts of the lookup function, wired by its environment, once for each instance of the function."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, cast

from botocore.config import Config
from botocore.session import get_session

from functions.lookup.api import serving
from functions.lookup.cursors import Cursors
from functions.lookup.desk import Desk
from functions.lookup.priming import prime
from functions.lookup.publications import Published
from shared.settings import LookupSettings
from shared.table import Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# A caller who has waited longer than this has gone. Requests to the table hold nothing that was not checked here. The
# SDK puts its own user agent together anew for each of them, which takes as long as reading an agency's rating.
CONFIG = Config(
    connect_timeout=1,
    read_timeout=2,
    retries={"mode": "standard", "total_max_attempts": 3},
    parameter_validation=False,
    user_agent="mcn-levels",
)


def desk_from(settings: LookupSettings) -> Desk:
    """The desk that answers from the deployed table. botocore alone: boto3 would cost a tenth of the cold start."""
    client = cast("DynamoDBClient", get_session().create_client("dynamodb", config=CONFIG))
    published = Published(Table(client, settings.table_name))
    return Desk(published, Cursors(settings.cursor_key), settings.zone, settings.authorized_routes_only)


handler = serving(desk_from(LookupSettings.from_environment(os.environ)))

if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
    prime(handler)
