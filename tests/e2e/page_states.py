"""Every state of the pages: how a browser gets to it, and that each number it shows is the API's.

Each function opens one state after the other and gives its name; who asks looks at it then, in as many looks as wanted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle, product
from pathlib import Path
from typing import Any, Literal, Protocol

from playwright.sync_api import Route, expect

from tests.e2e.browser import Visitor
from tests.e2e.conftest import ROOT
from tests.e2e.pages_served import seen_within_seconds, table

PICTURES = ROOT / ".local" / "pictures"
REFUSALS = (401, 403, 404, 503)

Scheme = Literal["light", "dark"]
Look = tuple[int, Scheme]
WIDTHS, SCHEMES, LANGUAGES = (375, 1280), ("light", "dark"), ("zh", "en")
LOOKS: tuple[Look, ...] = tuple(product(WIDTHS, SCHEMES))  # type: ignore[arg-type]
View = Mapping[str, Any]


@dataclass(frozen=True)
class Place:
    """Where the pages are served from, and the API beside them. ``own``: an agency's own view, None for no agency."""

    url: str
    public: Callable[[str], Any]
    own: Callable[[str], Any]


class Looks(Protocol):
    """In which language a state is opened, and in which looks it is seen then."""

    def language(self) -> str: ...

    def here(self) -> tuple[Look, ...]: ...


@dataclass(frozen=True)
class EveryLook:
    """Phone and desk, light and dark, in one language."""

    chosen: str

    def language(self) -> str:
        return self.chosen

    def here(self) -> tuple[Look, ...]:
        return LOOKS


class OneLookEach:
    """One look for each state, in turn: after eight states every look in every language was had."""

    def __init__(self) -> None:
        self._turns = cycle(product(LANGUAGES, LOOKS))
        self._now: tuple[Look, ...] = ()

    def language(self) -> str:
        chosen, look = next(self._turns)
        self._now = (look,)
        return chosen

    def here(self) -> tuple[Look, ...]:
        return self._now


def assert_fine(visitor: Visitor, axe: str, states: Iterator[str], looks: Looks, folder: Path = PICTURES) -> int:
    """How many states were seen, each without a complaint of the browser, anything sideways, a violation of axe."""
    count = 0
    for count, state in enumerate(states, 1):  # noqa: B007 - the count is the answer
        for width, scheme in looks.here():
            visitor.page.set_viewport_size({"width": width, "height": 900})
            visitor.page.emulate_media(color_scheme=scheme)
            what = f"{state}-{width}-{scheme}"
            visitor.picture(folder, what.replace(" ", "-"))
            assert visitor.errors == [], what
            assert visitor.overflow() == 0, what
            assert visitor.violations(axe) == [], what
    return count


# --- what agencies see ------------------------------------------------------------------------------------------------


def level_views(place: Place, agencies: int, wanted: int) -> dict[str, View]:
    """An agency's own view for each state that a published month has; stops once so many states are found."""
    found: dict[str, View] = {}
    for number in range(1, agencies + 1):
        view = place.own(f"A-{number:04d}")
        if view is None:
            continue
        state = view["status"] if view["status"] != "rated" else f"rated {view['change']}"
        if view["status"] == "rated" and view["next_level"] is None:
            state = "top"
        found.setdefault(state, view)
        if len(found) == wanted:
            break
    return found


def levels(visitor: Visitor, states: Mapping[str, View], looks: Looks) -> Iterator[str]:
    """An agency's own page in every state."""
    for state, view in states.items():
        language = looks.language()
        visitor.look(f"/?lang={language}&agency={view['agency_id']}#level")
        text = visitor.text()
        assert view["name"] in text
        assert view["publication"]["run"] in text
        if view["status"] != "awaiting_first_rating":
            assert not [amount for amount in shown_amounts(view) if amount not in text], state
        complete = [channel["progress"] == 1 for channel in (view["next_level"] or {"channels": []})["channels"]]
        assert "100%" not in text or any(complete)
        yield f"level-{state}-{language}"


def shown_amounts(view: View) -> set[str]:
    """Every amount of an own view that its page has to show."""
    amounts = {t[part] for c in view["channels"] for t in c["thresholds"] for part in ("required", "actual")}
    amounts |= {t["margin"] for channel in view["margin"] for t in channel["thresholds"]}
    gaps = [gap for c in (view["next_level"] or {"channels": []})["channels"] for gap in c["gaps"]]
    amounts |= {gap[part] for gap in gaps for part in ("required", "actual")}
    amounts |= {gap["missing"] for gap in gaps if gap["progress"] < 1}
    amounts |= {removed["amount"] for removed in view["excluded"]["orders"]}
    return {written(amount) for amount in amounts}


def refused_levels(visitor: Visitor, view: View, looks: Looks) -> Iterator[str]:
    """An agency's own page while the API refuses, is out of reach, or knows only an older publication."""
    yield from refused(visitor, looks, "/?lang={}#level", "**/v1/**", "refused")
    language = looks.language()
    visitor.look(f"/?lang={language}#level")
    visitor.page.route("**/v1/**", lambda route: route.abort())
    visitor.page.evaluate("document.querySelector('mcn-level').reload()")
    expect(visitor.page.get_by_role("alert")).to_be_visible()
    assert view["name"] in visitor.text(), "what was read before stays"
    yield f"offline-{language}"
    visitor.page.unroute("**/v1/**")
    language = looks.language()
    visitor.page.route(re.compile(r"/level(\?|$)"), stale)
    visitor.look(f"/?lang={language}#level")
    assert ("最近一次已知" if language == "zh" else "last one known") in visitor.text()
    yield f"stale-{language}"
    visitor.page.unroute(re.compile(r"/level(\?|$)"))


def refusing(status: int) -> Callable[[Route], None]:
    """Answers as the gateway does."""

    def answer(route: Route) -> None:
        route.fulfill(status=status, content_type="application/json", body='{"message":"refused"}')

    return answer


def stale(route: Route) -> None:
    """The real answer, as it is while the pointer can't be read."""
    answer = route.fetch()
    route.fulfill(response=answer, json={**answer.json(), "stale": True})


# --- what creators and merchants see ----------------------------------------------------------------------------------


def cards_and_ladder(visitor: Visitor, place: Place, states: Mapping[str, View], looks: Looks) -> Iterator[str]:
    """The directory, a card in each state, and the ladder."""
    language = looks.language()
    visitor.look(f"/?lang={language}#directory")
    listed = place.public("/v1/agencies?level=5&limit=12")["items"]
    assert visitor.page.locator("article h3").all_inner_texts() == [card["name"] for card in listed]
    assert_published(visitor, place)
    yield f"directory-{language}"
    for state in {"top", "below_ladder", "awaiting_first_rating", "overridden"} & states.keys():
        language = looks.language()
        visitor.look(f"/?lang={language}&agency={states[state]['agency_id']}#directory")
        assert_card_shown(visitor, place.public(f"/v1/agencies/{states[state]['agency_id']}"))
        yield f"card-{state}-{language}"
    language = looks.language()
    visitor.look(f"/?lang={language}#ladder")
    assert_published(visitor, place)
    assert ladder_shown(visitor) == [
        (level["name"], [written(one["required"]) for channel in level["channels"] for one in channel["thresholds"]])
        for level in reversed(place.public("/v1/levels")["levels"])
    ]
    benefits = place.public("/v1/benefits")["benefits"]
    assert [row[0].split("\n")[0] for row in table(visitor, "benefits")] == [benefit["name"] for benefit in benefits]
    yield f"ladder-{language}"


def assert_card_shown(visitor: Visitor, card: Mapping[str, Any]) -> None:
    shown = visitor.page.locator("article").first.inner_text()
    wanted = [card["name"], card["city"], card["month"], card["introduction"], card["level_name"], *card["benefits"]]
    assert [text for text in wanted if text and text not in shown] == []
    assert visitor.page.locator("article .badge b").first.inner_text() == str(card["level"] or "–")


def assert_published(visitor: Visitor, place: Place) -> None:
    """The month measured, the instant of its publication, the next renewal and the run are on the page."""
    publication, text = place.public("/v1/publication"), visitor.text()
    at = publication["published_at"][:16].replace("T", " ")
    wanted = (publication["month"], at, publication["next_renewal_on"], publication["run"])
    assert [one for one in wanted if one not in text] == []


def ladder_shown(visitor: Visitor) -> list[tuple[str, list[str]]]:
    """Each level's name and required amounts, as the page shows them from top to bottom."""
    found: list[tuple[str, list[str]]] = visitor.page.locator("ul.levels > li").evaluate_all(
        """levels => levels.map(level => [
          level.querySelector("h3").lastChild.data.trim(),
          [...level.querySelectorAll(".ways span")].map(span => span.innerText.split("≥ ")[1].split(" ")[0])])"""
    )
    return [(name, amounts) for name, amounts in found]


# --- what operations see ----------------------------------------------------------------------------------------------


def console_of_months(visitor: Visitor, months: Mapping[str, str], looks: Looks) -> Iterator[str]:
    """The console at months, each in the state that is expected of it, with its run's numbers where it has one."""
    for month, state in months.items():
        language = looks.language()
        visitor.look(f"/console?lang={language}&month={month}")
        expect(visitor.page.locator(".state")).to_have_class(re.compile(state))
        if state in ("held", "published"):
            assert_report_shown(visitor, asked(visitor, f"runs/{{run}}?month={month}"), language)
        yield f"console-{state}-{language}"


def console_sections(visitor: Visitor, looks: Looks) -> Iterator[str]:
    """The workbook with its changes, and the ledger."""
    language = looks.language()
    visitor.look(f"/console?lang={language}")
    visitor.page.get_by_role("button", name="工作簿" if language == "zh" else "Workbook", exact=True).click()
    changes = asked(visitor, "workbook")["changes"]
    seen_within_seconds(lambda: [row[3] for row in table(visitor, "changes")] == [one["new"] for one in changes])
    yield f"console-workbook-{language}"
    language = looks.language()
    visitor.look(f"/console?lang={language}")
    visitor.page.get_by_role("button", name="台账" if language == "zh" else "Ledger", exact=True).click()
    lines = asked(visitor, "ledger")["items"]
    seen_within_seconds(lambda: [row[3] for row in table(visitor, "ledger")] == [line["run"] for line in lines])
    reasons = [line["reason"] or (line["because"] or {}).get(language) or "–" for line in lines]
    assert [row[5] for row in table(visitor, "ledger")] == reasons
    yield f"console-ledger-{language}"


def refused_console(visitor: Visitor, looks: Looks) -> Iterator[str]:
    """The console while the API refuses."""
    return refused(visitor, looks, "/console?lang={}", "**/v1/operations/**", "console-refused")


def refused(visitor: Visitor, looks: Looks, address: str, api: str, name: str) -> Iterator[str]:
    """A page while the API refuses. ``address``: with {} for the language; ``api``: the requests that are refused."""
    for status in REFUSALS:
        language = looks.language()
        visitor.page.route(api, refusing(status))
        visitor.look(address.format(language))
        expect(visitor.page.get_by_role("alert")).to_be_visible()
        yield f"{name}-{status}-{language}"
        visitor.page.unroute(api)


def assert_report_shown(visitor: Visitor, report: Mapping[str, Any], language: str) -> None:
    """Every number of a run's report is on the console, where it belongs, and in one language."""
    text = visitor.text()
    assert report["run"] in text
    for guardrail in report["guardrails"]:
        assert percent(guardrail["limit"]) in text
        assert guardrail["value"] is None or percent(guardrail["value"]) in text
    if report["standing"] == "held" and report["held_because"]:
        shown = visitor.page.locator(".state").inner_text()
        assert report["held_because"][language] in shown
        assert report["held_because"]["en" if language == "zh" else "zh"] not in shown
    counts = sorted(written(cell["agencies"]) for cell in report["matrix"])
    in_cells = [re.sub(r"[▲▼·\s]", "", cell) for row in table(visitor, "matrix") for cell in row[1:]]
    assert sorted(cell for cell in in_cells if cell) == counts
    expected = [
        (mover["agency_id"], *(written(decided[part]) if decided else "–" for part in ("actual", "required")))
        for mover in report["movers"][:25]
        for decided in [mover["decided_by"]]
    ]
    rows = table(visitor, "movers")
    assert [(row[0].split("\n")[-1], row[3].split("\n")[0], row[4]) for row in rows] == expected
    for row, mover in zip(rows, report["movers"], strict=False):
        changed = [f"{one['benefit']} " for one in mover["benefits_changed"]]
        assert [
            name for name in (*mover["benefits_gained"], *mover["benefits_lost"], *changed) if name not in row[5]
        ] == []
    assert [row[0] for row in table(visitor, "changes")] == [f"{one['tab']}!{one['cell']}" for one in report["changes"]]
    assert_distribution_shown(visitor, report["distributions"][0])


def assert_distribution_shown(visitor: Visitor, spread: Mapping[str, Any]) -> None:
    """The thresholds of a metric with who sits near, and which value so many agencies would meet."""
    seen = spread["thresholds"]
    within = [next(near for near in one["near"] if near["percent"] == 5) for one in seen]
    rows = table(visitor, "distribution")
    assert [row[:3] for row in rows] == [
        [f"{one['level']}·{one['channel']}", written(one["required"]), written(one["met_by"])] for one in seen
    ]
    assert [re.findall(r"\d+", row[3]) for row in rows] == [
        [str(near[part]) for part in ("agencies", "below", "at_or_above")] for near in within
    ]
    assert [row[1:] for row in table(visitor, "cutoffs")] == [
        [written(one[part]) for one in spread["cutoffs"]] for part in ("value", "agencies")
    ]


def asked(visitor: Visitor, path: str) -> Any:
    """What the console's API answers to the visitor's own token; ``{run}`` is the run that the page shows."""
    run = visitor.page.locator(".state code").first.inner_text() if "{run}" in path else ""
    ask = """async path => (await fetch(`/v1/operations/${path}`, {
      headers: { Authorization: `Bearer ${document.querySelector("mcn-console").token()}` } })).json()"""
    return visitor.page.evaluate(ask, path.format(run=run))


def written(amount: int | str) -> str:
    """An amount as pages write it."""
    whole, _, fraction = str(amount).partition(".")
    return f"{int(whole):,}" + (f".{fraction}" if fraction not in ("", "00") else "")


def percent(share: float) -> str:
    """A share as the console writes it."""
    return f"{share * 100:.2f}".rstrip("0").rstrip(".") + "%"
