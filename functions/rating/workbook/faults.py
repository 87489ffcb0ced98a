"""What is wrong with the spreadsheet: each fault with its cell, the finding, the expectation, the fix. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from functions.rating.workbook.cells import Language
from functions.rating.workbook.description import FaultKind, Severity, Text


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. ``code`` is of the catalogue in config/workbook.json; ``cell`` is an A1 address in ``tab``.

    ``found`` quotes the cell, in the sheet's language. Errors keep the sheet from being used, warnings don't.
    """

    severity: Severity
    code: str
    tab: str
    cell: str
    found: str
    expected: Text
    fix: Text

    def as_dict(self) -> dict[str, Any]:
        """The fault ready for JSON: expected and fix are objects with ``en`` and ``zh``."""
        return asdict(self)

    def __str__(self) -> str:
        found = f"{self.severity} {self.code} · {self.tab}!{self.cell} · 发现 found {self.found}"
        expected = f"应为 {self.expected.zh} / expected {self.expected.en}"
        return f"{found} · {expected} · 处理 {self.fix.zh} / fix: {self.fix.en}"


@dataclass(frozen=True, slots=True)
class Location:
    """A cell as faults name it: the tab's own title, and an A1 address."""

    tab: str
    cell: str

    def __str__(self) -> str:
        return f"{self.tab}!{self.cell}"


class FaultList:
    """Collects faults in the words of the catalogue, so that one reading of the sheet finds them all.

    ``language``: the sheet's, in which cells are quoted.
    """

    def __init__(self, catalogue: Mapping[str, FaultKind], language: Language = "en") -> None:
        self._catalogue = catalogue
        self.language: Language = language
        self.faults: list[Fault] = []

    def add(self, code: str, place: Location, found: str, **facts: Any) -> None:
        """Add a fault; ``facts`` fill the placeholders of its texts."""
        self.faults.append(self.make(code, place, found, **facts))

    def make(self, code: str, place: Location, found: str, **facts: Any) -> Fault:
        """A fault that is not added, for what only a later step can know."""
        kind = self._catalogue[code]
        expected, fix = kind.expected.fill(facts), kind.fix.fill(facts)
        return Fault(kind.severity, code, place.tab, place.cell, found, expected, fix)
