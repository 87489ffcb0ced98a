"""Malicious or enormous texts, keys and months: they are stored unchanged, shown as text, and never executed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest

from local.cloud.gateway import Request, ask
from shared.errors import EventInvalid, ItemTooLarge, LevelsError, SettingsMissing
from tests.cloud import Cloud, small_cloud
from tests.crashing import lookup_of

JOINED = "2025-01-01 00:00:00"
MAY = {"month": "2026-05"}
NAMES = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>",
    '=HYPERLINK("https://example.invalid","click")',
    "{{ 7 * 7 }}{% raw %}",
    "'; DROP TABLE agencies; --",
    "机构 👩‍👩‍👧‍👦 \u202egnol",
    "name\x00with\x1bcontrol\x7f",
    "长" * 3_400,
)


class Elements(HTMLParser):
    """The elements and attributes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen |= {tag, *(name for name, _ in attrs)}


@pytest.fixture(scope="module")
def beginning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with small_cloud(tmp_path_factory.mktemp("cloud")) as cloud:
        cloud.remember()
        yield cloud


@pytest.fixture
def cloud(beginning: Cloud) -> Cloud:
    return beginning.bring_back()


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_shown_as_text_everywhere(cloud: Cloud, name: str) -> None:
    cloud.put_month("2026-05", {"a": (5, 500_000)})
    harmless = Elements(cloud.report(cloud.rate(MAY)["report"])).seen | {"ul", "li"}  # the list of earlier runs
    cloud.put("agencies", "2026-05", [("a", name, JOINED, name, name, name)])
    answer = cloud.rate(MAY)
    assert Elements(cloud.report(answer["report"])).seen <= harmless
    document = json.loads(cloud.report(answer["report"].replace(".html", ".json")))
    assert [mover["name"] for mover in document["moves"]["movers"]] == [name]
    card = ask(lookup_of(cloud.table), Request("GET", "/v1/agencies/a")).json()
    assert (card["name"], card["introduction"], card["level"]) == (name, name, 3)


@pytest.mark.parametrize(
    "key", ['it\'s "quoted".csv', "a b+c%20d.csv", "部分?x=1&y#z.csv", "new\nline.csv", "$(id);`id`.csv"]
)
def test_an_object_may_have_any_key(cloud: Cloud, key: str) -> None:
    cloud.put_month("2026-05", {"a": (5, 500_000)})
    cloud.put("orders", "2026-05", [("o9", "a-0", "2026-05-02 00:00:00", "5.5")], name=key)
    cloud.write_workbook(settings="setting,value\nmax_bad_row_share,0.5\n")
    answer = cloud.rate(MAY)
    assert answer["quality"]["datasets"]["orders"]["bad_rows"] == {"unreadable_pay_amount": 1}
    assert cloud.rate({"verify": answer["run"]})["outcome"] == "verified"


@pytest.mark.parametrize(
    "month", ["../2026-05", "2026-05/../2026-04", "2026-05\n", "2026-5", "２０２６-05", "2026-13", ""]
)
def test_a_month_cannot_name_another_folder(cloud: Cloud, month: str) -> None:
    with pytest.raises(EventInvalid):
        cloud.rate({"month": month})
    assert cloud.items() == {}


def test_an_agency_too_large_for_an_item_stops_the_run_and_is_named(cloud: Cloud) -> None:
    cloud.put_month("2026-04", {"a": (2, 10_000), "b": (1, 0)})
    cloud.rate({"month": "2026-04"})
    before = cloud.levels()
    cloud.put_month("2026-05", {"a": (5, 500_000), "b": (1, 0)})
    cloud.put("agencies", "2026-05", [("a", "小", JOINED), ("b", "大", JOINED, "", "x" * 410_000)])
    with pytest.raises(ItemTooLarge, match=r"^agency b: .*Shorten the texts of this agency"):
        cloud.rate(MAY)
    assert cloud.levels() == before


def test_agencies_with_long_introductions_are_all_in_the_directory(cloud: Cloud) -> None:
    agencies = [f"a{number}" for number in range(8)]
    cloud.put_month("2026-05", dict.fromkeys(agencies, (1, 0)))
    cloud.put("agencies", "2026-05", [(agency, "机构", JOINED, "", "长" * 40_000) for agency in agencies])
    cloud.rate(MAY)
    lookup, listed, following = lookup_of(cloud.table), [], ""
    while following is not None:
        page = ask(lookup, Request("GET", f"/v1/agencies?level=1&limit=3{following}")).json()
        listed += [item["agency_id"] for item in page["items"]]
        following = page["next"] and f"&cursor={page['next']}"
    assert listed == agencies


def test_no_log_line_has_a_secret(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    secrets = {
        "AWS_ACCESS_KEY_ID": "AKIAINVENTEDFORTHISTEST",
        "AWS_SECRET_ACCESS_KEY": "invented-secret-of-this-test",
        "AWS_SESSION_TOKEN": "invented-token-of-this-test",
        "CURSOR_KEY": "invented-cursor-key-of-this-test",
    }
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    caplog.set_level("DEBUG", logger="rating")
    cloud.put_month("2026-05", {"a": (5, 500_000)})
    cloud.rate(MAY)
    cloud.put_object("orders", "2026-05", "broken.parquet", b"PAR1 cut")
    with pytest.raises(LevelsError):
        cloud.rate(MAY)
    monkeypatch.delenv("TABLE_NAME")
    with pytest.raises(SettingsMissing):
        cloud.rate(MAY)
    logged = caplog.text + "".join(capfd.readouterr())
    assert "run failed" in logged
    assert not [name for name, value in secrets.items() if value in logged]
