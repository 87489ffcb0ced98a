"""The ids of values depend on their content, and stay the same when a class gets a new field."""

from __future__ import annotations

from dataclasses import dataclass

from shared.content import added_later, canonical_json, content_id


@dataclass(frozen=True)
class Before:
    name: str


@dataclass(frozen=True)
class After:
    name: str
    since: str | None = added_later(None)


def test_a_field_that_was_added_later_is_left_out_while_it_has_its_default() -> None:
    assert content_id(After("a")) == content_id(Before("a"))
    assert canonical_json([After("a")]) == '[{"name":"a"}]'


def test_a_field_that_was_added_later_counts_once_it_has_another_value() -> None:
    assert canonical_json(After("a", "2026-10")) == '{"name":"a","since":"2026-10"}'
