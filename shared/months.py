"""The rating month: a calendar month in the platform's time zone, with its bounds in UTC."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

RENEWAL_DAY = 3
_TEXT = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, order=True, slots=True)
class Month:
    """A calendar month. Sorts by time. Its text is ``YYYY-MM``, in keys and in JSON."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Month:
        """The month of a text ``YYYY-MM``. Raises ValueError for any other text."""
        match = _TEXT.fullmatch(text)
        if match is None or match[1] == "0000":
            raise ValueError(f"expected a month as YYYY-MM, found {text!r}")
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def of(cls, instant: datetime, zone: ZoneInfo) -> Month:
        """The month that contains an aware instant, in the time zone ``zone``."""
        local = instant.astimezone(zone)
        return cls(local.year, local.month)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"

    def plus(self, months: int) -> Month:
        """The month that is ``months`` later (earlier if negative)."""
        index = self.year * 12 + self.number - 1 + months
        return Month(index // 12, index % 12 + 1)

    def start(self, zone: ZoneInfo) -> datetime:
        """First instant of the month, in UTC (inclusive)."""
        return datetime(self.year, self.number, 1, tzinfo=zone).astimezone(UTC)

    def end(self, zone: ZoneInfo) -> datetime:
        """First instant after the month, in UTC (exclusive)."""
        return self.plus(1).start(zone)

    @property
    def renewed_on(self) -> date:
        """The day on which this month's levels are published: the 3rd of the next month (public rule)."""
        following = self.plus(1)
        return date(following.year, following.number, RENEWAL_DAY)
