"""Every operation of the API, called with real events, over published months in an emulated DynamoDB."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from shared.levels import Level, SlotCounts
from tests.published import IN_NOVEMBER, OVERRIDE, Caller, World, agency, empty_world, rulebook

SEPTEMBER = [agency("A", four=2), agency("B", four=1), agency("Gone", four=1)]
OCTOBER = [
    agency("A", four=6, six=1, gmv=1_234_56, slots=SlotCounts(9, 8, 6)),
    agency("B", four=1),
    agency("N", four=30, joined_at=IN_NOVEMBER),
    agency("U"),
]


@contextmanager
def published_world() -> Iterator[World]:
    with empty_world() as world:
        world.publish("2026-09", SEPTEMBER)
        world.publish("2026-10", OCTOBER, rulebook(overrides=(OVERRIDE,)))
        yield world


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """For tests that do not change it."""
    with published_world() as world:
        yield world


@pytest.fixture
def changing() -> Iterator[World]:
    """For tests that change it."""
    with published_world() as world:
        yield world


@pytest.fixture(scope="module")
def api(world: World) -> Caller:
    return world.caller()


def test_a_card_shows_the_newest_month(api: Caller) -> None:
    answer = api.get("/v1/agencies/A")
    assert answer.status == 200
    assert (answer.json["level"], answer.json["month"], answer.json["stale"]) == (2, "2026-10", False)


def test_an_earlier_month_can_be_read_from_every_route(api: Caller) -> None:
    assert api.get("/v1/agencies/A?month=2026-09").json["level"] == 1
    assert api.get("/v1/agencies/A/level?month=2026-09").json["publication"]["month"] == "2026-09"
    assert api.get("/v1/agencies/Gone?month=2026-09").status == 200
    assert api.get("/v1/agencies/Gone").status == 404
    assert api.get("/v1/publication?month=2026-09").json["run"] != api.get("/v1/publication").json["run"]


def test_a_batch_keeps_the_order_of_the_request_and_lists_the_missing_agencies(api: Caller) -> None:
    answer = api.batch(["U", "Gone", "A", "no such", "U", "B", "Gone"])
    assert [card["agency_id"] for card in answer.json["items"]] == ["U", "A", "B"]
    assert answer.json["missing"] == ["Gone", "no such"]


def test_a_card_in_a_batch_is_the_card_without_stale(api: Caller) -> None:
    alone = api.get("/v1/agencies/A").json
    del alone["stale"]
    assert api.batch(["A"]).json["items"] == [alone]


def test_a_batch_of_an_earlier_month_can_be_read(api: Caller) -> None:
    assert api.batch(["Gone"], "/v1/agencies/batch?month=2026-09").json["missing"] == []


def test_cards_too_large_for_one_answer_can_be_read_in_smaller_batches() -> None:
    with empty_world() as world:
        world.publish("2026-10", [agency(f"A{n:02d}", four=1, introduction="“长”" * 30_000) for n in range(20)])
        api, ids = world.caller(), [f"A{n:02d}" for n in range(20)]

        refused = api.batch(ids)
        assert (refused.status, refused.json["errors"][0]["pointer"]) == (422, "#/agency_ids")
        assert len(api.batch(ids[:17]).json["items"]) == 17

        seen, path = list[str](), "/v1/agencies?level=1&limit=100"
        while path:
            page = api.get(path)
            assert len(page.text.encode()) < 6 * 1024**2
            seen += [card["agency_id"] for card in page.json["items"]]
            path = page.json["next"] and f"/v1/agencies?level=1&limit=100&cursor={page.json['next']}"
        assert seen == ids


def test_the_directory_lists_a_level_by_agency_id(api: Caller) -> None:
    answer = api.get("/v1/agencies?level=1&month=2026-09")
    assert [card["agency_id"] for card in answer.json["items"]] == ["A", "B", "Gone"]
    assert answer.json["next"] is None
    assert api.get("/v1/agencies?level=1").json["items"] == []


def test_the_directory_has_the_same_cards_as_the_single_routes(api: Caller) -> None:
    alone = api.get("/v1/agencies/B").json
    del alone["stale"]
    assert api.get("/v1/agencies?level=3").json["items"] == [alone]


def test_following_the_cursors_gives_every_agency_once(changing: World) -> None:
    many = [agency(f"X{n:04d}", four=1) for n in range(230)]
    changing.publish("2026-11", many)
    api, seen, path = changing.caller(), list[str](), "/v1/agencies?level=1&limit=37"
    cursor = ""
    while cursor is not None:
        page = api.get(path + (f"&cursor={cursor}" if cursor else "")).json
        seen += [card["agency_id"] for card in page["items"]]
        cursor = page["next"]
    assert seen == [a.agency_id for a in many]


@pytest.mark.parametrize("limit", [50, 100])
def test_a_level_that_fills_its_last_page_exactly_has_no_empty_page_after_it(changing: World, limit: int) -> None:
    changing.publish("2026-11", [agency(f"X{n:04d}", four=1) for n in range(100)])
    api = changing.caller()
    page = api.get(f"/v1/agencies?level=1&limit={limit}").json
    while page["next"]:
        page = api.get(f"/v1/agencies?level=1&limit={limit}&cursor={page['next']}").json
        assert page["items"]


def test_the_ladder_is_the_published_one(api: Caller) -> None:
    assert [level["name"] for level in api.get("/v1/levels").json["levels"]] == ["一级机构", "二级机构", "三级机构"]
    third = api.get("/v1/levels/3").json
    assert (third["level"], third["month"]) == (3, "2026-10")


@pytest.mark.parametrize("level", ["0", "4", "-1", "1.0", "x", "９", "99999999999999999999", "01"])
def test_a_level_that_does_not_exist_is_404(api: Caller, level: str) -> None:
    assert api.get(f"/v1/levels/{level}").status == 404


def test_the_catalogue_and_a_single_benefit_can_be_read(api: Caller) -> None:
    catalogue = api.get("/v1/benefits").json
    assert [benefit["benefit"] for benefit in catalogue["benefits"]] == ["outreach", "promotion", "contact", "retired"]
    assert api.get("/v1/benefits/promotion").json["levels"][0]["quota"] == 20
    assert api.get("/v1/benefits/nothing").status == 404


def test_a_benefit_with_a_chinese_key_is_found_with_an_encoded_path_too(changing: World) -> None:
    rules = rulebook()
    changing.publish("2026-11", [agency("A")], rulebook(benefits=(replace(rules.benefits[0], key="建联"),)))
    api = changing.caller()
    assert api.get("/v1/benefits/建联").status == 200
    assert api.get("/v1/benefits/%E5%BB%BA%E8%81%94").status == 200


def test_the_own_view_names_its_publication(api: Caller) -> None:
    view = api.get("/v1/agencies/A/level").json
    assert (view["previous_level"], view["change"]) == (1, "up")
    assert view["publication"] == api.get("/v1/publication").json
    assert view["publication"]["published_at"] == "2026-11-03T10:10:00+08:00"
    assert view["publication"]["next_renewal_on"] == "2026-12-03"


def test_an_earlier_month_shows_the_renewal_after_the_newest_month(api: Caller) -> None:
    assert api.get("/v1/publication?month=2026-09").json["next_renewal_on"] == "2026-12-03"


def test_an_agency_awaiting_its_first_rating_has_answers(api: Caller) -> None:
    assert api.get("/v1/agencies/N").json["status"] == "awaiting_first_rating"
    assert api.get("/v1/agencies/N/level").json["first_rating_on"] == "2026-12-03"


def test_history_is_paged_with_the_newest_month_first(changing: World) -> None:
    for month in ("2026-11", "2026-12", "2027-01"):
        changing.publish(month, [agency("A", four=1), agency("Late", four=1)])
    api = changing.caller()
    first = api.get("/v1/agencies/A/history?limit=3").json
    second = api.get(f"/v1/agencies/A/history?limit=3&cursor={first['next']}").json
    assert [item["month"] for item in first["items"] + second["items"]] == [
        "2027-01",
        "2026-12",
        "2026-11",
        "2026-10",
        "2026-09",
    ]
    assert second["next"] is None


def test_history_skips_months_without_the_agency_and_its_pages_are_full(changing: World) -> None:
    for month in ("2026-11", "2026-12", "2027-01"):
        changing.publish(month, [agency("Gone" if month == "2026-12" else "A", four=1)])
    page = changing.caller().get("/v1/agencies/Gone/history?limit=2").json
    assert ([item["month"] for item in page["items"]], page["next"]) == (["2026-12", "2026-09"], None)


def test_history_has_the_level_names_of_each_month(changing: World) -> None:
    renamed = replace(rulebook(), levels=(Level(1, "新星", ""), Level(2, "银", ""), Level(3, "金", "")))
    changing.publish("2026-11", [agency("A", four=1)], renamed)
    items = changing.caller().get("/v1/agencies/A/history").json["items"]
    assert [item["level_name"] for item in items] == ["新星", "二级机构", "一级机构"]


def test_history_says_whether_a_month_was_published_or_restated(changing: World) -> None:
    restated = replace(changing.publish("2026-11", [agency("A", four=1)], staged_only=True), action="restated")
    changing.show(restated)
    newest, *older = changing.caller().get("/v1/agencies/A/history").json["items"]
    assert (newest["run"], newest["action"]) == (restated.run, "restated")
    assert [item["action"] for item in older] == ["published", "published"]


def test_history_can_end_with_an_earlier_month(api: Caller) -> None:
    assert [item["month"] for item in api.get("/v1/agencies/A/history?month=2026-09").json["items"]] == ["2026-09"]


def test_entitlements_list_the_whole_catalogue_and_one_can_be_read(api: Caller) -> None:
    listed = api.get("/v1/agencies/A/benefits").json
    assert [(e["benefit"], e["granted"]) for e in listed["benefits"]] == [
        ("outreach", True),
        ("promotion", True),
        ("contact", False),
        ("retired", False),
    ]
    one = api.get("/v1/agencies/A/benefits/promotion").json
    assert (one["granted"], one["quota"], one["from_level"], one["agency_id"]) == (True, 20, 2, "A")
    assert api.get("/v1/agencies/A/benefits/nothing").status == 404


def test_binding_slots_follow_from_the_counts_of_the_month(api: Caller) -> None:
    slots = api.get("/v1/agencies/A/binding-slots").json
    assert (slots["status"], slots["allowance"], slots["may_still_drop"]) == ("assessed", "unlimited", 0)


def test_health_answers_before_anything_is_published() -> None:
    with empty_world() as world:
        assert world.caller().get("/healthz").json == {"status": "ok"}


def test_the_api_answers_503_until_the_first_publication_and_no_longer() -> None:
    with empty_world() as world:
        api = world.caller()
        refused = api.get("/v1/levels")
        assert (refused.status, int(refused.headers["retry-after"]) > 0) == (503, True)
        world.publish("2026-10", OCTOBER)
        assert api.get("/v1/levels").status == 200


def test_the_refusal_of_an_unknown_agency_says_how_to_join_and_when_it_is_first_rated(api: Caller) -> None:
    answer = api.get("/v1/agencies/Nobody")
    assert answer.status == 404
    for text in (answer.json["detail"], answer.json["detail_zh"]):
        assert "抖音集星" in text
        assert "2026-11" in text
        assert "2026-12-03" in text
    assert "licence" in answer.json["detail"]
    assert "营业执照" in answer.json["detail_zh"]


def test_a_month_that_is_not_published_is_404_and_names_the_newest(api: Caller) -> None:
    answer = api.get("/v1/levels?month=2025-01")
    assert (answer.status, "2026-10" in answer.json["detail"]) == (404, True)
