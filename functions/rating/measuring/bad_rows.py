"""Checks the share of bad rows. The limit is a setting: it never changes what was measured. Pure."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from functions.rating.extracts.datasets import FORMATS_PAGE, Dataset
from functions.rating.measuring.expected import expected
from functions.rating.measuring.totals import MonthTotals, RowsRead
from shared.errors import TooManyBadRows

EXAMPLES = 3  # examples of bad values for each reason
_REASONS = 5


def within_share(totals: MonthTotals, max_share: Decimal) -> MonthTotals:
    """The totals, if no dataset has too many bad rows.

    If the previous month's creators have too many, they are left out instead. Raises TooManyBadRows.
    """
    for dataset, read in totals.rows_read.items():
        if dataset is not Dataset.PREVIOUS_CREATORS and is_too_bad(read, max_share):
            raise TooManyBadRows(too_many(dataset, read, max_share))
    before = totals.rows_read.get(Dataset.PREVIOUS_CREATORS)
    if before is None or not is_too_bad(before, max_share):
        return totals
    return replace(
        totals,
        rows_read={name: read for name, read in totals.rows_read.items() if name is not Dataset.PREVIOUS_CREATORS},
        slots=(),
        warnings=(*totals.warnings, too_many(Dataset.PREVIOUS_CREATORS, before, max_share)),
    )


def is_too_bad(read: RowsRead, max_share: Decimal) -> bool:
    """Whether a dataset has a larger share of bad rows than the setting allows."""
    return sum(read.bad.values()) > max_share * read.rows


def too_many(dataset: Dataset, read: RowsRead, max_share: Decimal, *, so_far: bool = False) -> str:
    """The message for a dataset with too many bad rows. ``so_far``: reading stopped before the end."""
    reasons = ", ".join(f"{reason}: {count}" for reason, count in sorted(read.bad.items()))
    usual = sorted(read.bad, key=lambda reason: (-read.bad[reason], reason))[:_REASONS]
    details = " ".join(
        f"{reason}: expected {expected(reason, *read.examples[reason])}; found {'; '.join(read.examples[reason])}."
        for reason in usual
    )
    until = "; reading stopped there, since the rest can't make up for it" if so_far else ""
    return (
        f"{dataset}: {sum(read.bad.values())} of {read.rows} rows are bad ({reasons}), more than the share of "
        f"{max_share} that max_bad_row_share allows{until}. {details} Have the extract corrected, or raise the setting "
        f"if the loss is acceptable. {FORMATS_PAGE}"
    )
