"""The rows of a month: every object read, its bad rows put into quarantine, the counts of it all."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from functions.rating.extracts.datasets import FORMATS_PAGE, Dataset, LocalFile
from functions.rating.measuring.embedded.reading.expected import expected, value_of
from functions.rating.measuring.embedded.reading.objects import ObjectReader
from functions.rating.measuring.embedded.reading.scan import ObjectRead
from functions.rating.measuring.embedded.reading.sources import Source
from functions.rating.measuring.quarantine import BadRow, Quarantine
from shared.errors import AgenciesInvalid, TooManyBadRows

ROWS_A_BYTE = 20  # more than any object has: compressed orders, whose ids differ, take several bytes each
_EXAMPLES = 3
_REASONS = 5


@dataclass
class DatasetRead:
    """What was read of one dataset. ``examples``: a few bad values of each reason, with where they are."""

    rows: int = 0
    sources: list[Source] = field(default_factory=list)
    bad_rows: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    examples: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def note_bad(self, key: str, row: BadRow, read: ObjectRead | None = None) -> None:
        self.bad_rows[row.reason] += 1
        if len(self.examples[row.reason]) < _EXAMPLES:
            value = value_of(row, read.positions) if read else row.text
            self.examples[row.reason].append(f"{key}, row {row.row}: {value}")

    @property
    def bad(self) -> int:
        return self.bad_rows.total()


def read_objects(
    files: Iterable[LocalFile], reader: ObjectReader, quarantine: Quarantine, max_bad_row_share: Decimal
) -> dict[Dataset, DatasetRead]:
    """Read every object, in order. Without the creators of the month before where these can't be used.

    Raises ObjectInvalid, AgenciesInvalid at the first bad row of an agency, and TooManyBadRows as soon as a dataset
    can't have few enough of them any more.
    """
    datasets: dict[Dataset, DatasetRead] = {}
    for read in reader.read(files):
        of = datasets.setdefault(read.file.dataset, DatasetRead())
        of.rows += read.rows
        of.sources += read.sources
        of.skipped.update(read.skipped)
        for row in read.bad:
            of.note_bad(read.file.key, row, read)
        quarantine.add(read.file.key, read.bad)
        if read.file.dataset is Dataset.AGENCIES and read.bad:
            _refuse_agencies(read)
        if read.bad and read.file.to_come is not None:
            at_most = of.rows + read.unread + read.file.to_come * ROWS_A_BYTE
            if read.file.dataset is not Dataset.PREVIOUS_CREATORS and of.bad > max_bad_row_share * at_most:
                raise TooManyBadRows(_too_many(read.file.dataset, of, max_bad_row_share, so_far=True))
    if before := datasets.get(Dataset.PREVIOUS_CREATORS):
        if before.bad > max_bad_row_share * before.rows:
            reader.warnings.append(_too_many(Dataset.PREVIOUS_CREATORS, before, max_bad_row_share))
        if reader.warnings:
            del datasets[Dataset.PREVIOUS_CREATORS]
    refuse_too_many_bad(datasets, max_bad_row_share)
    return datasets


def refuse_too_many_bad(datasets: dict[Dataset, DatasetRead], max_share: Decimal) -> None:
    """Raises TooManyBadRows when a dataset has a larger share of bad rows than the settings allow."""
    for dataset, of in datasets.items():
        if of.bad > max_share * of.rows:
            raise TooManyBadRows(_too_many(dataset, of, max_share))


def _refuse_agencies(read: ObjectRead) -> None:
    first = read.bad[0]
    raise AgenciesInvalid(
        f"{read.file.key}, row {first.row}: {first.reason} ({value_of(first, read.positions)}); expected "
        f"{expected(first.reason, first.text)}. An agency must not vanish, so every row of the agencies extract has to "
        f"be valid. Have it corrected and written again. {FORMATS_PAGE}"
    )


def _too_many(dataset: Dataset, of: DatasetRead, max_share: Decimal, *, so_far: bool = False) -> str:
    reasons = ", ".join(f"{reason}: {count}" for reason, count in sorted(of.bad_rows.items()))
    usual = of.bad_rows.most_common(_REASONS)
    details = " ".join(
        f"{reason}: expected {expected(reason, *of.examples[reason])}; found {'; '.join(of.examples[reason])}."
        for reason, _ in usual
    )
    until = "; reading stopped there, since the rest can't make up for it" if so_far else ""
    return (
        f"{dataset}: {of.bad} of {of.rows} rows are bad ({reasons}), more than the share of {max_share} that "
        f"max_bad_row_share allows{until}. {details} Have the extract corrected, or raise the setting if the loss is "
        f"acceptable. {FORMATS_PAGE}"
    )
