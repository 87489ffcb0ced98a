"""The pages in a real browser, against make serve: every state, both languages, phone and desk, light and dark."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.e2e.browser import Visitor, chromium
from tests.e2e.conftest import ROOT
from tests.e2e.processes import free_port, running

PICTURES = ROOT / ".local" / "pictures"
LOOKS = list(product((375, 1280), ("zh", "en"), ("light", "dark")))
REFUSALS = (401, 403, 404, 503)


@dataclass(frozen=True)
class Served:
    """make serve over the sample, with a guardrail that holds its second and third month."""

    url: str
    workbook: Path

    def get(self, path: str, **headers: str) -> Any:
        with urllib.request.urlopen(urllib.request.Request(self.url + path, headers=headers), timeout=10) as answer:
            return json.load(answer)

    def rate(self, event: dict[str, Any]) -> Any:
        """What the rating function answers, asked as the AWS SDK asks it."""
        address = f"{self.url}/2015-03-31/functions/rating/invocations"
        request = urllib.request.Request(address, json.dumps(event).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=300) as answer:
            return json.load(answer)

    def settings(self, *rows: str) -> None:
        (self.workbook / "settings.csv").write_text("\n".join(["setting,value,note", *rows, ""]), encoding="utf-8")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder, port = tmp_path_factory.mktemp("served"), free_port()
    workbook = folder / "workbook"
    shutil.copytree(ROOT / "config" / "workbook", workbook)
    served = Served(f"http://127.0.0.1:{port}", workbook)
    served.settings("max_downgraded_share,0.01,")
    command = [sys.executable, "-m", "local.serve", "--port", str(port), "--workbook", str(workbook)]

    def answers() -> bool:
        try:
            return bool(served.get("/healthz"))
        except OSError:
            return False

    with running(command, dict(os.environ), ROOT, folder / "log", answers, within=240):
        yield served


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def axe(built_pages: Path) -> str:
    return (built_pages / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def assert_fine(visitor: Visitor, axe: str, what: str) -> None:
    visitor.picture(PICTURES, what)
    assert visitor.errors == [], what
    assert visitor.overflow() == 0, what
    assert visitor.violations(axe) == [], what


def written(amount: int | str) -> str:
    """An amount as pages write it."""
    whole, _, fraction = str(amount).partition(".")
    return f"{int(whole):,}" + (f".{fraction}" if fraction not in ("", "00") else "")


def views(served: Served) -> dict[str, dict[str, Any]]:
    """An agency's own view for each state that the published month has."""
    found: dict[str, dict[str, Any]] = {}
    for number in range(1, 346):
        agency = f"A-{number:04d}"
        try:
            view = served.get(f"/v1/agencies/{agency}/level", **{"X-Local-Agency": agency})
        except urllib.error.HTTPError:
            continue
        state = view["status"] if view["status"] != "rated" else f"rated {view['change']}"
        if view["status"] == "rated" and view["next_level"] is None:
            state = "top"
        found.setdefault(state, view)
    return found


def shown_amounts(view: dict[str, Any]) -> set[str]:
    """Every amount of an own view that its page has to show."""
    amounts = {t[part] for c in view["channels"] for t in c["thresholds"] for part in ("required", "actual")}
    amounts |= {t["margin"] for channel in view["margin"] for t in channel["thresholds"]}
    gaps = [gap for c in (view["next_level"] or {"channels": []})["channels"] for gap in c["gaps"]]
    amounts |= {gap[part] for gap in gaps for part in ("required", "actual")}
    amounts |= {gap["missing"] for gap in gaps if gap["progress"] < 1}
    amounts |= {removed["amount"] for removed in view["excluded"]["orders"]}
    return {written(amount) for amount in amounts}


@pytest.fixture(scope="module")
def states(served: Served) -> dict[str, dict[str, Any]]:
    found = views(served)
    assert {"below_ladder", "top"} <= found.keys(), found.keys()
    return found


@pytest.mark.parametrize(("width", "language", "scheme"), LOOKS)
def test_an_agency_sees_its_level_in_every_state(
    served: Served, browser: Browser, axe: str, states: dict[str, Any], width: int, language: str, scheme: str
) -> None:
    visitor = Visitor.signed_in(browser, served.url, "operator", width=width, scheme=scheme)
    for state, view in states.items():
        visitor.look(f"/?lang={language}&agency={view['agency_id']}#level")
        text = visitor.text()
        assert view["name"] in text
        assert view["publication"]["run"] in text
        if view["status"] != "awaiting_first_rating":
            assert not [amount for amount in shown_amounts(view) if amount not in text], state
        assert "100%" not in text or any(
            channel["progress"] == 1 for channel in (view["next_level"] or {"channels": []})["channels"]
        )
        assert_fine(visitor, axe, f"level-{state}-{language}-{width}-{scheme}".replace(" ", "-"))
    visitor.page.context.close()


@pytest.mark.parametrize(("width", "language", "scheme"), LOOKS)
def test_what_is_refused_is_said_in_words(
    served: Served, browser: Browser, axe: str, states: dict[str, Any], width: int, language: str, scheme: str
) -> None:
    agency = states["top"]["agency_id"]
    visitor = Visitor.signed_in(browser, served.url, agency, width=width, scheme=scheme)
    for status in REFUSALS:
        visitor.page.route("**/v1/**", refusing(status))
        visitor.look(f"/?lang={language}#level")
        expect(visitor.page.get_by_role("alert")).to_be_visible()
        assert_fine(visitor, axe, f"refused-{status}-{language}-{width}-{scheme}")
        visitor.page.unroute("**/v1/**")
    visitor.look(f"/?lang={language}#level")
    visitor.page.route("**/v1/**", lambda route: route.abort())
    visitor.page.evaluate("document.querySelector('mcn-level').reload()")
    expect(visitor.page.get_by_role("alert")).to_be_visible()
    assert states["top"]["name"] in visitor.text(), "what was read before stays"
    assert_fine(visitor, axe, f"offline-{language}-{width}-{scheme}")
    visitor.page.unroute("**/v1/**")
    visitor.page.route("**/level?*", stale)
    visitor.page.route("**/level", stale)
    visitor.look(f"/?lang={language}#level")
    assert ("最近一次已知" if language == "zh" else "last one known") in visitor.text()
    assert_fine(visitor, axe, f"stale-{language}-{width}-{scheme}")
    visitor.page.context.close()


def refusing(status: int) -> Callable[[Route], None]:
    """Answers as the gateway does."""

    def answer(route: Route) -> None:
        route.fulfill(status=status, content_type="application/json", body='{"message":"refused"}')

    return answer


def stale(route: Route) -> None:
    """The real answer, as it is while the pointer can't be read."""
    answer = route.fetch()
    route.fulfill(response=answer, json={**answer.json(), "stale": True})


@pytest.mark.parametrize(("width", "language", "scheme"), LOOKS)
def test_creators_and_merchants_see_cards_and_the_ladder(
    served: Served, browser: Browser, axe: str, width: int, language: str, scheme: str
) -> None:
    visitor = Visitor.signed_in(browser, served.url, "merchant", width=width, scheme=scheme)
    for view in ("directory", "ladder"):
        visitor.look(f"/?lang={language}#{view}")
        assert_fine(visitor, axe, f"{view}-{language}-{width}-{scheme}")
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


@pytest.mark.parametrize(("width", "language", "scheme"), LOOKS)
def test_operations_see_what_waits_for_them(
    served: Served, browser: Browser, axe: str, width: int, language: str, scheme: str
) -> None:
    visitor = Visitor.signed_in(browser, served.url, "operator", width=width, scheme=scheme)
    visitor.look(f"/console?lang={language}")
    assert_fine(visitor, axe, f"console-held-{language}-{width}-{scheme}")
    for name in ("工作簿", "台账") if language == "zh" else ("Workbook", "Ledger"):
        visitor.page.get_by_role("button", name=name, exact=True).click()
        visitor.settle()
        assert_fine(visitor, axe, f"console-{name}-{language}-{width}-{scheme}")
    visitor.page.context.close()


def seen_within_seconds(holds: Callable[[], bool]) -> None:
    """The API knows the pointer for five seconds, so what was decided shows a little later."""
    until = time.monotonic() + 15
    while not holds():
        assert time.monotonic() < until, "the API still answers as before"
        time.sleep(0.5)


def test_the_whole_story(served: Served, browser: Browser) -> None:
    """A fault, mended; a preview; a held month, accepted by keyboard, once, by one of two; rolled back again."""
    operator = Visitor.signed_in(browser, served.url, "operator")
    other = Visitor.signed_in(browser, served.url, "operator-2")

    served.settings("max_downgraded_share,much,")
    check(operator)
    assert "settings!B2" in operator.text()
    served.settings("max_downgraded_share,0.01,")
    check(operator)
    assert "settings!B2" not in operator.text()

    operator.look("/console?lang=en")
    month = operator.page.locator(".state h1").inner_text().split()[0]
    operator.page.get_by_role("button", name="Preview").click()
    expect(operator.page.get_by_text("Done: previewed")).to_be_visible(timeout=120_000)

    for visitor in (operator, other):
        visitor.look("/console?lang=en")
        assert "held, waiting for a decision" in visitor.text()
    decide_by_keyboard(operator, month)
    expect(operator.page.get_by_text("Done: published")).to_be_visible(timeout=120_000)

    fill_decision(other, month)
    other.page.get_by_role("button", name="Publish this run").dblclick()
    expect(other.page.get_by_role("alert")).to_contain_text("li.hua@example.com")

    lines = [line for line in ledger(operator, month) if line["action"] == "accepted"]
    assert [(line["by"], line["reason"]) for line in lines] == [("li.hua@example.com", "looked at")]
    assert served.get("/v1/publication")["month"] >= month

    first = served.get(f"/v1/publication?month={month}")["run"]
    served.settings("max_downgraded_share,0.01,", "new_agency_wait_months,2,")
    again = served.rate({"month": month})
    if again["outcome"] == "held":
        served.rate({"accept": again["run"], "by": "tests", "reason": "a second publication to go back from"})
    assert again["run"] != first
    seen_within_seconds(lambda: served.get(f"/v1/publication?month={month}")["run"] == again["run"])
    operator.look("/console?lang=en")
    operator.page.get_by_role("button", name=f"{month} ").first.click()
    operator.page.get_by_role("button", name=f"Look {first} replaced").click()
    fill_decision(operator, month)
    operator.page.get_by_role("button", name="Roll back to this run").dblclick()
    expect(operator.page.get_by_text("Done: rolled back")).to_be_visible(timeout=120_000)
    seen_within_seconds(lambda: served.get(f"/v1/publication?month={month}")["run"] == first)
    assert len([line for line in ledger(operator, month) if line["action"] == "rolled_back"]) == 1
    for visitor in (operator, other):
        assert visitor.errors == []
        visitor.page.context.close()


def check(visitor: Visitor) -> None:
    visitor.look("/console?lang=en")
    visitor.page.get_by_role("button", name="Workbook", exact=True).click()
    visitor.page.get_by_role("button", name="Check the workbook now").click()
    expect(visitor.page.get_by_text("Done: checked")).to_be_visible(timeout=60_000)


def fill_decision(visitor: Visitor, month: str) -> None:
    visitor.page.get_by_label("Reason").fill("looked at")
    visitor.page.get_by_label(f"Type the month {month}").fill(month)


def decide_by_keyboard(visitor: Visitor, month: str) -> None:
    """Nothing but Tab, letters and Enter, from the top of the page."""
    keyboard = visitor.page.keyboard
    focused = "() => document.querySelector('mcn-console')?.shadowRoot.activeElement?.name"
    for _ in range(60):
        keyboard.press("Tab")
        if visitor.page.evaluate(focused) == "reason":
            break
    keyboard.type("looked at")
    keyboard.press("Tab")
    keyboard.type(month)
    keyboard.press("Tab")
    keyboard.press("Enter")


def ledger(visitor: Visitor, month: str) -> list[dict[str, Any]]:
    """The ledger of a month, asked with the visitor's own token, as the page asks."""
    ask = """async month => (await fetch(`/v1/operations/ledger?month=${month}`, {
      headers: { Authorization: `Bearer ${document.querySelector("mcn-console").token()}` } })).json()"""
    lines: list[dict[str, Any]] = visitor.page.evaluate(ask, month)["items"]
    return lines
