"""What a source of the workbook can do. wiring.py chooses one by the setting WORKBOOK; each is a module of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from functions.rating.workbook.asks import Ask
from functions.rating.workbook.cells import RawWorkbook
from functions.rating.workbook.status import StatusPage


class WorkbookSource(Protocol):
    """Where the cells come from, and where operations read what came of them."""

    def read(self) -> RawWorkbook:
        """The cells as they are now, never a stale copy. Raises WorkbookUnavailable, which says what to do."""

    def owns(self, bucket: str, key: str, /) -> bool:
        """Whether an object in S3 is the workbook, or a part of it."""

    def addresses(self) -> Mapping[str, str]:
        """The web address of each tab, by title, for links; empty where tabs have none. Raises WorkbookUnavailable."""

    def asks(self) -> Sequence[Ask]:
        """What people have ticked in the console tab; nothing without such a tab. Raises WorkbookUnavailable."""

    def claim(self, asks: Sequence[Ask]) -> None:
        """Untick what was asked, before it is done. Raises WorkbookUnavailable."""

    def answer(self, ask: Ask, said: str, *, done: bool) -> None:
        """Say beside a tick what came of it; ``done``: it is not to be asked again. Raises WorkbookUnavailable."""

    def show_status(self, page: StatusPage) -> None:
        """Show operations what came of the last check or run, in the sheet's language. Raises WorkbookUnavailable."""

    def show_versions(self, page: StatusPage) -> None:
        """Show operations the versions that were in force, where the source has a place for it."""
