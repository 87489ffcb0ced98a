"""The cells of the tabs that the system writes. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from functions.rating.workbook.faults import Location

Colour = Literal["green", "orange", "red"]


@dataclass(frozen=True, slots=True)
class StatusCell:
    """A cell; a click on it leads to ``to``, a cell of the sheet or a web address.

    ``number``: what the text says, where a chart has to read it.
    """

    text: str
    to: Location | str | None = None
    bold: bool = False
    colour: Colour | None = None
    number: int | None = None


StatusRow = tuple[StatusCell, ...]
