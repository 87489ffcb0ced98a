"""The pages in a real browser, against make serve: every state, both languages, phone and desk, light and dark."""

from __future__ import annotations

import re
import urllib.error
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.e2e.browser import Visitor, chromium
from tests.e2e.conftest import ROOT
from tests.e2e.pages_served import Served, edited, seen_within_seconds, serving, table

PICTURES = ROOT / ".local" / "pictures"
LOOKS = list(product((375, 1280), ("zh", "en"), ("light", "dark")))
REFUSALS = (401, 403, 404, 503)
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
MONTH = "2026-10"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """make serve over the sample; its newest month is published, and a run with other thresholds is held."""
    folder = tmp_path_factory.mktemp("served")
    workbook = edited(folder / "workbook", {"settings": {("max_downgraded_share",): {"value": "0.3"}}})
    with serving(folder, workbook) as served:
        raised = edited(folder / "raised", {"thresholds": {("", "1", "1"): {"paid_gmv": "25000"}}})
        (workbook / "thresholds.csv").write_bytes((raised / "thresholds.csv").read_bytes())
        assert served.rate({"month": MONTH})["outcome"] == "held"
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
    """An agency's own view for each state that a published month has."""
    found: dict[str, dict[str, Any]] = {}
    for number in range(1, 346):
        agency = f"A-{number:04d}"
        try:
            view = served.get(f"/v1/agencies/{agency}/level", X_Local_Agency=agency)
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
    assert found.keys() == STATES
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
    served: Served, browser: Browser, axe: str, states: dict[str, Any], width: int, language: str, scheme: str
) -> None:
    look = f"{language}-{width}-{scheme}"
    visitor = Visitor.signed_in(browser, served.url, "merchant", width=width, scheme=scheme)
    visitor.look(f"/?lang={language}#directory")
    listed = served.get("/v1/agencies?level=5&limit=12")["items"]
    assert visitor.page.locator("article h3").all_inner_texts() == [card["name"] for card in listed]
    assert_fine(visitor, axe, f"directory-{look}")
    for state in ("top", "below_ladder", "awaiting_first_rating", "overridden"):
        visitor.look(f"/?lang={language}&agency={states[state]['agency_id']}#directory")
        card = served.get(f"/v1/agencies/{states[state]['agency_id']}")
        shown = visitor.page.locator("article").first.inner_text()
        wanted = [
            card["name"],
            card["city"],
            card["month"],
            card["introduction"],
            card["level_name"],
            *card["benefits"],
        ]
        assert [text for text in wanted if text and text not in shown] == []
        assert visitor.page.locator("article .badge b").first.inner_text() == str(card["level"] or "–")
        assert_fine(visitor, axe, f"card-{state}-{look}")
    visitor.look(f"/?lang={language}#ladder")
    assert_published(visitor, served)
    assert ladder_shown(visitor) == [
        (level["name"], [written(one["required"]) for channel in level["channels"] for one in channel["thresholds"]])
        for level in reversed(served.get("/v1/levels")["levels"])
    ]
    benefits = served.get("/v1/benefits")["benefits"]
    assert [row[0].split("\n")[0] for row in table(visitor, "benefits")] == [benefit["name"] for benefit in benefits]
    assert_fine(visitor, axe, f"ladder-{look}")
    visitor.page.context.close()


def test_an_app_embeds_a_card_with_one_tag(served: Served, browser: Browser, states: dict[str, Any]) -> None:
    visitor = Visitor.signed_in(browser, served.url, "creator")
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
    assert_published(visitor, served)
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


@pytest.mark.parametrize(("width", "language", "scheme"), LOOKS)
def test_operations_see_what_waits_for_them(
    served: Served, browser: Browser, axe: str, width: int, language: str, scheme: str
) -> None:
    look = f"{language}-{width}-{scheme}"
    visitor = Visitor.signed_in(browser, served.url, "operator", width=width, scheme=scheme)
    visitor.look(f"/console?lang={language}")
    report = asked(visitor, "runs/{run}?month=" + MONTH)
    assert_report_shown(visitor, report)
    assert_fine(visitor, axe, f"console-held-{look}")
    visitor.page.locator(".months button").filter(has_text="2026-09").click()
    visitor.settle()
    expect(visitor.page.locator(".state")).to_have_class(re.compile("published"))
    assert_fine(visitor, axe, f"console-published-{look}")
    for name in ("工作簿", "台账") if language == "zh" else ("Workbook", "Ledger"):
        visitor.page.get_by_role("button", name=name, exact=True).click()
        visitor.settle()
        assert_fine(visitor, axe, f"console-{name}-{look}")
    lines = asked(visitor, "ledger")["items"]
    seen_within_seconds(lambda: [row[3] for row in table(visitor, "ledger")] == [line["run"] for line in lines])
    for state in ("waiting_for_extracts", "ready", "measuring"):
        visitor.page.route("**/v1/operations/months", in_state(state))
        visitor.look(f"/console?lang={language}")
        expect(visitor.page.locator(".state")).to_have_class(re.compile(state))
        assert_fine(visitor, axe, f"console-{state}-{look}")
        visitor.page.unroute("**/v1/operations/months")
    for status in REFUSALS:
        visitor.page.route("**/v1/operations/**", refusing(status))
        visitor.look(f"/console?lang={language}")
        expect(visitor.page.get_by_role("alert")).to_be_visible()
        assert_fine(visitor, axe, f"console-refused-{status}-{look}")
        visitor.page.unroute("**/v1/operations/**")
    visitor.page.context.close()


def in_state(state: str) -> Callable[[Route], None]:
    """The real answer, as it is when nothing of the newest month was rated yet."""

    def answer(route: Route) -> None:
        real = route.fetch()
        months = real.json()
        missing = ["creators", "orders"] if state == "waiting_for_extracts" else []
        months["items"][0] |= {"state": state, "missing": missing, "held": [], "valid": None, "last": None}
        months["items"] = months["items"][:1]
        route.fulfill(response=real, json=months)

    return answer


def assert_published(visitor: Visitor, served: Served) -> None:
    """The month measured, the instant of its publication, the next renewal and the run are on the page."""
    publication, text = served.get("/v1/publication"), visitor.text()
    at = publication["published_at"][:16].replace("T", " ")
    wanted = (publication["month"], at, publication["next_renewal_on"], publication["run"])
    assert [one for one in wanted if one not in text] == []


def assert_report_shown(visitor: Visitor, report: dict[str, Any]) -> None:
    """Every number of a run's report is on the console, where it belongs."""
    text = visitor.text()
    assert report["run"] in text
    for guardrail in report["guardrails"]:
        assert percent(guardrail["limit"]) in text
        assert percent(guardrail["value"]) in text
    counts = sorted(written(cell["agencies"]) for cell in report["matrix"])
    shown = [re.sub(r"[▲▼·\s]", "", cell) for row in table(visitor, "matrix") for cell in row[1:]]
    assert sorted(cell for cell in shown if cell) == counts
    expected = [
        (mover["agency_id"], *(written(decided[part]) if decided else "–" for part in ("actual", "required")))
        for mover in report["movers"][:25]
        for decided in [mover["decided_by"]]
    ]
    rows = table(visitor, "movers")
    assert [(row[0].split("\n")[-1], row[3].split("\n")[0], row[4]) for row in rows] == expected
    seen = report["distributions"][0]["thresholds"]
    within = [next(near for near in one["near"] if near["percent"] == 5) for one in seen]
    spread = table(visitor, "distribution")
    assert [row[:3] for row in spread] == [
        [f"{one['level']}·{one['channel']}", written(one["required"]), written(one["met_by"])] for one in seen
    ]
    assert [re.findall(r"\d+", row[3]) for row in spread] == [
        [str(near[part]) for part in ("agencies", "below", "at_or_above")] for near in within
    ]


def ladder_shown(visitor: Visitor) -> list[tuple[str, list[str]]]:
    """Each level's name and required amounts, as the page shows them from top to bottom."""
    levels = visitor.page.locator("ul.levels > li")
    found: list[tuple[str, list[str]]] = levels.evaluate_all(
        """levels => levels.map(level => [
          level.querySelector("h3").lastChild.data.trim(),
          [...level.querySelectorAll(".ways span")].map(span => span.innerText.split("≥ ")[1].split(" ")[0])])"""
    )
    return [(name, amounts) for name, amounts in found]


def asked(visitor: Visitor, path: str) -> Any:
    """What the console's API answers to the visitor's own token; ``{run}`` is the run that the page shows."""
    run = visitor.page.locator(".state code").first.inner_text() if "{run}" in path else ""
    ask = """async path => (await fetch(`/v1/operations/${path}`, {
      headers: { Authorization: `Bearer ${document.querySelector("mcn-console").token()}` } })).json()"""
    return visitor.page.evaluate(ask, path.format(run=run))


def percent(share: float) -> str:
    """A share as the console writes it."""
    return f"{share * 100:.2f}".rstrip("0").rstrip(".") + "%"
