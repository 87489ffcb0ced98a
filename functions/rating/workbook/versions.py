"""The tab of versions: each rulebook that was ever in force, and its differences from the one before. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from functions.rating.workbook.addresses import unaddressed
from functions.rating.workbook.cells import Language
from functions.rating.workbook.changes import between
from functions.rating.workbook.description import Description
from functions.rating.workbook.status_cells import Colour, StatusCell, StatusRow
from shared.levels import Rulebook

SHOWN_VERSIONS = 60
SHOWN_CHANGES = 50
"""Shown changes of each version."""


@dataclass(frozen=True, slots=True)
class VersionUsed:
    """A rulebook that was in force. ``since``: its first day, in the platform's time zone. ``months``: rated by it.

    ``before``: the id of the rulebook in force before it, None for the first. Contents are None if no longer stored.
    """

    id: str
    since: datetime
    months: tuple[str, ...]
    before: str | None
    content: Rulebook | None
    content_before: Rulebook | None


def version_rows(
    versions: Sequence[VersionUsed], in_force: str, description: Description, language: Language
) -> list[StatusRow]:
    """The tab in one language, newest version first. ``in_force``: the id of the current rulebook."""
    return list(_Tab(in_force, description, language).rows(versions))


@dataclass(frozen=True, slots=True)
class _Tab:
    in_force: str
    description: Description
    language: Language

    def rows(self, versions: Sequence[VersionUsed]) -> Iterator[StatusRow]:
        title = self.say("every version of the rules that was in force, newest first", "曾经生效的规则版本，最新的在前")
        yield StatusCell(title, bold=True), *[StatusCell("")] * 5
        headers = (
            self.say("version", "版本"),
            self.say("since", "起用时间"),
            self.say("rating months", "考核月"),
            self.say("against the version before", "与上一版本相比"),
            self.say("old", "原来"),
            self.say("new", "现在"),
        )
        yield tuple(StatusCell(header, bold=True) for header in headers)
        for version in versions[::-1][:SHOWN_VERSIONS]:
            yield from self._version(version)
        if len(versions) > SHOWN_VERSIONS:
            older = len(versions) - SHOWN_VERSIONS
            yield (StatusCell(self.say(f"and {older} older ones", f"另有更早的 {older} 个版本")),)

    def _version(self, version: VersionUsed) -> Iterator[StatusRow]:
        changes = self._changes(version)
        if version.before is None:
            said = self.say("the first", "首个版本")
        elif changes is None:
            said = self.say("one of the two is no longer stored", "其中一个版本已不再保存")
        else:
            said = self.say(f"{len(changes)} changes", f"{len(changes)} 处改动")
        name = f"{version.id} {self.say('(in force)', '（生效中）')}" if version.id == self.in_force else version.id
        colour: Colour | None = "green" if version.id == self.in_force else None
        months = (StatusCell(f"{version.since:%Y-%m-%d %H:%M}"), StatusCell("、".join(version.months)))
        yield StatusCell(name, bold=True, colour=colour), *months, StatusCell(said, bold=True)
        for tab, what, old, new in (changes or ())[:SHOWN_CHANGES]:
            yield StatusCell(""), StatusCell(""), StatusCell(tab), StatusCell(what), StatusCell(old), StatusCell(new)
        if (more := len(changes or ()) - SHOWN_CHANGES) > 0:
            command = f"make diff A={version.before} B={version.id}"
            said = self.say(f"and {more} more: {command}", f"另有 {more} 处：{command}")
            yield *[StatusCell("")] * 3, StatusCell(said)

    def _changes(self, version: VersionUsed) -> list[tuple[str, str, str, str]] | None:
        if version.content is None or version.content_before is None:
            return None
        found = between(
            version.content_before, version.content, self.description, unaddressed(self.description, self.language)
        )
        return [
            (change.tab, getattr(change.what, self.language), change.old or "–", change.new or "–") for change in found
        ]

    def say(self, en: str, zh: str) -> str:
        return zh if self.language == "zh" else en
