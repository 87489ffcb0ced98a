"""Published months for tests of readers: the real rules rate agencies, the real code stages and publishes them.

All names and numbers are invented.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from botocore.exceptions import EndpointConnectionError

from functions.lookup.api import Handler, api, serving
from functions.lookup.contract import OfMonth
from functions.lookup.cursors import Cursors
from functions.lookup.publications import Publications
from functions.lookup.routing import Api, Operation, Services
from functions.rating.publication import staging
from functions.rating.publication.items import items_of
from functions.rating.publication.ledger import Entry
from functions.rating.publication.pointer import move_pointer
from functions.rating.run.guardrails import Totals
from functions.rating.run.record import DataQuality, RunRecord
from functions.rating.run.rules import Rules
from functions.rating.run.standings import count_levels
from local.cloud.gateway import Request, event_for
from shared.content import content_id
from shared.items import Publication
from shared.levels import (
    Benefit,
    BenefitKind,
    Channel,
    Grant,
    Ladder,
    Level,
    Measure,
    Measured,
    Metric,
    Override,
    Rating,
    Removed,
    Rulebook,
    Rung,
    SlotCounts,
    Threshold,
    Tip,
)
from shared.months import Month
from shared.table import Table
from tests.aws import empty_table, emulated_aws

SHANGHAI = ZoneInfo("Asia/Shanghai")
LONG_AGO = 1_500_000_000_000_000
IN_THE_YEAR = datetime(2026, 12, 1, tzinfo=UTC)
BACK_OFFICE = {"sub": "back office", "scope": "levels.public levels.agency.any"}
IN_NOVEMBER = 1_793_800_000_000_000  # 2026-11-04
_tables = count()
OVERRIDE = Override("B", 3, None, "2026-12", "约定", "李")


def rulebook(**more: Any) -> Rulebook:
    """Three levels with two channels each, a benefit of each kind, a tip for each metric."""
    base = Rulebook(
        levels=(Level(1, "一级机构", "入门"), Level(2, "二级机构", ""), Level(3, "三级机构", "最高")),
        metrics=(
            Metric("four", "4级及以上达人数", Measure.CREATOR_COUNT, 4, 7, "人"),
            Metric("gmv", "月支付GMV", Measure.PAID_GMV, None, None, "元"),
            Metric("six", "6级及以上达人数", Measure.CREATOR_COUNT, 6, 7, "人"),
        ),
        ladders=(
            Ladder(
                None,
                (
                    Rung(1, (_channel(1, four=1), _channel(2, gmv=100_00))),
                    Rung(2, (_channel(1, four=5, six=1), _channel(2, four=1, gmv=1_000_00))),
                    Rung(3, (_channel(1, four=20, six=5), _channel(2, four=2, gmv=50_000_50))),
                ),
            ),
        ),
        benefits=(
            Benefit("outreach", "达人建联机构", "达人可联系机构", BenefitKind.FLAG, (Grant(2), Grant(3))),
            Benefit("promotion", "传播资源", "", BenefitKind.QUOTA, (Grant(2, quota=20), Grant(3, quota=None))),
            Benefit("contact", "专属运营对接", "", BenefitKind.TEXT, (Grant(3, text="工作日 4 小时内回复"),)),
            Benefit("retired", "已停用", "", BenefitKind.FLAG, ()),
        ),
        tips=(
            Tip("four", "邀请更多达人", "https://example.invalid/invite"),
            Tip("gmv", "参加激励活动", ""),
            Tip("six", "培养高等级达人 / Grow high-level creators", "https://example.invalid/grow"),
        ),
    )
    return replace(base, **more)


def _channel(number: int, **required: int) -> Channel:
    return Channel(number, tuple(Threshold(metric, value) for metric, value in required.items()))


def agency(
    agency_id: str, four: int = 0, six: int = 0, gmv: int = 0, joined_at: int = LONG_AGO, **more: Any
) -> Measured:
    """Counts by power level: ``four`` creators of power 4, ``six`` of power 6; ``gmv`` in fen."""
    base = Measured(
        agency_id,
        f"机构{agency_id}",
        joined_at,
        city="杭州",
        introduction="虚构的机构",
        logo_url=None,
        creators_by_power=(0, 0, 0, 0, four, 0, six, 0),
        paid_gmv=gmv,
        excluded_creators=(Removed("云剪辑", 2, 0),),
        excluded_orders=(Removed("刷单", 3, 4_567),),
        slots=SlotCounts(six, None, None),
    )
    return replace(base, **more)


@dataclass
class World:
    """A table in an emulated DynamoDB with published months."""

    table: Table
    runs: int = field(default=0)

    def publish(
        self, month: str, agencies: Iterable[Measured], rules: Rulebook | None = None, *, staged_only: bool = False
    ) -> Publication:
        """Rate and publish a month, as the rating function does. ``staged_only``: do not move the pointer."""
        self.runs += 1
        rules = rules or rulebook()
        pointer = self.table.pointer()
        before = pointer.before(month)
        standings = self.table.standings(before.run) if before else {}
        rated = [Rules(rules, Month.parse(month), SHANGHAI).rate(a, standings.get(a.agency_id)) for a in agencies]
        ratings = sorted(rated, key=lambda rating: rating.agency_id)
        run = content_id([month, self.runs])
        expires_at = int(Month.parse(month).plus(25).end(SHANGHAI).timestamp())
        kept = staging.keep_rulebook(self.table, rules, expires_at)
        staging.stage(self.table, items_of(ratings, _record(run, month, kept, ratings), expires_at), _ignore)
        publication = Publication(
            month, run, kept, f"{Month.parse(month).renewed_on}T02:10:00.000000+00:00", "published"
        )
        if not staged_only:
            self.show(publication)
        return publication

    def show(self, publication: Publication) -> None:
        """Make a staged publication the valid one of its month."""
        self.runs += 1
        entry = Entry(
            f"{self.runs:06d}", "published", publication.month, publication.run, publication.rulebook, "tests"
        )
        pointer = self.table.pointer()
        move_pointer(self.table, pointer, pointer.following(publication), entry)

    def items_of(self, agency_id: str) -> list[dict[str, Any]]:
        """All stored ratings of an agency."""
        return list(self.table.query(f"AGENCY#{agency_id}", "RATING#"))

    @contextmanager
    def reads(self) -> Iterator[list[str]]:
        """The operations that are sent to DynamoDB within the block."""
        seen: list[str] = []

        def note(model: Any, **_: Any) -> None:
            seen.append(model.name)

        with self.hooked("before-call.dynamodb", note):
            yield seen

    @contextmanager
    def outage(self) -> Iterator[None]:
        """DynamoDB can't be reached within the block."""

        def fail(**_: Any) -> None:
            raise EndpointConnectionError(endpoint_url="https://dynamodb.invalid")

        with self.hooked("before-call.dynamodb", fail):
            yield

    @contextmanager
    def hooked(self, event_name: str, hook: Callable[..., Any]) -> Iterator[None]:
        """The client calls ``hook`` at these events within the block."""
        events = self.table.client.meta.events
        events.register(event_name, hook)
        try:
            yield
        finally:
            events.unregister(event_name, hook)

    def caller(
        self,
        clock: Callable[[], float] = lambda: 1.0,
        now: Callable[[], datetime] = lambda: IN_THE_YEAR,
        retention: int = 25,
        api: Api = api,
        **more: Any,
    ) -> Caller:
        """A new instance of the function. ``clock`` counts its seconds, ``now`` is its time of day.

        By default no time passes, so that a slow machine does not read the pointer more often.
        """
        publications = Publications(self.table, SHANGHAI, retention, clock=clock, now=now)
        services = Services(publications, Cursors("secret"), **more)
        return Caller(serving(services, api))


def _record(run: str, month: str, kept: str, ratings: Sequence[Rating]) -> RunRecord:
    quality = DataQuality({}, {}, (), ())
    levels = count_levels(ratings, 3)
    return RunRecord(run, month, kept, "1", None, (), len(ratings), levels, {}, Totals(0, {}), quality, ())


def _ignore(_: int) -> None:
    pass


@contextmanager
def empty_world() -> Iterator[World]:
    """An emulated DynamoDB with an empty table of its own."""
    with emulated_aws():
        yield World(empty_table(name=f"levels-{next(_tables)}"))


# --- requests ---------------------------------------------------------------------------------------------------------


def path_of(operation: Operation, agency_id: str = "A", level: int = 3, benefit: str = "promotion") -> str:
    """A path for a declared operation, with its required query parameters."""
    values = {"agency_id": agency_id, "level": str(level), "benefit": benefit}
    path = re.sub(r"<(\w+)>", lambda match: values[match[1]], operation.rule)
    needed = [name for name, field in (operation.asked or OfMonth).model_fields.items() if field.is_required()]
    return path + ("?" + "&".join(f"{name}={values[name]}" for name in needed) if needed else "")


@dataclass(frozen=True)
class Answered:
    """An answer as API Gateway would send it."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


def event(method: str, path: str, **more: Any) -> dict[str, Any]:
    """The event of a request, as the local gateway makes it. ``path`` is decoded, its query is not.

    ``claims`` of the token (else the back office's; None for no token), ``headers`` and ``body`` may be given.
    ``route``: another route key than the template's for the path. ``is_base64``: the body is passed unchanged, marked
    as Base64.
    """
    raw_path, _, query = path.partition("?")
    target = quote(raw_path) + (f"?{quote(query, safe='=&%')}" if query else "")
    headers, body = list(more.get("headers", {}).items()), more.get("body", "")
    made = event_for(Request(method, target, headers, b"" if more.get("is_base64") else body.encode()))
    made["requestContext"]["requestId"] = "request-1"  # so that equal requests have equal answers
    if "route" in more:
        made["routeKey"] = made["requestContext"]["routeKey"] = more["route"]
    claims = more.get("claims", BACK_OFFICE)
    if claims is not None:
        made["requestContext"]["authorizer"] = {"jwt": {"claims": claims, "scopes": None}}
    if more.get("is_base64"):
        made |= {"body": body, "isBase64Encoded": True}
    return made


@dataclass(frozen=True)
class Caller:
    """Calls a handler as the gateway does."""

    handler: Handler

    def ask(self, method: str, path: str, **more: Any) -> Answered:
        answer = self.handler(event(method, path, **more), None)
        headers = {name.lower(): value for name, value in answer["headers"].items()}
        return Answered(answer["statusCode"], headers, answer["body"])

    def get(self, path: str, **more: Any) -> Answered:
        return self.ask("GET", path, **more)

    def operation(self, operation: Operation, agency_id: str = "A", **more: Any) -> Answered:
        """The answer of a declared operation about one agency."""
        if operation.body:
            more["body"] = json.dumps({"agency_ids": [agency_id]})
        return self.ask(operation.method, path_of(operation, agency_id), **more)

    def batch(self, agency_ids: object, path: str = "/v1/agencies/batch") -> Answered:
        return self.ask("POST", path, body=json.dumps({"agency_ids": agency_ids}))
