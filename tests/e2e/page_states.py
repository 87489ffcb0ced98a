"""Every state of the pages of agencies, creators and merchants, and that each number they show is the API's.

Each function opens one state after the other and gives its name; who asks looks at it then, in as many looks as wanted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from playwright.sync_api import expect

from tests.e2e.browser import Visitor
from tests.e2e.looks import Looks
from tests.e2e.pages_served import table
from tests.e2e.places import Place, assert_refused, shown_as_stale

View = Mapping[str, Any]


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
        assert_tips_shown(view, language, text)
        complete = [channel["progress"] == 1 for channel in (view["next_level"] or {"channels": []})["channels"]]
        assert "100%" not in text or any(complete)
        yield f"level-{state}-{language}"
    language = looks.language()
    nobody = f"/?lang={language}&agency=no-such-agency#level"
    assert_refused(visitor, language, 404, lambda: visitor.look(nobody))
    yield f"level-refused-404-{language}"


def assert_tips_shown(view: View, language: str, text: str) -> None:
    """Each tip is there in the page's language, and not in the other one."""
    for tip in view["tips"]:
        shown, other = tip["texts"][language], tip["texts"]["en" if language == "zh" else "zh"]
        assert shown in text
        assert other == shown or other not in text


def shown_amounts(view: View) -> set[str]:
    """Every amount of an own view that its page has to show."""
    amounts = {t[part] for c in view["channels"] for t in c["thresholds"] for part in ("required", "actual")}
    amounts |= {t["margin"] for channel in view["margin"] for t in channel["thresholds"]}
    gaps = [gap for c in (view["next_level"] or {"channels": []})["channels"] for gap in c["gaps"]]
    amounts |= {gap[part] for gap in gaps for part in ("required", "actual")}
    amounts |= {gap["missing"] for gap in gaps if gap["progress"] < 1}
    amounts |= {removed["amount"] for removed in view["excluded"]["orders"]}
    return {written(amount) for amount in amounts}


def refused_levels(visitor: Visitor, place: Place, view: View, looks: Looks) -> Iterator[str]:
    """An agency's own page while the API refuses, is out of reach, or knows only an older publication."""
    page = "/?lang={}#level"
    for status, spoilt in ((401, {"token": place.spent_token}), (403, {"agency": "A-0000"})):
        language = looks.language()
        visitor.look(page.format(language))
        assert_refused(visitor, language, status, partial(visitor.spoil, "mcn-level", spoilt))
        yield f"refused-{status}-{language}"
    language = looks.language()
    with place.nothing_published():
        assert_refused(visitor, language, 503, lambda: visitor.look(page.format(language)))
        yield f"refused-503-{language}"
    language = looks.language()
    visitor.look(page.format(language))
    visitor.page.route("**/v1/**", lambda route: route.abort())  # no server can be asked to be out of reach
    visitor.page.evaluate("document.querySelector('mcn-level').reload()")
    expect(visitor.page.get_by_role("alert")).to_be_visible()
    assert view["name"] in visitor.text(), "what was read before stays"
    yield f"offline-{language}"
    visitor.page.unroute("**/v1/**")
    language = looks.language()
    with place.trouble.pointer_refused(visitor):
        visitor.look(page.format(language))
        assert_stale(visitor, language)
        assert view["name"] in visitor.text()
        yield f"stale-{language}"


def assert_stale(visitor: Visitor, language: str) -> None:
    assert ("最近一次已知" if language == "zh" else "last one known") in visitor.text()


# --- what creators and merchants see ----------------------------------------------------------------------------------


def cards_and_ladder(visitor: Visitor, place: Place, states: Mapping[str, View], looks: Looks) -> Iterator[str]:
    """The directory, a card in each state, and the ladder."""
    language = looks.language()
    visitor.look(f"/?lang={language}#directory")
    listed = place.public("/v1/agencies?level=5&limit=12")["items"]
    assert visitor.page.locator("article h3").all_inner_texts() == [card["name"] for card in listed]
    assert_published(visitor, place)
    yield f"directory-{language}"
    for state in sorted({"top", "below_ladder", "awaiting_first_rating", "overridden"} & states.keys()):
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
    language = looks.language()
    with shown_as_stale(place.public, place.trouble.table_refuses()):
        visitor.look(f"/?lang={language}#ladder")
        assert_stale(visitor, language)
        yield f"ladder-stale-{language}"


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


def written(amount: int | str) -> str:
    """An amount as pages write it."""
    whole, _, fraction = str(amount).partition(".")
    return f"{int(whole):,}" + (f".{fraction}" if fraction not in ("", "00") else "")
