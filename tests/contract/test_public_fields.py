"""No public answer has a field that creators and merchants must not see."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from pydantic import ValidationError

from functions.lookup.api import api
from functions.lookup.authorization import AGENCY, PUBLIC
from functions.lookup.routing import Operation
from shared.levels import Removed, SlotCounts
from tests.published import IN_NOVEMBER, OVERRIDE, World, agency, empty_world, rulebook

CARD = {
    "agency_id",
    "name",
    "city",
    "introduction",
    "logo_url",
    "level",
    "level_name",
    "status",
    "month",
    "benefits",
}
ALLOWED = {
    "get_card": CARD | {"stale"},
    "post_batch": {"items", "missing", "stale"} | {f"items.{field}" for field in CARD},
    "get_directory": {"items", "next", "stale"} | {f"items.{field}" for field in CARD},
    "get_ladder": {
        "month",
        "stale",
        "levels",
        "metrics",
        "metrics.metric",
        "metrics.name",
        "metrics.unit",
    }
    | {f"levels.{field}" for field in ("level", "name", "description", "channels", "benefits")}
    | {f"levels.channels.{field}" for field in ("channel", "thresholds", "thresholds.metric", "thresholds.required")}
    | {f"levels.benefits.{field}" for field in ("benefit", "name", "kind", "quota", "text")},
    "get_level": {"level", "name", "description", "month", "stale", "channels", "benefits"}
    | {f"channels.{field}" for field in ("channel", "thresholds", "thresholds.metric", "thresholds.required")}
    | {f"benefits.{field}" for field in ("benefit", "name", "kind", "quota", "text")},
    "get_catalogue": {"month", "stale", "benefits"}
    | {f"benefits.{field}" for field in ("benefit", "name", "description", "kind", "from_level", "levels")}
    | {f"benefits.levels.{field}" for field in ("level", "level_name", "quota", "text")},
    "get_benefit": {"benefit", "name", "description", "kind", "from_level", "month", "stale", "levels"}
    | {f"levels.{field}" for field in ("level", "level_name", "quota", "text")},
    "get_publications": {"items", "next", "stale"}
    | {f"items.{field}" for field in ("month", "run", "published_at", "levels")}
    | {f"items.levels.{level}" for level in ("1", "2", "3", "unrated", "awaiting_first_rating")},
    "get_publication": {"month", "run", "published_at", "next_renewal_on", "stale"},
}
SECRETS = ("不可外传", "秘密审批", "涉密标签", "7654321", "76543.21")
OPERATIONS = {operation.name: operation for operation in api.operations if operation.scope == PUBLIC}

OWN = {operation.name: operation for operation in api.operations if operation.scope == AGENCY}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    secretive = agency(
        "B",
        four=9,
        six=7,
        gmv=7_654_321,
        excluded_creators=(Removed("涉密标签", 1, 0),),
        excluded_orders=(Removed("涉密标签", 1, 7_654_321),),
        slots=SlotCounts(7, 8, 6),
    )
    override = replace(OVERRIDE, reason="不可外传", approved_by="秘密审批")
    with empty_world() as published:
        published.publish("2026-09", [secretive, agency("U")])
        published.publish(
            "2026-10",
            [secretive, agency("U"), agency("N", joined_at=IN_NOVEMBER)],
            rulebook(overrides=(override,)),
        )
        yield published


def fields(value: object, prefix: str = "") -> Iterator[str]:
    """Every field of an answer as a path, without the indexes of lists."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield f"{prefix}{name}"
            yield from fields(inner, f"{prefix}{name}.")
    elif isinstance(value, list):
        for inner in value:
            yield from fields(inner, prefix)


@pytest.mark.parametrize("agency_id", ["B", "U", "N"])
@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_a_public_answer_has_the_allowed_fields_and_no_secret(
    world: World, operation: Operation, agency_id: str
) -> None:
    answer = world.caller().operation(operation, agency_id)
    assert answer.status == 200
    assert set(fields(answer.json)) <= ALLOWED[operation.name]
    assert not [secret for secret in SECRETS if secret in answer.text]


def test_every_public_operation_has_its_allowed_fields() -> None:
    assert OPERATIONS.keys() == ALLOWED.keys()


def test_the_card_has_exactly_its_fields(world: World) -> None:
    assert world.caller().get("/v1/agencies/B").json.keys() == ALLOWED["get_card"]


def test_refusals_and_headers_contain_no_secret(world: World) -> None:
    caller = world.caller()
    for path in (
        "/v1/agencies/Z",
        "/v1/agencies/B?month=2020-01",
        "/v1/agencies?level=9",
        "/v1/agencies/B/level?month=x",
    ):
        answer = caller.get(path)
        assert answer.status in (404, 422), path
        assert not [secret for secret in SECRETS if secret in answer.text + json.dumps(dict(answer.headers))]


def test_an_agencys_own_view_hides_who_overrode_its_level_and_why(world: World) -> None:
    text = world.caller().get("/v1/agencies/B/level").text
    assert "overridden" in text
    assert not [secret for secret in ("不可外传", "秘密审批") if secret in text]


@pytest.mark.parametrize("agency_id", ["B", "U", "N"])
@pytest.mark.parametrize("operation", OWN.values(), ids=OWN)
def test_an_agencys_own_answer_has_exactly_the_fields_of_its_model(
    world: World, operation: Operation, agency_id: str
) -> None:
    answer = world.caller().operation(operation, agency_id)
    assert operation.answer.model_validate_json(answer.text).model_dump(mode="json") == answer.json


def test_a_field_that_is_in_no_model_is_refused_instead_of_sent(world: World) -> None:
    card = world.caller().get("/v1/agencies/B").json
    with pytest.raises(ValidationError):
        OPERATIONS["get_card"].answer.model_validate(card | {"metrics": {}})
