"""Invokes the deployed rating function as an event, and follows its progress in the table.

A synchronous call would wait up to 15 minutes on one connection, and a NAT gateway drops a connection that is silent
for 350 seconds. So the function writes its answer to a ticket. Until it is there, new ledger lines are shown.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from functions.rating.publication import ledger
from local.commandline import UserMistake
from shared.table import Table
from shared.tickets import open_ticket, read_ticket

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client

POLL_SECONDS = 3.0
LAMBDA_LIMIT_SECONDS = 900
_OWN = {"region_name": "us-east-1", "aws_access_key_id": "local", "aws_secret_access_key": "local"}


def lambda_of_serve(port: int) -> LambdaClient:
    """The Lambda of ``make serve`` on a port of this machine, in which there is one function."""
    config = Config(read_timeout=LAMBDA_LIMIT_SECONDS + 30, retries={"max_attempts": 0}, proxies={})
    return boto3.client("lambda", endpoint_url=f"http://127.0.0.1:{port}", config=config, **_OWN)  # type: ignore[call-overload, no-any-return]


@dataclass(frozen=True, slots=True)
class Served:
    """The table and the S3 of ``make serve``."""

    table: Table
    s3: S3Client

    @classmethod
    def on(cls, port: int) -> Served:
        """Those behind the function on a port."""
        variables = lambda_of_serve(port).get_function_configuration(FunctionName="rating")["Environment"]["Variables"]
        there = {"endpoint_url": variables["AWS_ENDPOINT_URL"], "config": Config(proxies={}), **_OWN}
        table = Table(boto3.client("dynamodb", **there), variables["TABLE_NAME"])  # type: ignore[call-overload]
        return cls(table, boto3.client("s3", **there))  # type: ignore[call-overload]


@dataclass(frozen=True)
class Deployed:
    """The deployed rating function and its table. ``say`` prints a line for the waiting person."""

    client: LambdaClient
    function: str
    table: Table
    log_group: str
    say: Callable[[str], None]
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @classmethod
    def find(cls, session: boto3.Session, function: str, say: Callable[[str], None]) -> Deployed:
        """The function with this name. Raises UserMistake when there is none."""
        client = session.client("lambda")
        try:
            found = client.get_function_configuration(FunctionName=function)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            raise UserMistake(
                f"{function}: there is no such function in {session.region_name}. Expected the RatingFunctionName of "
                "the stack's outputs: export RATING_FUNCTION=<stack>-rating, and the stack's region"
            ) from error
        table = Table(session.client("dynamodb"), found["Environment"]["Variables"]["TABLE_NAME"])
        return cls(client, function, table, found.get("LoggingConfig", {}).get("LogGroup", ""), say)

    def ask(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to an event, however long it takes. Raises UserMistake with the function's refusal."""
        ticket, began = secrets.token_hex(10), self.now()
        open_ticket(self.table, ticket, str(event.get("by") or "tools.operate"), began, event)
        payload = json.dumps({**event, "ticket": ticket}).encode()
        self.client.invoke(FunctionName=self.function, InvocationType="Event", Payload=payload)
        shown: set[str] = set()
        while (found := read_ticket(self.table, ticket, self.now())) is None or found.state == "asked":
            for line in self._new_lines(event, began, shown):
                self.say(line)
            self.sleep(POLL_SECONDS)
        for line in self._new_lines(event, began, shown):
            self.say(line)
        if found.answer is None:
            raise UserMistake(
                f"no answer after 20 minutes: the run was killed, by its time or its memory. Look at the last lines of "
                f"{self.log_group}, and at the queue of failed runs (docs/runbook)"
            )
        if found.state == "failed":
            raise UserMistake(f"{found.answer['error']}: {' '.join(found.answer['message'].split())}")
        return dict(found.answer)

    def _new_lines(self, event: Mapping[str, Any], began: datetime, shown: set[str]) -> Iterator[str]:
        """The month's ledger lines written since the request began."""
        if "month" not in event:
            return
        for entry in ledger.entries(self.table, event["month"]):
            if entry.at >= began.isoformat(timespec="microseconds") and entry.at not in shown:
                shown.add(entry.at)
                yield f"ledger: {entry.at} {entry.month} {entry.action} {entry.run}"
