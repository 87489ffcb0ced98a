"""Shows operations the versions of the rules in a tab of the workbook: since when, and for which months."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from functions.rating.publication import ledger
from functions.rating.publication.ledger import Entry
from functions.rating.services import Services
from functions.rating.workbook.status import Status
from functions.rating.workbook.versions import SHOWN_VERSIONS, VersionUsed, version_rows
from shared.errors import LevelsError
from shared.observability import logger


def show_versions(services: Services) -> None:
    """Write the tab of versions, or log that it failed: levels don't depend on it."""
    try:
        pointer = services.table.pointer()
        if not pointer.publications:
            return
        lines = [line for month in pointer.publications for line in ledger.entries(services.table, month)]
        versions = versions_used(services, lines)
        in_force = pointer.current().rulebook
        services.workbook.show_versions(
            lambda language: Status(version_rows(versions, in_force, services.description, language))
        )
    except LevelsError as error:
        logger.warning("the tab of versions could not be written", cause=str(error))


def versions_used(services: Services, lines: Iterable[Entry]) -> list[VersionUsed]:
    """The rulebooks that these ledger lines name, in the order in which they came into force."""
    moves = sorted((line for line in lines if line.moves_the_pointer), key=lambda line: (line.version, line.at))
    first: dict[str, tuple[Entry, str | None]] = {}
    months: dict[str, set[str]] = {}
    for line, previous in zip(moves, [None, *moves], strict=False):
        first.setdefault(line.rulebook, (line, previous.rulebook if previous else None))
        months.setdefault(line.rulebook, set()).add(line.month)
    contents = services.table.rulebooks([*first][-SHOWN_VERSIONS - 1 :])
    return [
        VersionUsed(
            rulebook,
            datetime.fromisoformat(line.at).astimezone(services.zone),
            tuple(sorted(months[rulebook])),
            before,
            contents.get(rulebook),
            contents.get(before or ""),
        )
        for rulebook, (line, before) in first.items()
    ]
