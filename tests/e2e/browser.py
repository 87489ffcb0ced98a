"""A real browser for tests of the pages: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
EXPECTED_ERRORS = re.compile(r"Failed to load resource|net::ERR_(NAME_NOT_RESOLVED|INTERNET_DISCONNECTED|FAILED)")
TEXT = """() => {
  const inside = node => node.nodeType === 3 ? node.data
    : ["STYLE", "SCRIPT"].includes(node.nodeName) ? "" : (node.shadowRoot ? all(node.shadowRoot) : "") + all(node);
  const all = root => [...root.childNodes].map(inside).join(" ");
  return all(document.body).replace(/\\s+/g, " ");
}"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser. Without one, the test is skipped."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, headless=True, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Visitor:
    """A person who uses the pages of a served system. ``errors``: the browser's error messages."""

    page: Page
    url: str
    errors: list[str] = field(default_factory=list)

    @classmethod
    def signed_in(cls, browser: Browser, url: str, person: str, *, width: int = 1280, scheme: Any = "light") -> Visitor:
        """A visitor who is signed in as this person."""
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, locale="zh-CN")
        visitor = cls(context.new_page(), url)
        visitor.page.on("console", visitor._record_error)
        visitor.page.on("pageerror", lambda error: visitor.errors.append(str(error)))
        visitor.page.goto(f"{url}/")
        visitor.page.wait_for_url("**/local-issuer/authorize**")
        visitor.page.goto(f"{visitor.page.url}&as={person}")
        visitor.page.wait_for_selector("main > *")
        return visitor

    def _record_error(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not EXPECTED_ERRORS.search(message.text):
            self.errors.append(message.text)

    def look(self, path: str) -> None:
        """Open a path, and wait until everything has been read."""
        self.page.goto("about:blank")  # otherwise another #view of the same page would load nothing
        self.page.goto(f"{self.url}{path}")
        self.settle()

    def spoil(self, element: str, values: dict[str, str]) -> None:
        """Give an element other properties: a token that is no longer valid, another agency."""
        self.page.evaluate("([name, values]) => Object.assign(document.querySelector(name), values)", [element, values])

    def token(self) -> str:
        """The token that the page holds, as its element asks for it."""
        return str(self.page.evaluate("document.querySelector('main > :not(h1)').token()"))

    def settle(self) -> None:
        self.page.wait_for_selector("main > * .sheet[aria-busy=false]")

    def text(self) -> str:
        """All text that the page shows, also inside of its elements."""
        return str(self.page.evaluate(TEXT))

    def overflow(self) -> int:
        """CSS pixels by which the page is wider than its window."""
        root = "document.documentElement"
        return int(self.page.evaluate(f"{root}.scrollWidth - {root}.clientWidth"))

    def violations(self, axe: str) -> list[str]:
        """The violations that axe finds, each with its first element."""
        self.page.evaluate(f"() => {{ if (!window.axe) {{ {axe} }} }}")
        found = self.page.evaluate(
            """async () => (await axe.run({ resultTypes: ["violations"], preload: false }))
              .violations.map(v => [v.id, v.nodes[0].html])"""
        )
        return [json.dumps(each, ensure_ascii=False)[:300] for each in found]

    def picture(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        # Half the time of a PNG, and hundreds are taken.
        self.page.screenshot(path=folder / f"{name}.jpg", type="jpeg", quality=70, full_page=True)
