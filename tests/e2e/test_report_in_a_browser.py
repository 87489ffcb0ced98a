"""The run report as people open it: in a browser, on a phone, with names that mean harm."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cloud import Cloud, small_cloud

PHONE = 390  # CSS pixels
MAY = {"month": "2026-05"}
JOINED = "2025-01-01 00:00:00"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")

# The page stands in a frame as wide as a phone; what its owner sees of it goes into the outer title.
FRAME = """<!doctype html><title></title><iframe width="{width}" height="844" srcdoc="{page}"></iframe><script>
onload = () => {{
  const frame = document.querySelector("iframe"), page = frame.contentDocument;
  document.title = JSON.stringify({{
    beyond: page.documentElement.scrollWidth - page.documentElement.clientWidth,
    text: page.body.innerText,
    fetched: frame.contentWindow.performance.getEntriesByType("resource").map(entry => entry.name),
    bars: [...page.querySelectorAll("rect")].map(bar => bar.getBoundingClientRect().width),
    harmed: window.harmed ?? null,
  }});
}};
</script>"""


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with small_cloud(tmp_path) as cloud:
        yield cloud


def seen_on_a_phone(page: str, folder: Path) -> dict[str, Any]:
    """What a browser makes of a page."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        pytest.skip("no Chromium on this machine")
    framed = folder / "framed.html"
    framed.write_text(FRAME.format(width=PHONE, page=html.escape(page)), encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}", "--dump-dom"]
    done = subprocess.run(
        [browser, *options, framed.as_uri()], capture_output=True, text=True, timeout=120, check=True
    ).stdout
    told = re.search(r"<title>(.*?)</title>", done, re.DOTALL)
    assert told, done[:500]
    seen: dict[str, Any] = json.loads(html.unescape(told[1]))
    return seen


def test_the_report_fits_a_phone_and_fetches_nothing(cloud: Cloud, tmp_path: Path) -> None:
    cloud.rate({"month": "2026-04"})
    cloud.put_month("2026-05", {"a": (5, 500_000), "b": (1, 0), "c": (2, 10_000)})

    seen = seen_on_a_phone(cloud.report(cloud.rate(MAY)["report"]), tmp_path)

    assert seen["beyond"] == 0
    assert seen["fetched"] == []
    assert max(seen["bars"]) > 100
    assert "2026-05 机构等级考核报告" in seen["text"]
    assert "agency level report" in seen["text"]


@pytest.mark.parametrize(
    "name",
    [
        "<script>parent.harmed = 1</script>",
        '<img src=x onerror="parent.harmed = 1">',
        '"><iframe src="https://example.invalid"></iframe>',
        "a" * 500,
    ],
)
def test_a_name_that_means_harm_is_only_text(cloud: Cloud, tmp_path: Path, name: str) -> None:
    cloud.put_month("2026-05", {"a": (5, 500_000)})
    cloud.put("agencies", "2026-05", [("a", name, JOINED, name, name, name)])

    seen = seen_on_a_phone(cloud.report(cloud.rate(MAY)["report"]), tmp_path)

    assert seen["harmed"] is None
    assert seen["fetched"] == []
    assert name in seen["text"]
    assert seen["beyond"] == 0
