"""Measures each month once: a stored measurement is read again, whatever engine made it and whatever the sheet is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from zoneinfo import ZoneInfo

from functions.rating.extracts.inventory import Inventory
from functions.rating.measuring.bad_rows import within_share
from functions.rating.measuring.measurements import Measurements
from functions.rating.measuring.plan import Plan
from functions.rating.measuring.quarantine import first_rows
from functions.rating.measuring.totals import MonthTotals
from functions.rating.progress import Progress
from shared.errors import ExtractError, MeasuringFailed
from shared.observability import logger

Embedded = Callable[[Inventory, Decimal, Progress], MonthTotals]
Distributed = Callable[[Plan], MonthTotals]


@dataclass(frozen=True, slots=True)
class Measuring:
    """Measures months, unless a measurement is stored already.

    ``embedded``: the engine in this process. ``distributed``: the engine outside, for months whose order objects have
    more than ``embedded_bytes`` together.
    """

    measurements: Measurements
    embedded: Embedded
    zone: ZoneInfo
    int96_is_utc: bool = True
    distributed: Distributed | None = None
    embedded_bytes: int = 0

    def measure(self, inventory: Inventory, max_bad_row_share: Decimal, progress: Progress) -> MonthTotals:
        """The month's totals, within the allowed share of bad rows.

        Raises one ExtractError for each cause, and StillMeasuring while the engine outside is running.
        """
        plan = Plan.of(inventory, self.zone, int96_is_utc=self.int96_is_utc)
        with progress.stage("recall") as facts:
            totals = self.measurements.find(plan.id)
            facts |= {"measurement": plan.id, "found": totals is not None}
        if totals is None and self.distributed and plan.order_bytes > self.embedded_bytes:
            totals = self.distributed(plan)
        if totals is None:
            totals = self._measured_here(plan, inventory, max_bad_row_share, progress)
        try:
            totals = within_share(totals, max_bad_row_share)
        except ExtractError as error:
            error.quarantine = first_rows(totals.quarantine) if totals.quarantine else b""
            raise
        return replace(totals, warnings=(*inventory.warnings, *totals.warnings))

    def _measured_here(
        self, plan: Plan, inventory: Inventory, max_bad_row_share: Decimal, progress: Progress
    ) -> MonthTotals:
        try:
            totals = self.embedded(inventory, max_bad_row_share, progress)
        except ExtractError as error:
            with _if_it_can_be():
                self.measurements.keep_error(plan.id, error)
            raise
        with _if_it_can_be():
            self.measurements.keep(plan.id, totals)
        return totals


@contextmanager
def _if_it_can_be() -> Iterator[None]:
    """Log a measurement that can't be stored: the next run measures again, and this run continues."""
    try:
        yield
    except MeasuringFailed as error:
        logger.warning("a measurement could not be kept", cause=str(error))
