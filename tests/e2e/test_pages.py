"""The pages in a real browser, against make serve: every state, both languages, phone and desk, light and dark."""

from __future__ import annotations

import shutil
import urllib.error
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import boto3
import pytest
from playwright.sync_api import Browser, expect

from local.cloud.embedded import EXTRACTS, TABLE
from local.sample import sample_folder
from shared.settings import S3Prefix
from shared.table import Table
from shared.tickets import CHECK_KEY, keep_check
from tests.e2e import page_states
from tests.e2e.browser import Visitor, chromium
from tests.e2e.page_states import LANGUAGES, EveryLook, Place, View, assert_fine, assert_published
from tests.e2e.pages_served import Served, edited, serving

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
MONTH, WAITING, PUBLISHED = "2026-10", "2026-09", "2026-08"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """make serve over the sample: a month is published, one waits for its orders, and of the newest a run is held."""
    folder = tmp_path_factory.mktemp("served")
    workbook = edited(folder / "workbook", {"settings": {("max_downgraded_share",): {"value": "0.5"}}})
    # Without its oddities: folders of one's own are judged before they are served.
    shutil.copytree(sample_folder(), folder / "extracts", ignore=shutil.ignore_patterns("*-odd.csv"))
    (folder / "extracts" / "orders" / f"month={WAITING}" / "_SUCCESS").unlink()
    with serving(folder, workbook, folder / "extracts") as served:
        raised = edited(folder / "raised", {"thresholds": {("", "1", "1"): {"paid_gmv": "25000"}}})
        (workbook / "thresholds.csv").write_bytes((raised / "thresholds.csv").read_bytes())
        assert served.rate({"month": MONTH})["outcome"] == "held"
        yield served


@pytest.fixture(scope="module")
def place(served: Served) -> Place:
    def own(agency: str) -> Any:
        try:
            return served.get(f"/v1/agencies/{agency}/level", X_Local_Agency=agency)
        except urllib.error.HTTPError:
            return None

    return Place(served.url, served.get, own)


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
    assert assert_fine(visitor, axe, page_states.levels(visitor, states, looks), looks) == len(STATES)
    visitor.page.context.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_refused_is_said_in_words(
    place: Place, browser: Browser, axe: str, states: dict[str, View], language: str
) -> None:
    view = states["top"]
    visitor, looks = Visitor.signed_in(browser, place.url, view["agency_id"]), EveryLook(language)
    assert assert_fine(visitor, axe, page_states.refused_levels(visitor, view, looks), looks) == 6
    visitor.page.context.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_creators_and_merchants_see_cards_and_the_ladder(
    place: Place, browser: Browser, axe: str, states: dict[str, View], language: str
) -> None:
    visitor, looks = Visitor.signed_in(browser, place.url, "merchant"), EveryLook(language)
    assert assert_fine(visitor, axe, page_states.cards_and_ladder(visitor, place, states, looks), looks) == 6
    visitor.page.context.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_operations_see_where_each_month_stands(served: Served, browser: Browser, axe: str, language: str) -> None:
    """What the console shows is what the months are: one waits for its orders, gets them, and is being measured."""
    visitor, looks = Visitor.signed_in(browser, served.url, "operator"), EveryLook(language)
    months = {MONTH: "held", PUBLISHED: "published", WAITING: "waiting_for_extracts"}
    assert assert_fine(visitor, axe, page_states.console_of_months(visitor, months, looks), looks) == 3
    assert ("订单" if language == "zh" else "orders") in visitor.page.locator(".state").inner_text()
    extracts, clients = S3Prefix.parse(EXTRACTS), clients_of(served)
    marker = {"Bucket": extracts.bucket, "Key": extracts.key("orders", f"month={WAITING}", "_SUCCESS")}
    check = clients["dynamodb"].get_item(TableName=TABLE, Key=CHECK_KEY)["Item"]
    clients["s3"].put_object(**marker)
    try:
        assert_fine(visitor, axe, page_states.console_of_months(visitor, {WAITING: "ready"}, looks), looks)
        began: dict[str, Any] = {"at": "2026-11-03T02:00:00+08:00", "outcome": "measuring", "month": WAITING}
        kept = {**began, "effective_month": None, "faults": [], "unshown_faults": 0, "changes": []}
        keep_check(Table(clients["dynamodb"], TABLE), kept)
        assert_fine(visitor, axe, page_states.console_of_months(visitor, {WAITING: "measuring"}, looks), looks)
    finally:
        clients["s3"].delete_object(**marker)
        clients["dynamodb"].put_item(TableName=TABLE, Item=check)
    visitor.page.context.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_operations_see_workbook_and_ledger_and_what_is_refused(
    place: Place, browser: Browser, axe: str, language: str
) -> None:
    visitor, looks = Visitor.signed_in(browser, place.url, "operator"), EveryLook(language)
    seen = chain(page_states.console_sections(visitor, looks), page_states.refused_console(visitor, looks))
    assert assert_fine(visitor, axe, seen, looks) == 6
    visitor.page.context.close()


def clients_of(served: Served) -> dict[str, Any]:
    """Clients of the AWS that make serve has embedded."""
    own = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    endpoint = served.endpoint()
    return {name: boto3.client(name, endpoint_url=endpoint, **own) for name in ("s3", "dynamodb")}  # type: ignore[call-overload]


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


def test_the_directory_goes_on_page_by_page(served: Served, browser: Browser) -> None:
    visitor = Visitor.signed_in(browser, served.url, "creator")
    visitor.look("/?lang=en#directory")
    visitor.page.get_by_role("button", name="1 新芽机构").click()
    expect(visitor.page.get_by_role("heading", level=2)).to_contain_text("1 新芽机构")
    cards = visitor.page.locator("article")
    expect(cards).to_have_count(12)
    visitor.page.get_by_role("button", name="More agencies").click()
    expect(cards).to_have_count(24)
    visitor.page.context.close()
