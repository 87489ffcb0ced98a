"""The lookup function's entry: wires the real parts, once for each instance of the function."""

from __future__ import annotations

import os

import boto3
from botocore.config import Config

from functions.lookup.api import serving
from functions.lookup.cursors import Cursors
from functions.lookup.desk import Desk
from functions.lookup.published import Published
from shared.settings import LookupSettings
from shared.table import Table

# A caller who has waited longer than this has gone.
PATIENCE = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 3})


def desk_from(settings: LookupSettings) -> Desk:
    """The desk that answers from the deployed table."""
    table = Table(boto3.client("dynamodb", config=PATIENCE), settings.table_name)
    return Desk(Published(table), Cursors(settings.cursor_key), settings.zone, settings.authorized_routes_only)


handler = serving(desk_from(LookupSettings.from_environment(os.environ)))
