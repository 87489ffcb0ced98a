"""What each audience sees of a rating: the agency its reasons and gaps, everybody else the card. Money is in yuan."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic_core import to_json

from functions.lookup import contract, views
from functions.rating.run.rules import Rules
from shared.bilingual import each_language_of_workbook
from shared.levels import Benefit, BenefitKind, Grant, Measured, Rating, Standing, Status
from shared.months import Month
from tests.published import IN_NOVEMBER, OVERRIDE, SHANGHAI, agency, rulebook

OCTOBER = Month.parse("2026-10")
RULES = rulebook(overrides=(OVERRIDE,))
PUBLICATION: contract.ViewPublication = {
    "month": "2026-10",
    "run": "run",
    "published_at": datetime(2026, 11, 3, tzinfo=UTC),
    "next_renewal_on": date(2026, 12, 3),
    "stale": False,
}


def rated(measured: Measured, earlier: Standing | None = None) -> Rating:
    return Rules(RULES, OCTOBER, SHANGHAI).rate(measured, earlier)


def own(measured: Measured, earlier: Standing | None = None) -> dict[str, Any]:
    return as_json(views.own_view(rated(measured, earlier), RULES, PUBLICATION))


def card(measured: Measured) -> dict[str, Any]:
    rating = rated(measured)
    return as_json(views.card(rating.measured, rating.level, rating.status, rating.month, RULES))


def as_json(view: object) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(to_json(view))
    return shown


SILVER = agency("A", four=6, six=1, gmv=1_234_56)
UNRATED = agency("U")
NEWCOMER = agency("N", four=30, joined_at=IN_NOVEMBER)
OVERRIDDEN = agency("B", four=1)


def test_the_card_has_basic_information_and_the_names_of_the_benefits() -> None:
    assert card(SILVER) == {
        "agency_id": "A",
        "name": "机构A",
        "city": "杭州",
        "introduction": "虚构的机构",
        "logo_url": None,
        "level": 2,
        "level_name": "二级机构",
        "status": "rated",
        "month": "2026-10",
        "benefits": ["达人建联机构", "传播资源"],
    }


def test_the_card_does_not_show_that_a_level_is_overridden() -> None:
    assert (card(OVERRIDDEN)["status"], card(OVERRIDDEN)["level"]) == ("rated", 3)
    assert own(OVERRIDDEN)["status"] == "overridden"


@pytest.mark.parametrize(("who", "status"), [(UNRATED, "below_ladder"), (NEWCOMER, "awaiting_first_rating")])
def test_a_card_without_a_level_says_why_and_has_no_benefits(who: Measured, status: str) -> None:
    shown = card(who)
    assert (shown["status"], shown["level"], shown["level_name"], shown["benefits"]) == (status, None, None, [])


def test_gmv_is_yuan_text_and_creators_are_whole_numbers() -> None:
    assert own(SILVER)["metrics"] == {"four": 7, "gmv": "1234.56", "six": 1}


def test_the_own_view_shows_the_channels_of_the_agencys_level() -> None:
    assert own(SILVER)["channels"] == [
        {
            "channel": 1,
            "passed": True,
            "thresholds": [
                {"metric": "four", "required": 5, "actual": 7, "met": True},
                {"metric": "six", "required": 1, "actual": 1, "met": True},
            ],
        },
        {
            "channel": 2,
            "passed": True,
            "thresholds": [
                {"metric": "four", "required": 1, "actual": 7, "met": True},
                {"metric": "gmv", "required": "1000.00", "actual": "1234.56", "met": True},
            ],
        },
    ]


def test_the_next_level_shows_the_gaps_of_each_channel_and_the_nearest() -> None:
    above = own(SILVER)["next_level"]
    assert (above["level"], above["level_name"], above["nearest_channel"]) == (3, "三级机构", 1)
    assert above["channels"][0] == {
        "channel": 1,
        "progress": 0.2,
        "gaps": [
            {"metric": "four", "required": 20, "actual": 7, "missing": 13, "progress": 0.35},
            {"metric": "six", "required": 5, "actual": 1, "missing": 4, "progress": 0.2},
        ],
    }
    assert above["channels"][1]["gaps"][1]["missing"] == "48765.94"


def test_the_margin_covers_the_passing_channels_only() -> None:
    one_channel = own(agency("A", four=9, six=1, gmv=999_99))
    assert [channel["channel"] for channel in one_channel["margin"]] == [1]
    assert [t["margin"] for t in own(SILVER)["margin"][1]["thresholds"]] == [6, "234.56"]


def test_an_unrated_agency_aims_for_level_1_and_has_neither_channels_nor_margin() -> None:
    shown = own(UNRATED)
    assert (shown["next_level"]["level"], shown["channels"], shown["margin"], shown["benefits"]) == (1, [], [], [])


def test_an_agency_at_the_top_level_has_no_next_level_and_no_tips() -> None:
    top = own(agency("A", four=40, six=9))
    assert (top["level"], top["next_level"], top["tips"]) == (3, None, [])


def test_an_agency_awaiting_its_first_rating_sees_the_date_and_its_metrics_only() -> None:
    shown = own(NEWCOMER, earlier=Standing(Status.RATED, 2))
    assert (shown["first_rating_on"], shown["metrics"]["four"]) == ("2026-12-03", 30)
    assert [shown[name] for name in ("level", "computed_level", "change", "next_level")] == [None] * 4


def test_an_overridden_agency_sees_its_computed_level_and_the_gaps_from_there() -> None:
    shown = own(OVERRIDDEN)
    assert (shown["level"], shown["computed_level"], shown["next_level"]["level"]) == (3, 1, 2)
    assert [benefit["benefit"] for benefit in shown["benefits"]] == ["outreach", "promotion", "contact"]


def test_a_new_agency_with_an_override_sees_no_first_rating_and_no_next_level() -> None:
    shown = own(agency("B", four=30, joined_at=IN_NOVEMBER))
    assert (shown["status"], shown["level"], shown["computed_level"]) == ("overridden", 3, None)
    assert [shown[name] for name in ("first_rating_on", "next_level", "channels", "tips")] == [None, None, [], []]


def test_tips_are_about_the_metrics_with_a_gap_to_the_next_level() -> None:
    only_creators = own(agency("A", four=2, gmv=60_000_00))
    assert (only_creators["level"], only_creators["tips"]) == (3, [])
    short_of_gmv_and_six = own(agency("A", four=30, gmv=0, six=1))
    assert [tip["metric"] for tip in short_of_gmv_and_six["tips"]] == ["gmv", "six"]
    assert short_of_gmv_and_six["tips"][0] == {
        "metric": "gmv",
        "tip": "参加激励活动",
        "texts": {"zh": "参加激励活动", "en": "参加激励活动"},
        "link": None,
    }
    assert short_of_gmv_and_six["tips"][1]["texts"] == {"zh": "培养高等级达人", "en": "Grow high-level creators"}


@pytest.mark.parametrize(
    "text",
    [
        "多开播",
        "stream more",
        "stream more / sell more",
        "开播 / 短视频 live",
        "开播 / vlog",
        "开播 / go live / sell more",
    ],
)
def test_a_slash_that_is_not_between_two_languages_hides_nothing(text: str) -> None:
    assert each_language_of_workbook(text) == {"zh": text, "en": text}


def test_excluded_creators_and_orders_are_listed_by_tag() -> None:
    assert own(SILVER)["excluded"] == {
        "creators": [{"risk_tag": "云剪辑", "count": 2}],
        "orders": [{"risk_tag": "刷单", "count": 3, "amount": "45.67"}],
    }


def test_the_change_is_shown_beside_the_previous_level() -> None:
    shown = own(SILVER, earlier=Standing(Status.RATED, 3))
    assert (shown["previous_level"], shown["change"]) == (3, "down")


def test_the_ladder_lists_levels_channels_and_what_each_level_gets() -> None:
    shown = views.ladder("2026-10", RULES)
    assert [level["level"] for level in shown["levels"]] == [1, 2, 3]
    assert shown["levels"][2]["channels"][1] == {
        "channel": 2,
        "thresholds": [{"metric": "four", "required": 2}, {"metric": "gmv", "required": "50000.50"}],
    }
    assert shown["levels"][2]["benefits"][1:] == [
        {"benefit": "promotion", "name": "传播资源", "kind": "quota", "quota": "unlimited", "text": None},
        {"benefit": "contact", "name": "专属运营对接", "kind": "text", "quota": None, "text": "工作日 4 小时内回复"},
    ]


def test_the_catalogue_says_which_levels_have_a_benefit_and_how_much() -> None:
    promotion = views.catalogue_entry(RULES.benefits[1], RULES)
    assert promotion["from_level"] == 2
    assert [(extent["level_name"], extent["quota"]) for extent in promotion["levels"]] == [
        ("二级机构", 20),
        ("三级机构", "unlimited"),
    ]


@pytest.mark.parametrize(
    ("who", "benefit", "reason"),
    [
        (SILVER, "outreach", "granted"),
        (SILVER, "contact", "level_too_low"),
        (SILVER, "retired", "not_offered"),
        (UNRATED, "outreach", "unrated"),
        (NEWCOMER, "outreach", "awaiting_first_rating"),
        (OVERRIDDEN, "contact", "granted"),
    ],
)
def test_an_entitlement_says_why_or_why_not(who: Measured, benefit: str, reason: str) -> None:
    shown = views.entitlement(next(b for b in RULES.benefits if b.key == benefit), rated(who))
    assert (shown["granted"], shown["reason"]) == (reason == "granted", reason)


def test_a_benefit_of_a_lower_level_only_is_refused_with_that_reason() -> None:
    lower_only = Benefit("starter", "新手礼包", "", BenefitKind.FLAG, (Grant(1),))
    assert views.entitlement(lower_only, rated(SILVER))["reason"] == "not_at_this_level"


def test_a_quota_that_is_not_granted_has_no_number() -> None:
    refused = views.entitlement(RULES.benefits[1], rated(UNRATED))
    assert (refused["granted"], refused["quota"], refused["from_level"]) == (False, None, 2)
