"""A real browser and its cache: the next user of a page never gets the own view of the user before."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from local.cloud.front import front
from tests.serving import answering
from tools.docs.example import example_handler

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
SCOPE = "levels.public levels.agency"
CLAIMS = {
    "last": {"sub": "last", "scope": SCOPE, "agency_id": "A-0042"},
    "next": {"sub": "next", "scope": SCOPE, "agency_id": "A-0007"},
}
PAGE = b"""<!doctype html><title></title><script>
async function statusFor(token) {
  const answer = await fetch("/v1/agencies/A-0042/level", {headers: {Authorization: `Bearer ${token}`}});
  return answer.status;
}
onload = async () => {
  const statuses = [];
  for (const token of ["last", "last", "next", "last"]) statuses.push(await statusFor(token));
  document.title = JSON.stringify(statuses);
};
</script>"""


@pytest.fixture
def served() -> Iterator[tuple[str, list[str]]]:
    """The address of the page, and the tokens of the requests that reached the API."""
    reached: list[str] = []
    api = front(example_handler(), claims_of=CLAIMS.get)

    def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/":
            start_response("200 OK", [("content-type", "text/html")])
            return [PAGE]
        if token := environ.get("HTTP_AUTHORIZATION"):
            reached.append(token.removeprefix("Bearer "))
        return api(environ, start_response)

    with answering(application) as address:
        yield f"{address}/", reached


def test_the_cache_never_answers_another_token(served: tuple[str, list[str]], tmp_path: Path) -> None:
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        pytest.skip("no Chromium on this machine")
    address, reached = served
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}", "--dump-dom"]
    done = subprocess.run(
        [browser, *options, "--virtual-time-budget=20000", address],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    title = re.search(r"<title>(.*?)</title>", done.stdout, re.DOTALL)
    assert title, done.stdout[:500]
    assert json.loads(html.unescape(title[1])) == [200, 200, 403, 200]
    assert reached[:1] == ["last"]
    assert "next" in reached
    assert reached.count("last") < 3  # the cache was used
