"""A whole story in a real browser, with make serve and an Excel workbook: from an upload to a rollback."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from playwright.sync_api import Browser, expect

from local.cloud.embedded import EXTRACTS
from shared.settings import S3Prefix
from tests.e2e.browser import Visitor, chromium
from tests.e2e.pages_served import EXAMPLE, Rows, Served, as_excel, edited, seen_within_seconds, serving, table

MONTH = "2026-10"
PATIENCE = 120_000
RAISED: Rows = {("", "1", "1"): {"paid_gmv": "25000"}, ("", "1", "2"): {"paid_gmv": "75000"}}
RAISED_AGAIN: Rows = {("", "1", "1"): {"paid_gmv": "26000"}, ("", "1", "2"): {"paid_gmv": "75000"}}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    workbook = folder / "levels.xlsx"
    workbook.write_bytes(as_excel(EXAMPLE))
    with serving(folder, workbook) as served:
        yield served


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


def test_the_whole_story(served: Served, browser: Browser, tmp_path: Path) -> None:
    """A fault is uploaded and fixed; the month is previewed, held, accepted by keyboard, and rolled back."""
    operator = Visitor.signed_in(browser, served.url, "operator")
    other = Visitor.signed_in(browser, served.url, "operator-2")
    first = served.get(f"/v1/publication?month={MONTH}")["run"]

    upload(operator, edited(tmp_path / "faulty", {"thresholds": {("", "2", "1"): {"paid_gmv": "10000"}}}))
    expect(operator.page.get_by_text("Done: the workbook has errors")).to_be_visible()
    assert "thresholds!F4" in operator.text()
    assert "Raise this threshold" in operator.text()

    upload(operator, edited(tmp_path / "fixed", {"thresholds": RAISED}))
    expect(operator.page.get_by_text("Done: checked")).to_be_visible(timeout=PATIENCE)
    assert "thresholds!F4" not in operator.text()
    assert table(operator, "changes")[0][0] == "thresholds!F2"

    operator.look("/console?lang=en")
    assert operator.page.locator(".state h1").inner_text().split()[0] == MONTH
    operator.page.get_by_role("button", name="Preview").click()
    expect(operator.page.get_by_text("Done: previewed")).to_be_visible(timeout=PATIENCE)
    unrated = next(row[0].split("\n")[-1] for row in table(operator, "movers") if row[1].endswith("→ unrated"))

    held = served.rate({"month": MONTH})
    assert held["outcome"] == "held"
    for visitor in (operator, other):
        visitor.look("/console?lang=en")
        assert "held, waiting for a decision" in visitor.text()
    assert served_level(served, unrated) == 1
    agency = Visitor.signed_in(browser, served.url, unrated)
    assert "1 新芽机构" in standing(agency)

    decide_by_keyboard(operator)
    expect(operator.page.get_by_text("Done: published")).to_be_visible(timeout=PATIENCE)
    decide(other, "Publish this run")
    expect(other.page.get_by_role("alert")).to_contain_text("li.hua@example.com")
    assert decided(operator, "accepted") == [("li.hua@example.com", "looked at")]
    seen_within_seconds(lambda: served_level(served, unrated) is None)
    assert standing(agency) == "unrated"

    operator.look("/console?lang=en")
    operator.page.get_by_role("button", name=f"Look {first} replaced").click()
    decide(operator, "Roll back to this run")
    expect(operator.page.get_by_text("Done: rolled back")).to_be_visible(timeout=PATIENCE)
    assert decided(operator, "rolled_back") == [("li.hua@example.com", "looked at")]
    seen_within_seconds(lambda: served_level(served, unrated) == 1)
    assert "1 新芽机构" in standing(agency)
    for visitor in (operator, other, agency):
        assert visitor.errors == []
        visitor.page.context.close()


def test_a_superseded_run_is_published_only_after_a_confirmation(
    served: Served, browser: Browser, tmp_path: Path
) -> None:
    operator = Visitor.signed_in(browser, served.url, "operator")
    upload(operator, edited(tmp_path / "again", {"thresholds": RAISED_AGAIN}))
    expect(operator.page.get_by_text("Done: checked")).to_be_visible(timeout=PATIENCE)
    held = served.rate({"month": MONTH})
    assert held["outcome"] == "held"
    add_to_the_extracts(served)

    operator.look("/console?lang=en")
    decide(operator, "Publish this run")
    expect(operator.page.get_by_role("alert")).to_contain_text("anyway", timeout=PATIENCE)
    confirmation = operator.page.get_by_label("I know that data or publications have changed")
    publish = operator.page.get_by_role("button", name="Publish this run")
    expect(publish).to_be_disabled()
    confirmation.check()
    publish.dblclick()
    expect(operator.page.get_by_text("Done: published")).to_be_visible(timeout=PATIENCE)
    assert decided(operator, "accepted")[0] == ("li.hua@example.com", "looked at")
    assert operator.errors == []
    operator.page.context.close()


def test_a_removed_benefit_is_published_after_a_confirmation(served: Served, browser: Browser, tmp_path: Path) -> None:
    operator = Visitor.signed_in(browser, served.url, "operator")
    changes: dict[str, Rows] = {"thresholds": RAISED_AGAIN, "benefits": {("promotion",): {"L4": ""}}}
    upload(operator, edited(tmp_path / "less", changes))
    expect(operator.page.get_by_text("Done: checked")).to_be_visible(timeout=PATIENCE)
    assert "takes away" in operator.text()
    confirm = operator.page.get_by_role("button", name="Take away now")
    expect(confirm).to_be_disabled()
    operator.page.get_by_label("Reason").fill("agreed with the agencies")
    confirm.dblclick()
    expect(operator.page.get_by_text("Done: the changes are in effect")).to_be_visible(timeout=PATIENCE)
    assert decided(operator, "refreshed") == [("li.hua@example.com", "agreed with the agencies")]
    seen_within_seconds(
        lambda: [one["level"] for one in served.get("/v1/benefits/promotion")["levels"]] == [5],
    )
    assert operator.errors == []
    operator.page.context.close()


def test_a_runs_report_opens_from_the_console(served: Served, browser: Browser) -> None:
    operator = Visitor.signed_in(browser, served.url, "operator")
    operator.look("/console?lang=en")
    with operator.page.context.expect_page() as opened:
        operator.page.get_by_role("link", name="Report", exact=False).first.click()
    report = opened.value
    report.wait_for_load_state()
    assert MONTH in report.locator("h1").inner_text()
    assert report.evaluate("() => window.opener") is None
    assert report.locator("a").count() == 0, "the browser could not open a link without a signature"
    kept = report.get_by_text("quarantine.csv.gz").inner_text()
    assert kept.startswith("s3://")
    with operator.page.expect_download() as begun:
        operator.page.get_by_role("link", name="Rows left out", exact=False).first.evaluate(
            "link => { link.removeAttribute('target'); link.click(); }"
        )
    rows = gzip.decompress(Path(begun.value.path()).read_bytes()).decode().splitlines()
    assert rows[0].startswith("object,row")
    assert len(rows) > 1
    operator.page.context.close()


def upload(visitor: Visitor, workbook: Path) -> None:
    """Upload a workbook in the console, and wait until it was checked."""
    file = workbook.with_suffix(".xlsx")
    file.write_bytes(as_excel(workbook))
    visitor.look("/console?lang=en")
    visitor.page.get_by_role("button", name="Workbook", exact=True).click()
    visitor.page.get_by_label("Upload an Excel workbook").set_input_files(file)
    visitor.page.get_by_role("button", name="Upload and check").click()
    expect(visitor.page.get_by_text("Done", exact=False).or_(visitor.page.get_by_text("Not done"))).to_be_visible(
        timeout=PATIENCE
    )


def standing(visitor: Visitor) -> str:
    """The level or status that an agency's page shows."""
    visitor.look("/?lang=en#level")
    return visitor.page.locator("mcn-level .facts strong").inner_text()


def served_level(served: Served, agency: str) -> int | None:
    level: int | None = served.get(f"/v1/agencies/{agency}")["level"]
    return level


def decide(visitor: Visitor, action: str) -> None:
    """Fill in reason and month, and double-click the button."""
    visitor.page.get_by_label("Reason").fill("looked at")
    visitor.page.get_by_label(f"Type the month {MONTH}").fill(MONTH)
    visitor.page.get_by_role("button", name=action).dblclick()


def decide_by_keyboard(visitor: Visitor) -> None:
    """Decide with Tab, letters and Enter alone, from the top of the page."""
    keyboard = visitor.page.keyboard
    focused = "() => document.querySelector('mcn-console')?.shadowRoot.activeElement?.name"
    for _ in range(60):
        keyboard.press("Tab")
        if visitor.page.evaluate(focused) == "reason":
            break
    else:
        pytest.fail("Tab does not reach the field for the reason")
    keyboard.type("looked at")
    keyboard.press("Tab")
    keyboard.type(MONTH)
    keyboard.press("Tab")
    keyboard.press("Enter")


def decided(visitor: Visitor, action: str) -> list[tuple[str, str]]:
    """Name and reason of each ledger line of an action, newest first, read with the visitor's own token."""
    ask = """async month => (await fetch(`/v1/operations/ledger?month=${month}`, {
      headers: { Authorization: `Bearer ${document.querySelector("mcn-console").token()}` } })).json()"""
    lines: list[dict[str, Any]] = visitor.page.evaluate(ask, MONTH)["items"]
    return [(line["by"], line["reason"]) for line in lines if line["action"] == action]


def add_to_the_extracts(served: Served) -> None:
    """Add one more object to the month's extracts."""
    extracts = S3Prefix.parse(EXTRACTS)
    own = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    s3 = boto3.client("s3", endpoint_url=served.endpoint(), **own)  # type: ignore[call-overload]
    header = b"order_id,creator_id,pay_time,pay_amount,risk_tag\n"
    s3.put_object(Bucket=extracts.bucket, Key=extracts.key("orders", f"month={MONTH}", "late.csv"), Body=header)
