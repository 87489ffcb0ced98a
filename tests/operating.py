"""Calls the console's function in tests, over the small cloud, with the real rating function behind it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import boto3

from functions.operations.api import Services, app
from functions.operations.asking import Asking, Invoke
from functions.operations.reading import Reader
from functions.operations.serving import Handler, serving
from local.cloud.invocation import Context
from shared.settings import S3Prefix
from shared.table import Table
from tests.cloud import BUCKET, REPORTS, Cloud
from tests.published import Answered, event

LI = {"sub": "1", "email": "li.hua@example.com", "scope": "openid levels.operate"}
WANG = {"sub": "2", "email": "wang.min@example.com", "scope": "openid levels.operate"}


@dataclass
class Console:
    """The console's function over a cloud. Its events for the rating function wait in ``asked`` until ``work``."""

    cloud: Cloud
    workbook: str = "dir:elsewhere"
    now: datetime = datetime(2026, 6, 3, 4, tzinfo=UTC)
    asked: list[dict[str, Any]] = field(default_factory=list)

    @property
    def handler(self) -> Handler:
        return self.handler_asking(lambda event: self.asked.append(dict(event)))

    def handler_asking(self, invoke: Invoke, session: boto3.Session | None = None) -> Handler:
        """A handler that passes its events to ``invoke``. ``session``: of its clients; the cloud's own if None."""
        table, s3 = self.cloud.table, self.cloud.s3
        if session:
            table, s3 = Table(session.client("dynamodb"), table.name), session.client("s3")
        reader = Reader(table, s3, S3Prefix(BUCKET, "in"), S3Prefix(REPORTS, "out"), ZoneInfo("Asia/Shanghai"))
        asking = Asking(table, invoke, lambda: self.now)
        return serving(Services(reader, asking, s3, self.workbook, lambda: self.now))

    def ask(self, method: str, path: str, body: Any = None, claims: Mapping[str, str] | None = LI) -> Answered:
        text = "" if body is None else body if isinstance(body, str) else json.dumps(body)
        asked = event(method, path, headers={"content-type": "application/json"}, body=text, claims=claims)
        answer = self.handler(asked, Context("operations", 10))
        return Answered(answer["statusCode"], answer["headers"], answer.get("body") or "")

    def get(self, path: str) -> Any:
        """The JSON of a GET that is answered 200."""
        answer = self.ask("GET", f"/v1/operations/{path}")
        assert answer.status == 200, answer.text
        return answer.json

    def work(self) -> None:
        """Run the waiting requests in the rating function, as AWS would; its errors are ignored."""
        while self.asked:
            event = self.asked.pop(0)
            try:
                self.cloud.rate(event)
            except Exception as error:  # noqa: BLE001 - the ticket has it
                assert error.__class__.__module__ == "shared.errors"  # noqa: PT017


def declared_operations() -> list[tuple[str, str]]:
    """Method and path of every operation that the function declares, with placeholders in ``<>``."""
    return [(route.method, route.path) for route in (*app._static_routes, *app._dynamic_routes)]
