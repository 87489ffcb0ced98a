"""The thresholds of the shipped example are invented: a stack publishes with them only if that was allowed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from functions.rating.workbook.description import Description
from functions.rating.workbook.folder import read_folder
from functions.rating.workbook.rulebook import parse
from shared.errors import ExampleThresholds
from shared.levels import Rulebook
from shared.months import Month


@dataclass(frozen=True, slots=True)
class Example:
    """The example in ``folder``. ``allowed``: whether the parameter ExampleThresholds allows publishing with it."""

    folder: Path
    description: Description
    allowed: bool

    def gives(self, rulebook: Rulebook, month: Month) -> bool:
        """Whether the thresholds for a month equal the example's, whatever workbook they come from."""
        example = parse(read_folder(self.folder, self.description.reads), self.description, month).rulebook
        try:
            return example is not None and rulebook.ladder(str(month)).rungs == example.ladder(str(month)).rungs
        except LookupError:  # no ladder for this month yet
            return False

    def refuse(self, rulebook: Rulebook, month: Month) -> None:
        """Raises ExampleThresholds if the example's thresholds would rate the month and that was not allowed."""
        if not self.allowed and self.gives(rulebook, month):
            raise ExampleThresholds(
                f"month {month}: the thresholds are those of the shipped example, which are invented; expected your "
                "own. Fill in the thresholds tab of your workbook, and deploy with Workbook=gsheet:<spreadsheet key>. "
                "Only to try the system out, deploy with ExampleThresholds=allow. Nothing was published."
            )
