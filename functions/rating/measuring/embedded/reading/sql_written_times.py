"""SQL that reads written times: ISO 8601, the forms of Excel and pandas, and epoch seconds."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from functions.rating.measuring.embedded.reading.sql_cells import PLAIN_TIME, WHOLE_NUMBER, WHOLE_WITH_ZEROS
from functions.rating.measuring.embedded.reading.sql_times import MICROSECONDS
from functions.rating.measuring.embedded.sql import literal

_FIELDS = ("year", "month", "day", "hour", "minute", "second", "fraction", "zone")
_YEAR = r"([1-9]\d{3}|0[1-9]\d\d|00[1-9]\d|000[1-9])"
_DATE = rf"{_YEAR}[-/](\d\d?)[-/](\d\d?)"
_CLOCK = r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:[.,](\d+))?)?"
_OFFSET = r"[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?"
_NAMED_OFFSET = r"(?i:UTC|GMT)(?:[+-]\d\d?(?::?[0-5]\d)?)?"  # UTC, UTC+8, GMT+08:00
_NO_TIME = r"(?i)-?0+(?:\.0*)?"
_OPEN_END = rf"{_NO_TIME}|0000[-/]00[-/]00(?:[ T]00:00:00(?:\.0+)?)?|null|none|nan|nat|<na>"


@dataclass(frozen=True, slots=True)
class WrittenTime:
    """A text column of times. Relations with its SQL have ``<name>_plain`` and the columns named below.

    A zone may be an offset, UTC, GMT, or the name of ``zone``, which also applies to times without a zone.
    """

    name: str
    zone: ZoneInfo

    @property
    def shape(self) -> str:
        """``<name>_shape``: 'plain' (the engine's own notation), 'seconds', 'written' (any other form), or null."""
        name = self.name
        seconds = f"{WHOLE_NUMBER}|{WHOLE_WITH_ZEROS}"
        return (
            f"CASE WHEN {name}_plain THEN 'plain' WHEN regexp_full_match({name}, {literal(PLAIN_TIME)}) THEN 'plain' "
            f"WHEN regexp_full_match({name}, {literal(seconds)}) THEN 'seconds' "
            f"WHEN regexp_full_match({name}, {literal(self._pattern)}) THEN 'written' END"
        )

    @property
    def fields(self) -> str:
        """``<name>_fields``: the parts of a written form, as texts that may be empty."""
        names = ", ".join(map(literal, _FIELDS))
        found = f"regexp_extract({self.name}, {literal(f'^(?:{self._pattern})$')}, [{names}])"
        return f"CASE WHEN {self.name}_shape = 'written' THEN {found} END"

    def instant(self, from_seconds: Callable[[str], str]) -> str:
        """SQL: epoch microseconds, if the text gives an instant."""
        name, zone = self.name, f"{self.name}_fields.zone"
        seconds = from_seconds(f"TRY_CAST(split_part({name}, '.', 1) AS BIGINT)")
        parts = rf"regexp_extract({zone}, '([+-])(\d\d?):?(\d\d)?', ['sign', 'hours', 'minutes'])"
        minutes = (
            f"(CAST({parts}.hours AS BIGINT) * 60 + coalesce(TRY_CAST({parts}.minutes AS BIGINT), 0)) "
            f"* CASE {parts}.sign WHEN '-' THEN -1 ELSE 1 END"
        )
        return (
            f"CASE WHEN {name}_shape = 'seconds' THEN {seconds} "
            f"WHEN {zone} IN ('', {literal(self.zone.key)}) THEN NULL "
            f"WHEN regexp_matches({zone}, '[+-]') THEN {self._clock} - {minutes} * {60 * MICROSECONDS} "
            f"WHEN {zone} <> '' THEN {self._clock} END"
        )

    @property
    def local(self) -> str:
        """SQL: microseconds of the local clock since 1970, if the text has no offset."""
        name = self.name
        return (
            f"CASE WHEN {name}_shape = 'plain' THEN epoch_us(TRY_CAST({name} AS TIMESTAMP)) "
            f"WHEN {name}_fields.zone IN ('', {literal(self.zone.key)}) THEN {self._clock} END"
        )

    def says_none(self, *, open_end: bool) -> str:
        """SQL: whether a text means "no time"."""
        pattern = _OPEN_END if open_end else _NO_TIME
        return f"CASE WHEN {self.name}_plain THEN FALSE ELSE regexp_full_match({self.name}, {literal(pattern)}) END"

    @property
    def _pattern(self) -> str:
        zone = rf" ?([Zz]|{_OFFSET}|{_NAMED_OFFSET}|{re.escape(self.zone.key)})(?:\[[A-Za-z_/]+\])?"
        return rf"{_DATE}(?:(?:[Tt]| +){_CLOCK}(?:{zone})?)?"

    @property
    def _clock(self) -> str:
        """SQL: the local clock time. A missing part is 0; a fraction is cut to microseconds."""
        of = f"{self.name}_fields"
        month, day, hour, minute, second = (f"lpad({of}.{field}, 2, '0')" for field in _FIELDS[1:6])
        text = f"concat({of}.year, '-', {month}, '-', {day}, ' ', {hour}, ':', {minute}, ':', {second})"
        fraction = f"CAST(rpad({of}.fraction[:6], 6, '0') AS BIGINT)"
        return f"(epoch_us(TRY_CAST({text} AS TIMESTAMP)) + {fraction})"
