"""What a source of the workbook can do. wiring.py chooses one by the setting WORKBOOK; each is a module of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from functions.rating.workbook.cells import RawWorkbook
from functions.rating.workbook.status import StatusRow


class WorkbookSource(Protocol):
    """Where the cells come from: a folder of CSV files, or a Google Sheet, which shows the verdict too."""

    def read(self) -> RawWorkbook:
        """The cells as they are now, never a stale copy. Raises WorkbookUnavailable, which says what to do."""

    def show_status(self, rows: Sequence[StatusRow]) -> None:
        """Show operations what came of the last check or run. Raises WorkbookUnavailable."""
