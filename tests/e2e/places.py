"""A place that serves the pages, and what goes wrong there: answers of the functions, as far as a cloud can fail so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from playwright.sync_api import Response, expect

from shared.items import POINTER_KEY
from shared.settings import S3Prefix
from tests.e2e.browser import Visitor
from tests.e2e.pages_served import seen_within_seconds


class Trouble(Protocol):
    """What fails while a block lasts."""

    def table_refuses(self) -> AbstractContextManager[None]:
        """The table refuses to be read."""

    def pointer_refused(self, visitor: Visitor) -> AbstractContextManager[None]:
        """The table refuses to say what is published, and nothing else; or that is how it looks to this visitor."""


@dataclass(frozen=True)
class Place:
    """Where the pages are served from, and the cloud behind them.

    ``public``: what creators are answered; ``own``: an agency's own view, None for no agency. ``client``: of a service
    of the cloud. ``spent_token``: one that is not, or no longer, valid.
    """

    url: str
    public: Callable[[str], Any]
    own: Callable[[str], Any]
    client: Callable[[str], Any]
    table: str
    reports: S3Prefix
    spent_token: str
    trouble: Trouble

    @contextmanager
    def nothing_published(self) -> Iterator[None]:
        """The table as it is before the first month."""
        dynamodb = self.client("dynamodb")
        pointer = dynamodb.get_item(TableName=self.table, Key=POINTER_KEY)["Item"]
        dynamodb.delete_item(TableName=self.table, Key=POINTER_KEY)
        try:
            seen_within_seconds(lambda: "run" not in self.public("/v1/publication"))
            yield
        finally:
            dynamodb.put_item(TableName=self.table, Item=pointer)

    @contextmanager
    def without_report(self, month: str, run: str) -> Iterator[None]:
        """A run whose report is no longer kept."""
        s3, report = self.client("s3"), self.reports.key(f"month={month}", f"run={run}", "report.json")
        kept = s3.get_object(Bucket=self.reports.bucket, Key=report)["Body"].read()
        s3.delete_object(Bucket=self.reports.bucket, Key=report)
        try:
            yield
        finally:
            s3.put_object(Bucket=self.reports.bucket, Key=report, Body=kept)


@contextmanager
def shown_as_stale(public: Callable[[str], Any], fails: AbstractContextManager[None]) -> Iterator[None]:
    """While something fails, the lookup function shows the last publication that it knows."""
    with fails:
        seen_within_seconds(lambda: public("/v1/publication")["stale"])
        yield
    seen_within_seconds(lambda: not public("/v1/publication")["stale"])


def assert_refused(visitor: Visitor, language: str, status: int, ask: Callable[[], object]) -> None:
    """What the visitor does is refused by the API, and the page says so, in the words of the answer if it has any."""

    def is_refusal(answer: Response) -> bool:
        return "/v1/" in answer.url and answer.status == status

    with visitor.page.expect_response(is_refusal) as refused:
        ask()
    alert = visitor.page.get_by_role("alert")
    expect(alert).to_be_visible()
    problem = refused.value.json()
    if "detail" in problem:  # the gateway's own refusals have no words for people
        expect(alert).to_contain_text(problem["detail_zh" if language == "zh" else "detail"])
