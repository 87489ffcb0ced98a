"""The intake of a month: every object taken, its bad rows put into quarantine, the counts of it all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from functions.rating.extracts.datasets import Dataset, LocalFile
from functions.rating.measuring.embedded.reading.read_all import Ingest
from functions.rating.measuring.embedded.reading.sources import Source
from functions.rating.measuring.quarantine import BadRow, Quarantine
from shared.errors import AgenciesUnsound, TooManyBadRows

_NAMED = 3


@dataclass
class Taken:
    """What was taken of one dataset."""

    rows: int = 0
    sources: list[Source] = field(default_factory=list)
    bad_rows: Counter[str] = field(default_factory=Counter)
    first_bad: list[str] = field(default_factory=list)

    def note_bad(self, key: str, row: BadRow) -> None:
        self.bad_rows[row.reason] += 1
        if len(self.first_bad) < _NAMED:
            self.first_bad.append(f"{key}, row {row.row} ({row.reason})")

    @property
    def bad(self) -> int:
        return self.bad_rows.total()


def take_all(files: Iterable[LocalFile], ingest: Ingest, quarantine: Quarantine) -> dict[Dataset, Taken]:
    """Take every object, in order. Raises ObjectUnsound, and AgenciesUnsound at the first bad row of an agency."""
    taken: dict[Dataset, Taken] = {}
    for ingested in ingest.take(files):
        file = ingested.file
        so_far = taken.setdefault(file.dataset, Taken())
        so_far.rows += ingested.rows
        so_far.sources += ingested.sources
        for row in ingested.bad:
            so_far.note_bad(file.key, row)
        quarantine.add(file.key, ingested.bad)
        if file.dataset is Dataset.AGENCIES and ingested.bad:
            first = ingested.bad[0]
            raise AgenciesUnsound(
                f"{file.key}, row {first.row}: {first.reason} ({first.text}); an agency must not vanish, so every row "
                "of the agencies extract has to be sound. Have it corrected and written again."
            )
    return taken


def refuse_too_many_bad(taken: dict[Dataset, Taken], max_share: Decimal) -> None:
    """Raises TooManyBadRows when a dataset has a larger share of bad rows than the settings allow."""
    for dataset, of in taken.items():
        if of.bad > max_share * of.rows:
            raise TooManyBadRows(
                f"{dataset}: {of.bad} of {of.rows} rows are bad ({_reasons(of)}), more than the share of {max_share} "
                f"that max_bad_row_share allows; the first are {'; '.join(of.first_bad)}. Have the extract corrected, "
                "or raise the setting if the loss is acceptable."
            )


def _reasons(of: Taken) -> str:
    return ", ".join(f"{reason}: {count}" for reason, count in sorted(of.bad_rows.items()))
