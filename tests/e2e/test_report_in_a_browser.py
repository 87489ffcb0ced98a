"""The run report as people open it: in a browser, on a phone, and with malicious names."""

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

from shared.errors import TooManyBadRows
from tests.cloud import Cloud, small_cloud
from tests.e2e.conftest import ROOT

PHONE = 390  # CSS pixels
MAY = {"month": "2026-05"}
HEADER = "order_id,creator_id,pay_time,pay_amount,risk_tag\n"
JOINED = "2025-01-01 00:00:00"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")

AXE = "4.14.1"

# The page is in a frame as wide as a phone; the outer page writes what it sees into its title.
FRAME = """<!doctype html><title></title><iframe width="{width}" height="844" srcdoc="{page}"></iframe><script>
onload = async () => {{
  const frame = document.querySelector("iframe"), page = frame.contentDocument;
  const seen = {{
    beyond: page.documentElement.scrollWidth - page.documentElement.clientWidth,
    text: page.body.innerText,
    fetched: frame.contentWindow.performance.getEntriesByType("resource").map(entry => entry.name),
    bars: [...page.querySelectorAll("rect")].map(bar => bar.getBoundingClientRect().width),
    harmed: window.harmed ?? null,
  }};
  page.getElementById("in-en").click();
  seen.english = page.body.innerText;
  document.title = JSON.stringify(seen);
}};
</script>"""

# The page itself with axe, which writes its findings into the title.
CHECKED = """<script>{axe}</script><script>
addEventListener("load", async () => {{
  const dark = matchMedia("(prefers-color-scheme: dark)").matches, violations = [];
  for (const id of ["in-zh", "in-en"]) {{
    document.getElementById(id).click();
    const found = await axe.run(document, {{resultTypes: ["violations"]}});
    violations.push(...found.violations.map(v => [id, v.id, v.nodes.map(node => node.html.slice(0, 200))]));
  }}
  document.title = JSON.stringify({{dark, violations}});
}});
</script>"""


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with small_cloud(tmp_path) as cloud:
        yield cloud


def browse(page: str, folder: Path, *options: str) -> dict[str, Any]:
    """The JSON that a page has written into its title after a browser has shown it."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        pytest.skip("no Chromium on this machine")
    file = folder / "shown.html"
    file.write_text(page, encoding="utf-8")
    common = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}", "--dump-dom"]
    common += ["--virtual-time-budget=20000"]
    done = subprocess.run(
        [browser, *common, *options, file.as_uri()], capture_output=True, text=True, timeout=120, check=True
    ).stdout
    title = re.search(r"<title>(\{.*?\})</title>", done, re.DOTALL)
    assert title, done[:500]
    seen: dict[str, Any] = json.loads(html.unescape(title[1]))
    return seen


def seen_on_a_phone(page: str, folder: Path) -> dict[str, Any]:
    """How a browser shows a page in the width of a phone."""
    return browse(FRAME.format(width=PHONE, page=html.escape(page)), folder)


@pytest.fixture(scope="module")
def axe() -> str:
    """axe-core from npm; it is stored in .local/ for the next time."""
    folder = ROOT / ".local" / f"axe-{AXE}"
    script = folder / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        if not shutil.which("npm"):
            pytest.skip("no npm on this machine to get axe-core with")
        command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder)]
        subprocess.run([*command, f"axe-core@{AXE}"], check=True, timeout=300)
    return script.read_text("utf-8")


def test_the_report_fits_a_phone_and_fetches_nothing(cloud: Cloud, tmp_path: Path) -> None:
    cloud.rate({"month": "2026-04"})
    cloud.put_month("2026-05", {"a": (5, 500_000), "b": (1, 0), "c": (2, 10_000)})

    seen = seen_on_a_phone(cloud.report(cloud.rate(MAY)["report"]), tmp_path)

    assert seen["beyond"] == 0
    assert seen["fetched"] == []
    assert max(seen["bars"]) > 100


def test_the_report_is_in_one_language_at_a_time_and_has_a_switch(cloud: Cloud, tmp_path: Path) -> None:
    cloud.put_month("2026-05", {"a": (5, 500_000)})
    seen = seen_on_a_phone(cloud.report(cloud.rate(MAY)["report"]), tmp_path)
    assert "2026-05 机构等级考核报告" in seen["text"]
    assert "agency level report" not in seen["text"]
    assert "2026-05 agency level report" in seen["english"]
    assert "机构等级考核报告" not in seen["english"]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("decided", [False, True], ids=["held", "accepted"])
def test_axe_finds_nothing_in_either_language(
    cloud: Cloud, axe: str, tmp_path: Path, dark: bool, decided: bool
) -> None:
    cloud.put_month("2026-04", {"a": (5, 500_000), "b": (1, 0), "c": (2, 10_000)})
    cloud.rate({"month": "2026-04"})
    cloud.put_month("2026-05", {"a": (1, 0), "b": (5, 500_000), "c": (2, 10_000)})
    cloud.write_workbook(settings="setting,value\nmax_changed_share,0.1\n", cases="case,six,gmv,expected_level\nx,,,\n")
    held = cloud.rate(MAY)
    if decided:
        cloud.rate({"accept": held["run"], "by": "Li", "reason": "checked"})
    page = cloud.report(held["report"]).replace("</body>", CHECKED.format(axe=axe) + "</body>")
    scheme = ["--blink-settings=preferredColorScheme=0"] if dark else []
    found = browse(page, tmp_path, *scheme)
    assert found == {"dark": dark, "violations": []}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_on_the_page_of_a_stopped_run(cloud: Cloud, axe: str, tmp_path: Path, dark: bool) -> None:
    cloud.put_month("2026-05", {"a": (5, 500_000)})
    bad = "".join(f"<b>{i}</b>,a-0,yesterday,100,\n" for i in range(50))
    cloud.put_object("orders", "2026-05", "bad.csv", f"{HEADER}{bad}".encode())
    with pytest.raises(TooManyBadRows) as raised:
        cloud.rate(MAY)
    written = cloud.report(str(raised.value).rpartition("Report: ")[2])
    page = written.replace("</body>", CHECKED.format(axe=axe) + "</body>")
    scheme = ["--blink-settings=preferredColorScheme=0"] if dark else []
    assert browse(page, tmp_path, *scheme) == {"dark": dark, "violations": []}
    seen = seen_on_a_phone(written, tmp_path)
    assert "考核已停止" in seen["text"]
    assert "考核已停止" not in seen["english"]
    assert "Nothing was published" in seen["english"]
    assert (seen["beyond"], seen["fetched"], seen["harmed"]) == (0, [], None)


@pytest.mark.parametrize(
    "name",
    [
        "<script>parent.harmed = 1</script>",
        '<img src=x onerror="parent.harmed = 1">',
        '"><iframe src="https://example.invalid"></iframe>',
        "a" * 500,
    ],
)
def test_a_malicious_name_is_only_text(cloud: Cloud, tmp_path: Path, name: str) -> None:
    cloud.put_month("2026-05", {"a": (5, 500_000)})
    cloud.put("agencies", "2026-05", [("a", name, JOINED, name, name, name)])

    seen = seen_on_a_phone(cloud.report(cloud.rate(MAY)["report"]), tmp_path)

    assert seen["harmed"] is None
    assert seen["fetched"] == []
    assert name in seen["text"]
    assert seen["beyond"] == 0
