"""Every state of the console, and that each number it shows is the API's. Used as tests/e2e/page_states.py is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from playwright.sync_api import expect

from tests.e2e.browser import Visitor
from tests.e2e.looks import Looks
from tests.e2e.page_states import written
from tests.e2e.pages_served import seen_within_seconds, table
from tests.e2e.places import Place, assert_refused


def console_of_months(visitor: Visitor, months: Mapping[str, str], looks: Looks) -> Iterator[str]:
    """The console at months, each in the state that is expected of it, with its run's numbers where it has one."""
    for month, state in months.items():
        language = looks.language()
        visitor.look(f"/console?lang={language}&month={month}")
        expect(visitor.page.locator(".state")).to_have_class(re.compile(state))
        if state in ("held", "published"):
            assert_report_shown(visitor, asked(visitor, f"runs/{{run}}?month={month}"), language)
        yield f"console-{state}-{language}"


def console_of_prepared(visitor: Visitor, month: str, looks: Looks) -> Iterator[str]:
    """A month that is not over, for which the workbook prepares other rules: chosen in the list, then previewed."""
    language = looks.language()
    visitor.look(f"/console?lang={language}")
    prepared = "已准备改动" if language == "zh" else "changes prepared"
    visitor.page.get_by_role("button", name=f"{month} {prepared}").click()
    visitor.settle()
    (found,) = [one for one in asked(visitor, "workbook")["prepared"] if one["month"] == month]
    assert found["moving"], "the sample has agencies that would move"
    state = visitor.page.locator(".state").inner_text()
    wanted = [month, prepared, found["measured_month"], found["due_on"]]
    wanted += [written(found["moves"][way]) for way in ("up", "down")]
    assert [one for one in wanted if one not in state] == []
    assert_moves_shown(visitor, found)
    yield f"console-prepared-{language}"
    visitor.page.get_by_role("button", name="开始试算" if language == "zh" else "Preview", exact=True).click()
    done = "已完成：试算完成" if language == "zh" else "Done: previewed"
    expect(visitor.page.get_by_text(done)).to_be_visible(timeout=60_000)
    visitor.settle()
    assert_moves_shown(visitor, found)


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


def refused_console(visitor: Visitor, place: Place, tokens: Mapping[int, str], looks: Looks) -> Iterator[str]:
    """The console while the API refuses. ``tokens``: by the status that each of them has for an answer."""
    for status, token in tokens.items():
        language = looks.language()
        visitor.look(f"/console?lang={language}")
        assert_refused(visitor, language, status, partial(visitor.spoil, "mcn-console", {"token": token}))
        yield f"console-refused-{status}-{language}"
    language = looks.language()
    with place.trouble.table_refuses():
        assert_refused(visitor, language, 503, lambda: visitor.look(f"/console?lang={language}"))
        yield f"console-refused-503-{language}"


def console_without_report(visitor: Visitor, place: Place, month: str, looks: Looks) -> Iterator[str]:
    """A published month whose report is no longer kept."""
    language = looks.language()
    visitor.look(f"/console?lang={language}&month={month}")
    with place.without_report(month, visitor.page.locator(".state code").first.inner_text()):
        visitor.look(f"/console?lang={language}&month={month}")
        gone = "报告已不再保留" if language == "zh" else "report is no longer kept"
        expect(visitor.page.get_by_text(gone)).to_be_visible()
        yield f"console-without-report-{language}"


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
    assert_moves_shown(visitor, report)
    assert [row[0] for row in table(visitor, "changes")] == [f"{one['tab']}!{one['cell']}" for one in report["changes"]]
    assert_distribution_shown(visitor, report["distributions"][0])


def assert_moves_shown(visitor: Visitor, moves: Mapping[str, Any]) -> None:
    """Who goes from where to where, and why: of a run, or of what is prepared."""
    counts = sorted(written(cell["agencies"]) for cell in moves["matrix"])
    in_cells = [re.sub(r"[▲▼·\s]", "", cell) for row in table(visitor, "matrix") for cell in row[1:]]
    assert sorted(cell for cell in in_cells if cell) == counts
    expected = [
        (mover["agency_id"], *(written(decided[part]) if decided else "–" for part in ("actual", "required")))
        for mover in moves["movers"][:25]
        for decided in [mover["decided_by"]]
    ]
    rows = table(visitor, "movers")
    assert [(row[0].split("\n")[-1], row[3].split("\n")[0], row[4]) for row in rows] == expected
    for row, mover in zip(rows, moves["movers"], strict=False):
        changed = [f"{one['benefit']} " for one in mover["benefits_changed"]]
        assert [
            name for name in (*mover["benefits_gained"], *mover["benefits_lost"], *changed) if name not in row[5]
        ] == []


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


def percent(share: float) -> str:
    """A share as the console writes it."""
    return f"{share * 100:.2f}".rstrip("0").rstrip(".") + "%"
