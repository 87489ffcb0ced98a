"""The events that the rating function understands, and how it refuses others."""

from __future__ import annotations

import json
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from functions.rating.events import parse_event
from shared.errors import EventInvalid

SHANGHAI = ZoneInfo("Asia/Shanghai")
EVENTS = Path(__file__).parents[2] / "events"


@pytest.mark.parametrize(
    ("instant", "month"),
    [
        ("2026-11-03T02:00:00Z", "2026-10"),
        ("2026-10-31T16:00:00Z", "2026-10"),  # midnight of 1 November in Shanghai
        ("2026-10-31T15:59:59Z", "2026-09"),
        ("2027-01-03T02:00:00+08:00", "2026-12"),
    ],
)
def test_a_firing_rates_the_month_before_its_instant_in_shanghai(instant: str, month: str) -> None:
    assert str(parse_event({"scheduled_at": instant}).rating_month(SHANGHAI)) == month


@pytest.mark.parametrize(
    "event",
    [
        {"month": "2026-10"},
        {"month": "2026-10", "mode": "preview"},
        {"scheduled_at": "2026-11-03T02:00:00Z", "mode": "preview"},
        {"mode": "check"},
        {"mode": "refresh"},
        {"accept": "r", "by": "Li", "reason": "seen"},
        {"accept": "r", "by": "Li", "reason": "seen", "anyway": True},
        {"month": "2026-10", "repair": True},
        {"rollback": "r", "by": "Li", "reason": "wrong file"},
        {"verify": "r"},
    ],
)
def test_every_documented_form_is_understood(event: dict[str, object]) -> None:
    assert parse_event(event).model_dump(exclude_defaults=True, mode="json") == event


@pytest.mark.parametrize(
    "event",
    [
        {},
        None,
        [],
        "2026-10",
        {"month": "2026-13"},
        {"month": "../2026-10"},
        {"month": 202610},
        {"month": "2026-10", "scheduled_at": "2026-11-03T02:00:00Z"},
        {"month": "2026-10", "mode": "check"},
        {"mode": "preview"},
        {"mode": "publish"},
        {"scheduled_at": "2026-11-03T02:00:00"},
        {"accept": "r"},
        {"accept": "r", "by": " ", "reason": "seen"},
        {"verify": "r", "by": "Li", "reason": "seen"},
        {"accept": "r", "rollback": "r", "by": "Li", "reason": "seen"},
        {"month": "2026-10", "dry_run": True},
        {"repair": True},
        {"month": "2026-10", "mode": "preview", "repair": True},
        {"scheduled_at": "2026-11-03T02:00:00Z", "repair": True},
        {"month": "2026-10", "anyway": True},
        {"rollback": "r", "by": "Li", "reason": "seen", "anyway": True},
    ],
)
def test_any_other_event_is_refused_and_the_valid_forms_are_named(event: object) -> None:
    with pytest.raises(EventInvalid, match="Valid forms"):
        parse_event(event)


def test_every_shipped_event_of_the_rating_function_is_understood() -> None:
    files = [path for path in EVENTS.glob("*.json") if not path.name.startswith("api-")]
    assert files
    for path in files:
        parse_event(json.loads(path.read_text()))
