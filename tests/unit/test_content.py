"""The ids of values: what they follow from, and that they stay when a field is added."""

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


def test_a_field_that_was_added_later_is_no_content_while_it_has_its_default() -> None:
    assert content_id(After("a")) == content_id(Before("a"))
    assert canonical_json([After("a")]) == '[{"name":"a"}]'


def test_a_field_that_was_added_later_counts_once_it_says_something() -> None:
    assert canonical_json(After("a", "2026-10")) == '{"name":"a","since":"2026-10"}'
