"""The desk that requests are answered from: what is published, and how to find one thing in it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from functions.lookup.cursors import Cursors
from functions.lookup.problems import AgencyUnknown, BenefitUnknown, LevelUnknown
from functions.lookup.publications import Edition, Published
from shared.levels import Benefit, Level, Rating
from shared.months import Month
from shared.table import Table

_AGENCY_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LEVEL = re.compile(r"[1-9][0-9]{0,5}")


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that answering takes. ``authorized_routes_only``: see shared.settings.LookupSettings."""

    published: Published
    cursors: Cursors
    zone: ZoneInfo
    authorized_routes_only: bool = False

    @property
    def table(self) -> Table:
        return self.published.table

    def rating(self, agency_id: str, edition: Edition) -> Rating:
        """An agency's rating. Raises AgencyUnknown; an id that no agency can have is never asked for."""
        rating = self.table.rating(agency_id, edition.publication) if possible(agency_id) else None
        if rating is None:
            raise unknown_agency(edition)
        return rating

    def ratings(self, agency_ids: Iterable[str], edition: Edition) -> list[Rating]:
        """The ratings there are, in the order of the ids."""
        return self.table.ratings((a, edition.publication) for a in agency_ids if possible(a))

    def local(self, instant: str) -> str:
        """A stored instant by the platform's clock, to the second."""
        return datetime.fromisoformat(instant).astimezone(self.zone).isoformat(timespec="seconds")


def possible(agency_id: str) -> bool:
    """Whether an agency can have this id."""
    return _AGENCY_ID.fullmatch(agency_id) is not None


def unknown_agency(edition: Edition) -> AgencyUnknown:
    """The refusal that tells when an agency which joins in the month after the newest one is first rated (rule 4)."""
    joins_in = Month.parse(edition.newest).plus(1)
    first_rated = joins_in.plus(edition.rulebook.settings.new_agency_wait_months - 1)
    return AgencyUnknown(edition.month, str(joins_in), first_rated.renewed_on)


def known_level(text: str, edition: Edition) -> Level:
    """A level by its number. Raises LevelUnknown."""
    levels = edition.rulebook.levels
    if not _LEVEL.fullmatch(text) or int(text) > len(levels):
        raise LevelUnknown(len(levels))
    return levels[int(text) - 1]


def known_benefit(key: str, edition: Edition) -> Benefit:
    """A benefit by its key, which may have arrived percent-encoded. Raises BenefitUnknown."""
    for benefit in edition.rulebook.benefits:
        if benefit.key in (key, unquote(key)):
            return benefit
    raise BenefitUnknown
