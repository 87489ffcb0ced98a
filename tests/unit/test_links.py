"""Links must be https: another link is a fault in the workbook, and is not shown if it is from an extract."""

from __future__ import annotations

from dataclasses import replace

import pytest

from functions.lookup.views import card
from shared.levels import Status
from shared.links import is_https
from tests.published import agency, rulebook
from tests.workbooks import Workbook, found

NOT_HTTPS = (
    "http://example.com",
    "javascript:alert(1)",
    "data:text/html,x",
    "//example.com",
    "example.com",
    "https://",
    "https://exa mple.com",
    "https://example.com/\u0000",
    "https://[",
    " https://example.com",
)


@pytest.mark.parametrize("link", ["https://example.com", "HTTPS://例子.cn/路径?a=1#b"])
def test_an_https_link_is_recognised(link: str) -> None:
    assert is_https(link)


@pytest.mark.parametrize("link", NOT_HTTPS)
def test_any_other_link_is_not_https(link: str) -> None:
    assert not is_https(link)


@pytest.mark.parametrize("link", NOT_HTTPS[:5])
def test_a_tip_with_a_link_that_is_not_https_is_a_fault_with_its_cell(link: str) -> None:
    verdict = Workbook().put("tips!C2", link).verdict()
    assert found(verdict) == [("link_not_https", "tips!C2")]
    assert verdict.rulebook is None


def test_a_tip_with_an_https_link_is_valid() -> None:
    [tip] = Workbook().put("tips!C2", "https://example.com/invite").rulebook().tips
    assert tip.link == "https://example.com/invite"


@pytest.mark.parametrize(
    ("logo", "shown"), [("https://a.cn/x.png", "https://a.cn/x.png"), *((link, None) for link in NOT_HTTPS)]
)
def test_a_logo_that_is_not_https_is_not_shown(logo: str, shown: str | None) -> None:
    listed = replace(agency("A"), logo_url=logo)
    assert card(listed, 1, Status.RATED, "2026-10", rulebook())["logo_url"] == shown
