"""The services that a command works with. wiring.py makes the real ones; tests replace their transport."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from functions.rating.progress import Progress
from functions.rating.run.record import expiry
from shared.months import Month
from shared.table import Table

if TYPE_CHECKING:
    from functions.rating.extracts.inventory import Extracts, Inventory
    from functions.rating.measuring.totals import MonthTotals
    from functions.rating.publication.publisher import Publisher
    from functions.rating.publication.report import Reports
    from functions.rating.workbook.description import Description
    from functions.rating.workbook.example import Example
    from functions.rating.workbook.source import WorkbookSource


@dataclass(frozen=True)
class Services:
    """Everything that a run reads from or writes to.

    ``measure``: the one method of an engine, called with the largest allowed share of bad rows. ``now``: returns an
    aware instant. ``code_version``: is written to the ledger. ``scratch``: the working folder of this run.
    """

    workbook: WorkbookSource
    description: Description
    example: Example
    extracts: Extracts
    measure: Callable[[Inventory, Decimal, Progress], MonthTotals]
    table: Table
    reports: Reports
    publisher: Publisher
    zone: ZoneInfo
    retention_months: int
    code_version: str
    now: Callable[[], datetime]
    progress: Progress
    scratch: Path

    def expiry(self, month: Month) -> int:
        """Epoch second after which the table may delete a month's items."""
        return expiry(month, self.retention_months, self.zone)
