"""An embedded AWS: S3, DynamoDB and EventBridge on 127.0.0.1, in a child process that ends with its owner."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, cast
from urllib.parse import urlsplit

import boto3

from local.cloud.template import ROOT, table_definition
from local.commandline import UserMistake

HOST = "127.0.0.1"
REGION = "us-east-1"
TABLE = "levels"
EXTRACTS = "s3://extracts/monthly"
REPORTS = "s3://reports/runs"
WORKBOOKS = "workbook"
"""The bucket of an Excel workbook. It keeps versions, as docs/deploy.md recommends."""
SERVICES = ("s3", "dynamodb", "events")


class NotLocal(UserMistake):
    """An AWS client would talk to something other than the embedded AWS; nothing was sent."""


@dataclass(frozen=True, slots=True)
class EmbeddedAws:
    """A running embedded AWS."""

    endpoint: str

    def environment(self) -> dict[str, str]:
        """The environment variables that make functions and AWS clients use this embedded AWS."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "embedded",
            "AWS_SECRET_ACCESS_KEY": "embedded",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": HOST,
            "TABLE_NAME": TABLE,
            "EXTRACTS": EXTRACTS,
            "REPORTS": REPORTS,
            "EXAMPLE_THRESHOLDS": "allow",
        }

    def enter(self) -> None:
        """Make this process's AWS clients use it, whatever the developer's settings are. Raises NotLocal."""
        for name in list(os.environ):
            if name.startswith("AWS_") or name.upper() == "NO_PROXY":
                del os.environ[name]
        os.environ.update(self.environment())
        refuse_elsewhere()


@contextmanager
def embedded_aws() -> Iterator[EmbeddedAws]:
    """An embedded AWS with the table and the buckets. It ends with the block, or when its owner dies."""
    with subprocess.Popen(
        [sys.executable, "-m", "local.cloud.embedded"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        owner_lives, answer = cast("IO[str]", child.stdin), cast("IO[str]", child.stdout)
        try:
            endpoint = answer.readline().strip()
            if not endpoint:
                raise UserMistake(f"The embedded AWS did not start: exit code {child.wait()}; its message is above.")
            yield EmbeddedAws(endpoint)
        finally:
            owner_lives.close()


def refuse_elsewhere() -> None:
    """Raises NotLocal if new AWS clients would not use this machine.

    Asks the SDK for the address, since variables, profiles and files can all change it.
    """
    session = boto3.Session()
    for service in SERVICES:
        url = session.client(service).meta.endpoint_url  # type: ignore[call-overload]
        if urlsplit(url).hostname != HOST:
            raise NotLocal(
                f"{service} would be reached at {url}, expected {HOST}: this program uses the embedded AWS only. "
                "Unset what redirects the AWS SDK, then run again."
            )


def create_table_and_buckets() -> None:
    """Create what template.yaml declares and the functions need."""
    s3, dynamodb = boto3.client("s3"), boto3.client("dynamodb")
    for url in (EXTRACTS, REPORTS):
        s3.create_bucket(Bucket=urlsplit(url).netloc)
    s3.create_bucket(Bucket=WORKBOOKS)
    s3.put_bucket_versioning(Bucket=WORKBOOKS, VersioningConfiguration={"Status": "Enabled"})
    definition = table_definition()
    dynamodb.create_table(TableName=TABLE, **definition.create)
    dynamodb.update_time_to_live(TableName=TABLE, TimeToLiveSpecification=definition.expiry)


def main() -> None:
    """Serve until standard input closes, which happens when the owner ends in any way."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - slow to import, and needed in the child only

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches this process too, but only its owner decides
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(HOST, 0, verbose=False)
    server.start()
    aws = EmbeddedAws("http://{}:{}".format(*server.get_host_and_port()))
    aws.enter()
    create_table_and_buckets()
    print(aws.endpoint, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
