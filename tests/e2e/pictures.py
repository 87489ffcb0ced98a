"""make pictures: makes the pictures of the pages in README, with make serve over the sample."""

from __future__ import annotations

import tempfile
from base64 import b64decode
from pathlib import Path

from playwright.sync_api import Page

from local.commandline import Parser, run
from tests.e2e.browser import Visitor, chromium
from tests.e2e.conftest import ROOT
from tests.e2e.pages_served import Rows, edited, serving

PICTURES = ROOT / "docs" / "pictures"
MONTH = "2026-10"
AGENCY = "A-0325"


def main() -> int:
    Parser(prog="make pictures", description=__doc__).parse_args()
    with tempfile.TemporaryDirectory() as temporary, chromium() as browser:
        folder = Path(temporary)
        rows: Rows = {("max_downgraded_share",): {"value": "0.02"}, ("max_changed_share",): {"value": "0.3"}}
        workbook = edited(folder / "workbook", {"settings": rows})
        with serving(folder, workbook) as served:
            operator = Visitor.signed_in(browser, served.url, "operator")
            operator.look(f"/console?lang=zh&month={MONTH}")
            save(operator.page, "console.webp", height=1240)
        with serving(folder, ROOT / "config" / "workbook") as served:
            agency = Visitor.signed_in(browser, served.url, AGENCY)
            agency.look("/?lang=zh#level")
            save(agency.page, "level.webp", height=820)
    return 0


def save(page: Page, name: str, height: int) -> None:
    """Save the top of a page as a small file."""
    page.set_viewport_size({"width": 1280, "height": height})
    picture = page.context.new_cdp_session(page).send("Page.captureScreenshot", {"format": "webp", "quality": 80})
    (PICTURES / name).write_bytes(b64decode(picture["data"]))
    print(PICTURES.joinpath(name).relative_to(ROOT))


if __name__ == "__main__":
    run(main)
