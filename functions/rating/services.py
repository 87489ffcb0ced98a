"""What a run works with: the real things outside, wired by app.py, replaced at their transport in tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo

from functions.rating.progress import Progress
from shared.months import Month
from shared.table import Table

if TYPE_CHECKING:
    from functions.rating.extracts.inventory import Inventory, NotReady
    from functions.rating.measuring.measured import MonthMeasured
    from functions.rating.publication.outbox import Announcer
    from functions.rating.publication.report import Reports
    from functions.rating.workbook.description import Description
    from functions.rating.workbook.source import WorkbookSource


class Extracts(Protocol):
    """One month's files: find them, measure them, and see that they stayed as they were."""

    def find(self, month: Month) -> Inventory | NotReady: ...

    def measure(self, inventory: Inventory, max_bad_row_share: Decimal, progress: Progress) -> MonthMeasured: ...


@dataclass(frozen=True)
class Services:
    """Everything a run touches. ``now`` is an aware instant; ``code_version`` goes into the ledger."""

    workbook: WorkbookSource
    description: Description
    extracts: Extracts
    table: Table
    reports: Reports
    announcer: Announcer
    zone: ZoneInfo
    retention_months: int
    code_version: str
    now: Callable[[], datetime]
    progress: Progress
