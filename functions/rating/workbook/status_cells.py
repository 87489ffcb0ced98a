"""The cells of the tabs that the system writes. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from functions.rating.workbook.faults import Location

Colour = Literal["green", "orange", "red"]


@dataclass(frozen=True, slots=True)
class StatusCell:
    """A cell. ``to``: its link, a cell of the sheet or a web address.

    ``number``: the text as a number, for charts.
    """

    text: str
    to: Location | str | None = None
    bold: bool = False
    colour: Colour | None = None
    number: int | None = None


StatusRow = tuple[StatusCell, ...]
