"""The valid publications, with as few reads as possible: the pointer is cached for seconds, rulebooks for good.

Everything in one answer comes from one Snapshot, so level and benefits always belong to the same publication, even
while a new month is being published.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from functions.lookup.problems import AgencyUnknown, BenefitUnknown, LevelUnknown, MonthUnknown
from shared.errors import RunUnknown, TableUnavailable
from shared.items import Listing, Pointer, Publication
from shared.levels import Benefit, Level, Rating, Rulebook
from shared.months import Month
from shared.observability import logger
from shared.settings import DEFAULT_RETENTION_MONTHS
from shared.table import Table

POINTER_SECONDS = 5.0
KEPT = 64  # cached rulebooks (one per month and change of texts), cached level counts (one per month)

_AGENCY_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LEVEL = re.compile(r"[1-9][0-9]{0,5}")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One publication with its rulebook, the pointer that both were read from, and its ratings.

    ``stale``: the pointer could not be read again, so there may be a newer publication.
    """

    publication: Publication
    rulebook: Rulebook
    pointer: Pointer
    stale: bool
    source: Publications

    @property
    def month(self) -> str:
        return self.publication.month

    @property
    def newest(self) -> str:
        """The current month, whatever month this snapshot has."""
        return self.pointer.current().month

    @property
    def published_at(self) -> datetime:
        """When this publication became valid, in the platform's time zone, to the second."""
        return self.local(self.publication.published_at)

    def local(self, instant: str) -> datetime:
        """A stored instant in the platform's time zone, to the second."""
        return datetime.fromisoformat(instant).astimezone(self.source.zone).replace(microsecond=0)

    def of(self, month: str) -> Snapshot:
        """Another month from the same pointer. Raises MonthUnknown."""
        return self.source.at(self.pointer, month, stale=self.stale)

    def rating(self, agency_id: str) -> Rating:
        """An agency's rating. Raises AgencyUnknown; an id that no agency can have is not looked up."""
        rating = self.source.table.rating(agency_id, self.publication) if is_agency_id(agency_id) else None
        if rating is None:
            raise self.unknown_agency()
        return rating

    def ratings(self, agency_ids: Iterable[str]) -> list[Rating]:
        """The ratings that exist, in the order of the ids."""
        return self.source.table.ratings((a, self.publication) for a in agency_ids if is_agency_id(a))

    def listings(self, level: int, page: int) -> Sequence[Listing]:
        """One stored page of the directory of a level; empty past the last."""
        return self.source.table.listings(self.publication.run, level, page)

    def level(self, text: str) -> Level:
        """A level by its number. Raises LevelUnknown."""
        levels = self.rulebook.levels
        if not _LEVEL.fullmatch(text) or int(text) > len(levels):
            raise LevelUnknown(len(levels))
        return levels[int(text) - 1]

    def benefit(self, key: str) -> Benefit:
        """A benefit by its key, which may be percent-encoded. Raises BenefitUnknown."""
        for benefit in self.rulebook.benefits:
            if benefit.key in (key, unquote(key)):
                return benefit
        raise BenefitUnknown

    def unknown_agency(self) -> AgencyUnknown:
        """The refusal for an unknown agency. It says when an agency that joins next month is first rated (rule 4)."""
        joins_in = Month.parse(self.newest).plus(1)
        first_rated = joins_in.plus(self.rulebook.settings.new_agency_wait_months - 1)
        return AgencyUnknown(self.month, str(joins_in), first_rated.renewed_on)


class Publications:
    """The valid publications within the retention. ``clock`` counts seconds, ``now`` gives the time of day.

    ``retention``: months after a month's end until it is no longer shown, even if the table still has it.
    """

    def __init__(
        self,
        table: Table,
        zone: ZoneInfo,
        retention: int = DEFAULT_RETENTION_MONTHS,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.table = table
        self.zone = zone
        self.retention = retention
        self._clock = clock
        self._now = now
        self._pointer: Pointer | None = None
        self._stale = False
        self._read_again_at = 0.0
        self._rulebooks: dict[str, Rulebook] = {}
        self._levels: dict[str, Mapping[str, int]] = {}

    def snapshot(self, month: str | None = None) -> Snapshot:
        """The newest publication, or the one of a month. Raises NothingPublished, MonthUnknown and TableUnavailable."""
        pointer = self._recent_pointer()
        return self.at(pointer, month, stale=self._stale)

    def at(self, pointer: Pointer, month: str | None, *, stale: bool) -> Snapshot:
        """A publication of this pointer. Raises the same errors as ``snapshot``."""
        current = pointer.current()
        publication = current if month is None else pointer.publications.get(month)
        if publication is None:
            raise MonthUnknown(current.month)
        rulebooks = self.rulebooks([publication.rulebook])
        if publication.rulebook in rulebooks:
            rulebook = rulebooks[publication.rulebook].as_of(publication.month)
            return Snapshot(publication, rulebook, pointer, stale, self)
        if publication is not current:
            raise MonthUnknown(current.month)  # a rulebook is stored as long as the ratings that use it
        raise RunUnknown(f"rulebook {publication.rulebook} is not in table {self.table.name}")

    def rulebooks(self, wanted: Iterable[str]) -> dict[str, Rulebook]:
        """The stored rulebooks among these, by content id. Reads all that are not cached at once."""
        ids = set(wanted)
        unknown = ids - self._rulebooks.keys()
        if unknown:
            self._rulebooks |= self.table.rulebooks(sorted(unknown))
        found = {rulebook_id: self._rulebooks[rulebook_id] for rulebook_id in ids & self._rulebooks.keys()}
        for oldest in list(self._rulebooks)[:-KEPT]:
            del self._rulebooks[oldest]
        return found

    def level_counts(self, wanted: Iterable[str]) -> dict[str, Mapping[str, int]]:
        """The number of agencies per level in each of these runs that has a record. Cached, since runs never change."""
        runs = list(wanted)
        if unknown := [run for run in runs if run not in self._levels]:
            self._levels |= self.table.level_counts(unknown)
        found = {run: self._levels[run] for run in runs if run in self._levels}
        for oldest in list(self._levels)[:-KEPT]:
            del self._levels[oldest]
        return found

    def _recent_pointer(self) -> Pointer:
        """The pointer, read again every few seconds. If that fails: the last known one."""
        if self._pointer is not None and self._pointer.publications and self._clock() < self._read_again_at:
            return self._pointer
        try:
            self._pointer, self._stale = self.table.pointer(), False
        except TableUnavailable as error:
            if self._pointer is None:
                raise
            logger.warning("the pointer could not be read, the last known one is used", error=str(error))
            self._stale = True
        self._pointer = self._kept(self._pointer)
        self._read_again_at = self._clock() + POINTER_SECONDS  # the failed read may have taken seconds
        return self._pointer

    def _kept(self, pointer: Pointer) -> Pointer:
        """The pointer without the months whose retention is over."""
        oldest = str(Month.of(self._now(), self.zone).plus(-self.retention))
        return replace(pointer, publications={m: p for m, p in pointer.publications.items() if m >= oldest})


def is_agency_id(text: str) -> bool:
    """Whether an agency can have this id."""
    return _AGENCY_ID.fullmatch(text) is not None
