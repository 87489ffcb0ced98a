"""What every source of the workbook can do. wiring.py chooses one by the setting WORKBOOK; each has its own module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from functions.rating.workbook.asks import Ask
from functions.rating.workbook.cells import RawWorkbook
from functions.rating.workbook.status import StatusPage


class WorkbookSource(Protocol):
    """The source of the cells, and the place where operations read the results."""

    def read(self) -> RawWorkbook:
        """The current cells, never cached ones. Raises WorkbookUnavailable, which says what to do."""

    def owns(self, bucket: str, key: str, /) -> bool:
        """Whether an object in S3 is the workbook or a part of it."""

    def addresses(self) -> Mapping[str, str]:
        """The web address of each tab by title; empty if tabs have none. Raises WorkbookUnavailable."""

    def asks(self) -> Sequence[Ask]:
        """The requests ticked in the console tab. Empty without such a tab. Raises WorkbookUnavailable."""

    def claim(self, asks: Sequence[Ask]) -> None:
        """Remove the ticks of these requests, before they are done. Raises WorkbookUnavailable."""

    def answer(self, ask: Ask, message: str, *, done: bool) -> None:
        """Write the answer next to a tick. ``done``: clear the request. Raises WorkbookUnavailable."""

    def show_status(self, page: StatusPage) -> None:
        """Show operations the result of the last check or run, in the sheet's language. Raises WorkbookUnavailable."""

    def show_versions(self, page: StatusPage) -> None:
        """Show operations the versions of the rules, if the source has room for them."""
