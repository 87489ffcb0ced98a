"""The pages in a real browser, served by make serve: every state, both languages, phone and desktop, light and dark."""

from __future__ import annotations

import json
import shutil
import urllib.error
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from playwright.sync_api import Browser, Route, expect

from functions.rating.app import handler
from local.cloud.embedded import EXTRACTS, REPORTS, TABLE, EmbeddedAws
from local.cloud.glue import LocalGlue
from local.cloud.invocation import Context
from local.sample import sample_folder
from shared.settings import S3Prefix
from shared.tickets import CHECK_KEY
from tests.e2e import console_states, page_states
from tests.e2e.browser import Visitor, chromium
from tests.e2e.looks import LANGUAGES, EveryLook, assert_fine
from tests.e2e.page_states import View, assert_published
from tests.e2e.pages_served import Served, edited, serving
from tests.e2e.places import Place

STATES = {
    "rated up",
    "rated down",
    "rated same",
    "rated new",
    "top",
    "below_ladder",
    "awaiting_first_rating",
    "overridden",
}
AGENCIES = 345
MONTH, WAITING, PUBLISHED, PREPARED = "2026-10", "2026-09", "2026-08", "2027-01"
OWN_VIEW = "**/v1/agencies/*/level*"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """make serve with the sample: one month is published, one waits for its orders, and the newest has a held run."""
    folder = tmp_path_factory.mktemp("served")
    workbook = edited(folder / "workbook", {"settings": {("max_downgraded_share",): {"value": "0.5"}}})
    # Without the files with bad rows: a user's own folder is checked before it is served.
    shutil.copytree(sample_folder(), folder / "extracts", ignore=shutil.ignore_patterns("*-odd.csv"))
    (folder / "extracts" / "orders" / f"month={WAITING}" / "_SUCCESS").unlink()
    with serving(folder, workbook, folder / "extracts") as served:
        raised = edited(folder / "raised", {"thresholds": {("", "1", "1"): {"paid_gmv": "25000"}}})
        (workbook / "thresholds.csv").write_bytes((raised / "thresholds.csv").read_bytes())
        assert served.rate({"month": MONTH})["outcome"] == "held"
        yield served


@dataclass(frozen=True)
class EmbeddedTrouble:
    """moto refuses everybody who has no credentials of its IAM, which nobody has here; or it refuses nobody."""

    endpoint: str

    @contextmanager
    def table_refuses(self) -> Iterator[None]:
        requests.post(f"{self.endpoint}/moto-api/reset-auth", data=b"0", timeout=10).raise_for_status()
        try:
            yield
        finally:
            requests.post(f"{self.endpoint}/moto-api/reset-auth", data=b"inf", timeout=10).raise_for_status()

    @contextmanager
    def pointer_refused(self, visitor: Visitor) -> Iterator[None]:
        """Made by the browser: moto can't refuse the pointer alone. test_deployed.py has the function's own answer."""
        visitor.page.route(OWN_VIEW, _as_stale)
        yield
        visitor.page.unroute(OWN_VIEW)


def _as_stale(route: Route) -> None:
    answer = route.fetch()
    route.fulfill(response=answer, json={**answer.json(), "stale": True})


@pytest.fixture(scope="module")
def place(served: Served) -> Place:
    def answer(path: str, **headers: str) -> Any:
        try:
            return served.get(path, **headers)
        except urllib.error.HTTPError as refused:
            return json.load(refused)

    def own(agency: str) -> Any:
        found = answer(f"/v1/agencies/{agency}/level", X_Local_Agency=agency)
        return found if "agency_id" in found else None

    endpoint = served.endpoint()
    return Place(
        url=served.url,
        public=answer,
        own=own,
        client=lambda service: boto3.client(service, endpoint_url=endpoint, **CREDENTIALS),  # type: ignore[call-overload]
        table=TABLE,
        reports=S3Prefix.parse(REPORTS),
        spent_token="of.another.issuer",
        trouble=EmbeddedTrouble(endpoint),
    )


CREDENTIALS = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}


@pytest.fixture(scope="module")
def states(place: Place) -> dict[str, View]:
    found = page_states.level_views(place, AGENCIES, len(STATES))
    assert found.keys() == STATES
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def axe(built_pages: Path) -> str:
    return (built_pages / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_agency_sees_its_level_in_every_state(
    place: Place, browser: Browser, axe: str, states: dict[str, View], language: str
) -> None:
    visitor, looks = Visitor.signed_in(browser, place.url, "operator"), EveryLook(language)
    assert assert_fine(visitor, axe, page_states.levels(visitor, states, looks), looks) == len(STATES) + 1
    visitor.page.context.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refusal_is_shown_in_words(
    place: Place, browser: Browser, axe: str, states: dict[str, View], language: str
) -> None:
    view = states["top"]
    visitor, looks = Visitor.signed_in(browser, place.url, view["agency_id"]), EveryLook(language)
    assert assert_fine(visitor, axe, page_states.refused_levels(visitor, place, view, looks), looks) == 5
    visitor.page.context.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_creators_and_merchants_see_cards_and_the_ladder(
    place: Place, browser: Browser, axe: str, states: dict[str, View], language: str
) -> None:
    visitor, looks = Visitor.signed_in(browser, place.url, "merchant"), EveryLook(language)
    assert assert_fine(visitor, axe, page_states.cards_and_ladder(visitor, place, states, looks), looks) == 7
    visitor.page.context.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_operations_see_the_state_of_each_month(
    place: Place, served: Served, browser: Browser, axe: str, tmp_path: Path, language: str
) -> None:
    """One month is held, one published; one waits for its orders, gets them, and is being measured."""
    visitor, looks = Visitor.signed_in(browser, place.url, "operator"), EveryLook(language)
    months = {MONTH: "held", PUBLISHED: "published", WAITING: "waiting_for_extracts"}
    assert assert_fine(visitor, axe, console_states.console_of_months(visitor, months, looks), looks) == 3
    assert ("订单" if language == "zh" else "orders") in visitor.page.locator(".state").inner_text()
    extracts, s3, dynamodb = S3Prefix.parse(EXTRACTS), place.client("s3"), place.client("dynamodb")
    marker = {"Bucket": extracts.bucket, "Key": extracts.key("orders", f"month={WAITING}", "_SUCCESS")}
    check = dynamodb.get_item(TableName=TABLE, Key=CHECK_KEY)["Item"]
    s3.put_object(**marker)
    try:
        ready = console_states.console_of_months(visitor, {WAITING: "ready"}, looks)
        assert assert_fine(visitor, axe, ready, looks) == 1
        assert measured_by_glue(served, tmp_path, WAITING)["outcome"] == "measuring"
        measuring = console_states.console_of_months(visitor, {WAITING: "measuring"}, looks)
        assert assert_fine(visitor, axe, measuring, looks) == 1
    finally:
        s3.delete_object(**marker)
        dynamodb.put_item(TableName=TABLE, Item=check)
    visitor.page.context.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_operations_see_what_is_prepared_and_what_is_gone(
    place: Place, browser: Browser, axe: str, language: str
) -> None:
    visitor, looks = Visitor.signed_in(browser, place.url, "operator"), EveryLook(language)
    seen = chain(
        console_states.console_of_prepared(visitor, PREPARED, looks),
        console_states.console_without_report(visitor, place, PUBLISHED, looks),
    )
    assert assert_fine(visitor, axe, seen, looks) == 2
    visitor.page.context.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_operations_see_workbook_ledger_and_refusals(place: Place, browser: Browser, axe: str, language: str) -> None:
    visitor, looks = Visitor.signed_in(browser, place.url, "operator"), EveryLook(language)
    creator = Visitor.signed_in(browser, place.url, "creator")
    tokens = {401: place.spent_token, 403: creator.token()}
    seen = chain(
        console_states.console_sections(visitor, looks),
        console_states.refused_console(visitor, place, tokens, looks),
    )
    assert assert_fine(visitor, axe, seen, looks) == 5
    for one in (visitor, creator):
        one.page.context.close()


class NotEnded:
    """A run of the Spark job that has not ended."""

    def poll(self) -> int | None:
        return None

    def wait(self) -> int:
        raise AssertionError("this run never ends: nothing may wait for it")

    def last_output(self) -> str:
        return ""


def measured_by_glue(served: Served, folder: Path, month: str) -> Any:
    """The rating function's answer while Glue says that its job still runs: here, and in the cloud that is served."""

    def start(_: Sequence[str]) -> NotEnded:
        return NotEnded()

    settings = {"WORKBOOK": f"dir:{served.workbook}", "SCRATCH": str(folder), "RETENTION_MONTHS": "1200"}
    glue = {"MEASURING": "glue", "GLUE_JOB": "measuring", "POWERTOOLS_METRICS_NAMESPACE": "mcn-levels"}
    with pytest.MonkeyPatch.context() as environment:
        for name, value in {**EmbeddedAws(served.endpoint()).environment(), **settings, **glue}.items():
            environment.setenv(name, value)
        LocalGlue(start).enter()
        try:
            return handler({"month": month}, Context("rating", 900))
        finally:
            boto3.DEFAULT_SESSION = None  # its events are this Glue's


def test_an_app_embeds_a_card_with_one_tag(place: Place, browser: Browser, states: dict[str, View]) -> None:
    visitor = Visitor.signed_in(browser, place.url, "creator")
    visitor.look("/?lang=en#directory")
    visitor.page.evaluate(
        """agency => {
          const token = document.querySelector("mcn-directory").token;
          const card = Object.assign(document.createElement("mcn-card"), { agency, token });
          document.querySelector("main").replaceChildren(card);
        }""",
        states["top"]["agency_id"],
    )
    visitor.settle()
    assert states["top"]["name"] in visitor.text()
    assert "levels.public" not in visitor.page.content()
    assert_published(visitor, place)
    assert visitor.errors == []
    visitor.page.context.close()


def test_the_directory_shows_more_agencies_page_by_page(served: Served, browser: Browser) -> None:
    visitor = Visitor.signed_in(browser, served.url, "creator")
    visitor.look("/?lang=en#directory")
    visitor.page.get_by_role("button", name="1 新芽机构").click()
    expect(visitor.page.get_by_role("heading", level=2)).to_contain_text("1 新芽机构")
    cards = visitor.page.locator("article")
    expect(cards).to_have_count(12)
    visitor.page.get_by_role("button", name="More agencies").click()
    expect(cards).to_have_count(24)
    visitor.page.context.close()
