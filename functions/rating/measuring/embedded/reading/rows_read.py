"""Reads the rows of a month: every object, with its bad rows put into quarantine, and all counts."""

from __future__ import annotations

from bisect import insort
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from functions.rating.extracts.datasets import FORMATS_PAGE, Dataset, LocalFile
from functions.rating.measuring.bad_rows import EXAMPLES, is_too_bad, too_many
from functions.rating.measuring.embedded.reading.objects import ObjectReader
from functions.rating.measuring.embedded.reading.scan import ObjectRead
from functions.rating.measuring.embedded.reading.sources import Source
from functions.rating.measuring.expected import expected, value_of
from functions.rating.measuring.quarantine import BadRow, Quarantine
from functions.rating.measuring.totals import RowsRead
from shared.errors import AgenciesInvalid, TooManyBadRows

ROWS_A_BYTE = (
    200  # rows of later objects, at most: gzip compresses by a factor of 1,000, and a row has at least five bytes
)


@dataclass
class DatasetRead:
    """The rows read of one dataset.

    ``examples``: for each reason the first bad rows by key and number, with values. They do not depend on the order in
    which objects and bad rows are found.
    """

    rows: int = 0
    sources: list[Source] = field(default_factory=list)
    bad_rows: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    examples: defaultdict[str, list[tuple[str, int, str]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, read: ObjectRead) -> None:
        """Add the rows of one ObjectRead."""
        self.rows += read.rows
        self.sources += read.sources
        self.skipped.update(read.skipped)
        for row in read.bad:
            self.note_bad(read.file.key, row, read)

    def note_bad(self, key: str, row: BadRow, read: ObjectRead | None = None) -> None:
        self.bad_rows[row.reason] += 1
        first = self.examples[row.reason]
        if len(first) < EXAMPLES or (key, row.row) < first[-1][:2]:
            insort(first, (key, row.row, value_of(row, read.positions if read else None)))
            del first[EXAMPLES:]

    def counted(self) -> RowsRead:
        """The counts and examples so far."""
        examples = {
            reason: tuple(f"{key}, row {row}: {value}" for key, row, value in first)
            for reason, first in self.examples.items()
        }
        return RowsRead(self.rows, self.bad_rows, self.skipped, examples)

    @property
    def bad(self) -> int:
        return self.bad_rows.total()


def read_objects(
    files: Iterable[LocalFile], reader: ObjectReader, quarantine: Quarantine, max_bad_row_share: Decimal
) -> dict[Dataset, DatasetRead]:
    """Read every object in order. The previous month's creators are left out if they can't be used.

    Raises ObjectInvalid, AgenciesInvalid at the first bad row of an agency, and TooManyBadRows as soon as the share of
    bad rows must exceed the limit.
    """
    datasets: dict[Dataset, DatasetRead] = {}
    for read in reader.read(files):
        of = datasets.setdefault(read.file.dataset, DatasetRead())
        of.add(read)
        quarantine.add(read.file.key, read.bad)
        if read.file.dataset is Dataset.AGENCIES and read.bad:
            raise AgenciesInvalid(agencies_refusal(read.file.key, read.bad[0], read.positions))
        if read.bad and read.file.to_come is not None:
            at_most = of.rows + read.unread + read.file.to_come * ROWS_A_BYTE
            if read.file.dataset is not Dataset.PREVIOUS_CREATORS and of.bad > max_bad_row_share * at_most:
                raise TooManyBadRows(too_many(read.file.dataset, of.counted(), max_bad_row_share, so_far=True))
    if reader.warnings:
        datasets.pop(Dataset.PREVIOUS_CREATORS, None)
    refuse_too_many_bad(datasets, max_bad_row_share)
    return datasets


def refuse_too_many_bad(datasets: Mapping[Dataset, DatasetRead], max_share: Decimal) -> None:
    """Raises TooManyBadRows if a required dataset has too many bad rows."""
    for dataset, of in datasets.items():
        if dataset is not Dataset.PREVIOUS_CREATORS and is_too_bad(of.counted(), max_share):
            raise TooManyBadRows(too_many(dataset, of.counted(), max_share))


def agencies_refusal(key: str, first: BadRow, positions: Mapping[str, int] | None) -> str:
    """The error for a bad row of an agency."""
    return (
        f"{key}, row {first.row}: {first.reason} ({value_of(first, positions)}); expected "
        f"{expected(first.reason, first.text)}. An agency must not vanish, so every row of the agencies extract has to "
        f"be valid. Have it corrected and written again. {FORMATS_PAGE}"
    )
