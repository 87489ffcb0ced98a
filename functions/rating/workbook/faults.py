"""The faults of the spreadsheet: each with its cell, what was found, what was expected and how to fix it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from functions.rating.workbook.cells import Language
from functions.rating.workbook.description import FaultKind, Severity, Text


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. ``code``: of the catalogue in config/workbook.json. ``cell``: an A1 address in ``tab``.

    ``found``: quotes the cell, in the sheet's language. Errors stop a run, warnings don't. ``from_month``: set for an
    error that only a later rating month has; until then it is a warning.
    """

    severity: Severity
    code: str
    tab: str
    cell: str
    found: str
    expected: Text
    fix: Text
    from_month: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The fault ready for JSON: ``expected`` and ``fix`` are objects with ``en`` and ``zh``."""
        return {name: value for name, value in asdict(self).items() if name != "from_month"}

    def __str__(self) -> str:
        found = f"{self.severity} {self.code} · {self.tab}!{self.cell} · 发现 found {self.found}"
        expected = f"应为 {self.expected.zh} / expected {self.expected.en}"
        return f"{found} · {expected} · 处理 {self.fix.zh} / fix: {self.fix.en}"


def first_blocked(faults: Iterable[Fault]) -> str | None:
    """The first later rating month for which there is an error; None without one."""
    return min((fault.from_month for fault in faults if fault.from_month), default=None)


@dataclass(frozen=True, slots=True)
class Location:
    """A cell in a fault: the tab's title and an A1 address."""

    tab: str
    cell: str

    def __str__(self) -> str:
        return f"{self.tab}!{self.cell}"


class FaultList:
    """Collects faults in the words of the catalogue, so that one reading of the sheet finds all.

    ``language``: the sheet's; cells are quoted in it. ``month``: the rating month; an error that counts only for a
    later month is a warning.
    """

    def __init__(self, catalogue: Mapping[str, FaultKind], language: Language = "en", month: str = "9999-12") -> None:
        self._catalogue = catalogue
        self.language: Language = language
        self.month = month
        self.faults: list[Fault] = []

    def add(self, code: str, location: Location, found: str, **facts: Any) -> None:
        """Add a fault. ``facts`` fill the placeholders of its texts."""
        self.faults.append(self.make(code, location, found, **facts))

    def make(self, code: str, location: Location, found: str, *, since: str = "", **facts: Any) -> Fault:
        """A fault that is not added, because only a later step can decide whether it is one."""
        kind = self._catalogue[code]
        expected, fix = kind.expected.fill(facts), kind.fix.fill(facts)
        if kind.severity == "warning" or since <= self.month:
            return Fault(kind.severity, code, location.tab, location.cell, found, expected, fix)
        later = Text(
            f"{fix.en} It blocks rating month {since} and nothing before it.",
            f"{fix.zh}它只影响 {since} 及以后的考核月，之前的月份照常发布。",
        )
        return Fault("warning", code, location.tab, location.cell, found, expected, later, since)

    def errors_after(self, before: int) -> bool:
        """Whether there are errors among the faults added after the first ``before``."""
        return any(fault.severity == "error" for fault in self.faults[before:])

    def later_after(self, before: int) -> bool:
        """Whether there are, likewise, errors that only a later month has."""
        return any(fault.from_month for fault in self.faults[before:])
