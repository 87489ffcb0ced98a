"""What is published, from as few reads as possible: the pointer is kept for seconds, a rulebook for good.

Everything that one answer needs comes from one Edition, so that level and benefits are always of the same publication,
also while a new month is being published.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from functions.lookup.problems import MonthUnknown
from shared.errors import RunUnknown, TableUnavailable
from shared.levels import Rulebook
from shared.observability import logger
from shared.table import Pointer, Publication, Table

POINTER_SECONDS = 5.0
RULEBOOKS_KEPT = 64  # one per month and change of texts; a history needs a few dozen at most


@dataclass(frozen=True, slots=True)
class Edition:
    """One publication with the rulebook that goes with it, and the pointer that both were taken from.

    ``stale``: the pointer could not be read again, so there may be a newer publication.
    """

    publication: Publication
    rulebook: Rulebook
    pointer: Pointer
    stale: bool

    @property
    def month(self) -> str:
        return self.publication.month

    @property
    def newest(self) -> str:
        """The current month, whichever this edition is of."""
        return self.pointer.current().month


class Published:
    """The valid publications. ``clock`` counts seconds."""

    def __init__(self, table: Table, clock: Callable[[], float] = time.monotonic) -> None:
        self.table = table
        self._clock = clock
        self._pointer: Pointer | None = None
        self._stale = False
        self._read_again_at = 0.0
        self._rulebooks: dict[str, Rulebook] = {}

    def edition(self, month: str | None = None) -> Edition:
        """The newest publication, or that of a month. Raises NothingPublished, MonthUnknown and TableUnavailable."""
        pointer = self._recent_pointer()
        current = pointer.current()
        publication = current if month is None else pointer.publications.get(month)
        if publication is None:
            raise MonthUnknown(current.month)
        rulebooks = self.rulebooks([publication.rulebook])
        if publication.rulebook in rulebooks:
            return Edition(publication, rulebooks[publication.rulebook], pointer, self._stale)
        if publication is not current:
            raise MonthUnknown(current.month)  # a rulebook is kept for as long as the ratings that rest on it
        raise RunUnknown(f"rulebook {publication.rulebook} is not in table {self.table.name}")

    def rulebooks(self, wanted: Iterable[str]) -> dict[str, Rulebook]:
        """Those of these rulebooks that exist, by content id; one read for all that are not known yet."""
        ids = set(wanted)
        unknown = ids - self._rulebooks.keys()
        if unknown:
            self._rulebooks |= self.table.rulebooks(sorted(unknown))
        found = {rulebook_id: self._rulebooks[rulebook_id] for rulebook_id in ids & self._rulebooks.keys()}
        for oldest in list(self._rulebooks)[:-RULEBOOKS_KEPT]:
            del self._rulebooks[oldest]
        return found

    def _recent_pointer(self) -> Pointer:
        """The pointer, read again every few seconds; the last known one when that fails."""
        now = self._clock()
        if self._pointer is not None and self._pointer.publications and now < self._read_again_at:
            return self._pointer
        try:
            self._pointer, self._stale = self.table.pointer(), False
        except TableUnavailable as error:
            if self._pointer is None:
                raise
            logger.warning("the pointer can't be read, the last known one is used", error=str(error))
            self._stale = True
        self._read_again_at = now + POINTER_SECONDS
        return self._pointer
