"""An AWS of one's own: S3, DynamoDB and EventBridge on 127.0.0.1, in a child process that ends with its owner."""

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
"""The bucket of a workbook that is an Excel file; it keeps versions, as docs/deploy.md has it."""
SERVICES = ("s3", "dynamodb", "events")


class NotLocal(UserMistake):
    """An AWS client would talk to something other than the embedded AWS; nothing was sent."""


@dataclass(frozen=True, slots=True)
class EmbeddedAws:
    """A running embedded AWS."""

    endpoint: str

    def environment(self) -> dict[str, str]:
        """What the functions, and every AWS client, have to be told to work here."""
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
        """Point this process's AWS clients here, whatever the developer's own settings say. Raises NotLocal."""
        for name in list(os.environ):
            if name.startswith("AWS_") or name.upper() == "NO_PROXY":
                del os.environ[name]
        os.environ.update(self.environment())
        refuse_elsewhere()


@contextmanager
def embedded_aws() -> Iterator[EmbeddedAws]:
    """An embedded AWS with the table and the buckets; gone when the block is left, or when its owner dies."""
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
    """Raise NotLocal unless AWS clients made now talk to this machine.

    Asks the SDK itself where it would go, since variables, profiles and files can all redirect it.
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
    """Serve until standard input closes, which it does when the owner ends in whatever way."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - slow to import, and needed in the child only

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the owner decides
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
