"""A sixth level that the workbook prepares for a later month is previewed, published, shown and rolled back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cloud import Cloud, small_cloud
from tests.published import Caller, World

NOVEMBER, DECEMBER, JANUARY = "2025-11", "2025-12", "2026-01"
NAMES = ("一级", "二级", "三级", "四级", "五级", "六级")
TODAY = {
    "levels": "level,name,description,from_month\n" + "".join(f"{n},{NAMES[n - 1]},,\n" for n in range(1, 6)),
    "thresholds": "effective_month,level,channel,six,gmv\n" + "".join(f",{n},1,{n},{n}00\n" for n in range(1, 6)),
    "benefits": "benefit,name,description,kind,1,2,3,4,5,6\ncontact,达人建联机构,,flag,,TRUE,TRUE,TRUE,TRUE,\n",
}
PREPARED = {
    "levels": TODAY["levels"] + f"6,六级,,{JANUARY}\n",
    "thresholds": TODAY["thresholds"] + ",6,1,6,600\n",
    "benefits": TODAY["benefits"].replace(",TRUE,\n", ",TRUE,TRUE\n"),
}
AGENCIES = {"f": (6, 60_000), "e": (5, 50_000), "a": (1, 10_000), "n": (0, 0)}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """November and December are published with five levels; then a sixth is prepared for January."""
    with small_cloud(Path(tmp_path_factory.mktemp("levels"))) as cloud:
        cloud.write_workbook(**TODAY | {"benefits": TODAY["benefits"].replace(",6", "").replace(",TRUE,\n", ",TRUE\n")})
        for month in (NOVEMBER, DECEMBER, JANUARY):
            cloud.put_month(month, AGENCIES)
        for month in (NOVEMBER, DECEMBER):
            assert cloud.rate({"month": month})["outcome"] == "published"
        cloud.write_workbook(**PREPARED)
        yield cloud


@pytest.fixture(scope="module")
def january(cloud: Cloud) -> dict[str, Any]:
    """The answer to the run that published January."""
    answer = cloud.rate({"month": JANUARY})
    assert answer["outcome"] == "published"
    return answer


def api(cloud: Cloud) -> Caller:
    return World(cloud.table).caller(now=lambda: datetime(2026, 3, 1, tzinfo=UTC))


def shown(cloud: Cloud, month: str) -> dict[str, int | None]:
    """The levels on the public cards of a month."""
    body = f"/v1/agencies/batch?month={month}"
    return {card["agency_id"]: card["level"] for card in api(cloud).batch(sorted(AGENCIES), body).json["items"]}


def test_before_january_there_are_five_levels(cloud: Cloud) -> None:
    assert cloud.levels(DECEMBER) == {"f": 5, "e": 5, "a": 1, "n": None}
    assert shown(cloud, DECEMBER) == cloud.levels(DECEMBER)
    ladder = api(cloud).get(f"/v1/levels?month={DECEMBER}").json
    assert [level["name"] for level in ladder["levels"]] == list(NAMES[:5])
    assert api(cloud).get(f"/v1/levels/6?month={DECEMBER}").status == 404
    assert api(cloud).get(f"/v1/agencies?level=6&month={DECEMBER}").status == 404


def test_the_morning_refresh_says_from_when_the_sixth_level_counts_and_which_agencies_would_have_it(
    cloud: Cloud,
) -> None:
    answer = cloud.rate({"mode": "refresh"})
    assert answer["effective_month"] == JANUARY
    assert [mover["agency_id"] for mover in answer["preview"]["movers"]] == ["f"]
    assert shown(cloud, DECEMBER) == {"f": 5, "e": 5, "a": 1, "n": None}
    assert len(api(cloud).get("/v1/levels").json["levels"]) == 5


def test_a_preview_of_january_has_six_levels_and_publishes_nothing(cloud: Cloud) -> None:
    before = cloud.table.pointer()
    answer = cloud.rate({"month": JANUARY, "mode": "preview"})
    assert answer["levels"] == {
        "1": 1, "2": 0, "3": 0, "4": 0, "5": 1, "6": 1, "unrated": 1, "awaiting_first_rating": 0,
    }  # fmt: skip
    assert (answer["moves"]["up"], answer["moves"]["down"]) == (1, 0)
    assert cloud.table.pointer() == before
    of_december = cloud.rate({"month": DECEMBER, "mode": "preview"})
    assert "6" not in of_december["levels"]


def test_each_month_is_shown_with_its_own_levels(cloud: Cloud, january: dict[str, Any]) -> None:
    assert january["moves"]["up"] == 1
    assert shown(cloud, JANUARY) == {"f": 6, "e": 5, "a": 1, "n": None}
    assert shown(cloud, DECEMBER) == {"f": 5, "e": 5, "a": 1, "n": None}
    ask = api(cloud)
    assert [level["level"] for level in ask.get("/v1/levels").json["levels"]] == [1, 2, 3, 4, 5, 6]
    assert [level["level"] for level in ask.get(f"/v1/levels?month={DECEMBER}").json["levels"]] == [1, 2, 3, 4, 5]
    directory = ask.get("/v1/agencies?level=6").json
    assert [(card["agency_id"], card["level_name"]) for card in directory["items"]] == [("f", "六级")]
    assert ask.get(f"/v1/agencies?level=6&month={DECEMBER}").status == 404


def test_the_benefits_of_a_month_are_shown_for_its_own_levels(cloud: Cloud, january: dict[str, Any]) -> None:
    assert january["run"]
    levels = {
        month: [entry["level"] for entry in api(cloud).get(f"/v1/benefits/contact?month={month}").json["levels"]]
        for month in (DECEMBER, JANUARY)
    }
    assert levels == {DECEMBER: [2, 3, 4, 5], JANUARY: [2, 3, 4, 5, 6]}


def test_history_and_next_level_use_the_levels_of_each_month(cloud: Cloud, january: dict[str, Any]) -> None:
    assert january["run"]
    ask = api(cloud)
    history = ask.get("/v1/agencies/f/history").json["items"]
    assert [(item["month"], item["level"], item["level_name"]) for item in history] == [
        (JANUARY, 6, "六级"),
        (DECEMBER, 5, "五级"),
        (NOVEMBER, 5, "五级"),
    ]
    assert ask.get(f"/v1/agencies/e/level?month={DECEMBER}").json["next_level"] is None
    assert ask.get("/v1/agencies/e/level").json["next_level"]["level"] == 6


def test_every_published_month_can_be_verified(cloud: Cloud, january: dict[str, Any]) -> None:
    assert january["run"]
    runs = [publication.run for publication in cloud.table.pointer().publications.values()]
    assert [cloud.rate({"verify": run})["outcome"] for run in runs] == ["verified"] * 3


def test_after_a_rollback_january_has_the_levels_of_its_first_run(cloud: Cloud, january: dict[str, Any]) -> None:
    cloud.put_month(JANUARY, {**AGENCIES, "f": (5, 50_000), "e": (6, 60_000)})
    assert cloud.rate({"month": JANUARY})["outcome"] == "published"
    assert shown(cloud, JANUARY) == {"f": 5, "e": 6, "a": 1, "n": None}
    answer = cloud.rate({"rollback": january["run"], "by": "Li", "reason": "wrong file"})
    assert answer["outcome"] == "rolled_back"
    assert shown(cloud, JANUARY) == {"f": 6, "e": 5, "a": 1, "n": None}
    assert shown(cloud, DECEMBER) == {"f": 5, "e": 5, "a": 1, "n": None}
    assert [level["level"] for level in api(cloud).get("/v1/levels").json["levels"]] == [1, 2, 3, 4, 5, 6]
