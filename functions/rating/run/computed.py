"""A run and everything computed from it, before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.rating.run.record import RunRecord
from shared.levels import Rating, Rulebook, Standing
from shared.months import Month

if TYPE_CHECKING:
    from functions.rating.measuring.measured import MonthMeasured


@dataclass(frozen=True, slots=True)
class Computed:
    """A run with everything that is staged, shown or compared.

    ``earlier``: the standings that the run was compared with, by agency_id.
    """

    month: Month
    rulebook: Rulebook
    record: RunRecord
    ratings: tuple[Rating, ...]
    earlier: Mapping[str, Standing]
    measured: MonthMeasured

    @property
    def in_month(self) -> Rulebook:
        """The rulebook without the rows that start in a later month."""
        return self.rulebook.as_of(str(self.month))

    @property
    def run(self) -> str:
        return self.record.run
