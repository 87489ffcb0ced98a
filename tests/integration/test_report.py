"""The run report: what it shows to operations, how they can decide, and what it says after their decision."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from functions.rating.publication.report_page import losers_first, matrix_rows, money, percent
from tests.cloud import Cloud, small_cloud

APRIL, MAY = {"month": "2026-04"}, {"month": "2026-05"}
BIG, MIDDLE, SMALL, NONE = (5, 500_000), (2, 10_000), (1, 0), (0, 0)
DECIDED = {"by": "Li Hua", "reason": "two agencies merged"}


@pytest.fixture(scope="module")
def beginning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """April is published; in May two of four agencies change their level."""
    with small_cloud(tmp_path_factory.mktemp("cloud")) as cloud:
        cloud.put_month("2026-04", {"a": BIG, "b": MIDDLE, "c": SMALL, "d": NONE})
        cloud.rate(APRIL)
        cloud.put_month("2026-05", {"a": NONE, "b": BIG, "c": SMALL, "d": NONE})
        cloud.remember()
        yield cloud


@pytest.fixture
def cloud(beginning: Cloud) -> Cloud:
    return beginning.bring_back()


def held(cloud: Cloud) -> dict[str, Any]:
    cloud.write_workbook(settings="setting,value\nmax_changed_share,0.125\n")
    answer = cloud.rate(MAY)
    assert answer["outcome"] == "held"
    return answer


def document(cloud: Cloud, answer: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(cloud.report(answer["report"].replace(".html", ".json")))
    return found


def test_a_held_run_says_how_to_decide_and_until_when(cloud: Cloud) -> None:
    answer = held(cloud)
    page = cloud.report(answer["report"])
    assert f"make accept RUN={answer['run']} BY=" in page
    assert "make backfill FROM=2026-05 TO=2026-05" in page
    assert "Decide by 2026-06-03 12:00 (Asia/Shanghai)" in page
    assert "请在 2026-06-03 12:00（北京时间）前决定" in page


def test_guardrails_are_shown_with_words_and_percentages(cloud: Cloud) -> None:
    page = cloud.report(held(cloud)["report"])
    assert "等级变化的机构占比" in page
    assert "agencies whose level changes" in page
    assert '<td class="n">12.5 %</td><td class="n">50 %</td>' in page


def test_the_report_of_an_accepted_run_says_who_decided_and_why(cloud: Cloud) -> None:
    answer = held(cloud)
    accepted = cloud.rate({"accept": answer["run"], **DECIDED})
    page = cloud.report(accepted["report"])
    assert accepted["report"] == answer["report"]
    assert "人工确认后发布" in page
    assert "Li Hua" in page
    assert "two agencies merged" in page
    assert "make accept" not in page
    assert document(cloud, answer)["ledger"][-1]["action"] == "accepted"


def test_the_reports_of_a_rollback_say_which_run_was_replaced(cloud: Cloud) -> None:
    first = cloud.rate(MAY)
    cloud.put_month("2026-05", {"a": SMALL, "b": BIG, "c": SMALL, "d": NONE})
    second = cloud.rate(MAY)
    cloud.rate({"rollback": first["run"], **DECIDED})
    assert "回退到此批次" in cloud.report(first["report"])
    replaced = cloud.report(second["report"])
    assert "Replaced by another run" in replaced
    assert first["run"] in replaced


def test_a_decision_counts_also_if_the_report_is_missing(
    cloud: Cloud,
) -> None:
    answer = held(cloud)
    for found in cloud.s3.list_objects_v2(Bucket="reports")["Contents"]:
        cloud.s3.delete_object(Bucket="reports", Key=found["Key"])
    assert cloud.rate({"accept": answer["run"], **DECIDED})["outcome"] == "published"
    assert cloud.levels("2026-05")["b"] == 3


def test_downgraded_agencies_come_first_and_have_a_sign_not_only_a_colour(cloud: Cloud) -> None:
    page = cloud.report(cloud.rate(MAY)["report"])
    downgraded, upgraded = page.index("<code>a</code>"), page.index("<code>b</code>")
    assert downgraded < upgraded
    assert page.index("▼") < page.index("▲")


def test_the_matrix_and_the_cases_are_on_the_page(cloud: Cloud) -> None:
    cloud.write_workbook(cases="case,six,gmv,expected_level\n什么都没有 nothing,,,\n")
    page = cloud.report(cloud.rate(MAY)["report"])
    assert "旧 → 新" in page
    assert "什么都没有 nothing" in page


def test_an_override_is_named_as_the_cause(cloud: Cloud) -> None:
    cloud.write_workbook(
        overrides="agency_id,level,from_month,until_month,reason,approved_by\nd,2,2026-05,2026-05,约定,李\n"
    )
    answer = cloud.rate(MAY)
    assert "人工调整" in cloud.report(answer["report"])
    causes = {mover["agency_id"]: mover["cause"] for mover in document(cloud, answer)["moves"]["movers"]}
    assert causes == {"a": None, "b": None, "d": "override"}


def test_numbers_have_separators_and_shares_are_percentages() -> None:
    assert [money(fen) for fen in (0, 5, 123_456_789)] == ["0.00", "0.05", "1,234,567.89"]
    assert [percent(share) for share in (None, 0.5, "0.125", 0.001234)] == ["–", "50 %", "12.5 %", "0.1234 %"]


def test_losers_are_sorted_by_levels_then_by_benefits() -> None:
    def mover(agency: str, old: int | None, new: int | None, lost: int = 0) -> dict[str, Any]:
        return {"agency_id": agency, "old_level": old, "new_level": new, "benefits_lost": ["x"] * lost}

    found = losers_first([mover("up", 1, 3), mover("one", 2, 1), mover("one-more", 3, 2, 2), mover("out", 3, None)])
    assert [each["agency_id"] for each in found] == ["out", "one-more", "one", "up"]


def test_a_matrix_has_the_highest_level_first_and_only_what_occurs() -> None:
    pairs = [
        {"from": "1", "to": "2", "agencies": 3},
        {"from": "absent", "to": "unrated", "agencies": 1},
        {"from": "2", "to": "2", "agencies": 7},
    ]
    rows = matrix_rows(pairs, ["1", "2"])
    assert rows == {"2": {"2": 7, "unrated": 0}, "1": {"2": 3, "unrated": 0}, "absent": {"2": 0, "unrated": 1}}


def test_a_tag_that_is_a_word_for_nothing_is_shown_as_unnamed(cloud: Cloud) -> None:
    cloud.put("creators", "2026-05", [("a-0", "a", "2025-01-01", "", 6, "null"), ("b-0", "b", "2025-01-01", "", 6)])
    page = cloud.report(cloud.rate(MAY)["report"])
    assert "unnamed tag" in page
    assert "<code>null</code>" in page
