"""The shipped example's thresholds are invented: a stack may publish by them only where somebody allowed it."""

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
    """The example in ``folder``; ``allowed``: the parameter ExampleThresholds says that it may be published by."""

    folder: Path
    description: Description
    allowed: bool

    def gives(self, rulebook: Rulebook, month: Month) -> bool:
        """Whether the thresholds for a month are the example's, wherever the workbook came from: also a new sheet's."""
        example = parse(read_folder(self.folder, self.description.reads), self.description, month).rulebook
        try:
            return example is not None and rulebook.ladder(str(month)).rungs == example.ladder(str(month)).rungs
        except LookupError:  # no ladder for the month yet
            return False

    def refuse(self, rulebook: Rulebook, month: Month) -> None:
        """Raises ExampleThresholds when the month would be rated by the example and nobody allowed that."""
        if not self.allowed and self.gives(rulebook, month):
            raise ExampleThresholds(
                f"month {month}: the thresholds are those of the shipped example, which are invented; expected your "
                "own. Fill in the thresholds tab of your workbook, and deploy with Workbook=gsheet:<spreadsheet key>. "
                "Only to try the system out, deploy with ExampleThresholds=allow. Nothing was published."
            )
