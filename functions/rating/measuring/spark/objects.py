"""Reads one object, or some of its row groups, with the project's reader; and combines the counts of all objects."""

from __future__ import annotations

import json
from bisect import insort
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from functions.rating.extracts.datasets import Dataset, LocalFile
from functions.rating.measuring.bad_rows import EXAMPLES
from functions.rating.measuring.embedded.reading.objects import refusal
from functions.rating.measuring.embedded.reading.one_object import read_object
from functions.rating.measuring.embedded.reading.rows_read import agencies_refusal
from functions.rating.measuring.expected import value_of
from functions.rating.measuring.quarantine import BadRow, Quarantine, without_header
from functions.rating.measuring.spark.row_groups import RowGroups
from functions.rating.measuring.totals import RowsRead
from shared.content import canonical_json
from shared.errors import AgenciesInvalid, ObjectInvalid
from shared.months import Month

BAD = "bad.csv.gz"


@dataclass(frozen=True, slots=True)
class ObjectCounts:
    """The counts of one object or some of its row groups, stored next to its valid rows.

    ``examples``: for each reason the first bad rows, by number, with their values. ``invalid``: why the object can't be
    used. ``refused``: why it can't be an object of agencies.
    """

    dataset: Dataset
    key: str
    rows: int = 0
    bad: Mapping[str, int] | None = None
    skipped: Mapping[str, int] | None = None
    examples: Mapping[str, Sequence[tuple[int, str]]] | None = None
    invalid: str | None = None
    refused: str | None = None

    @classmethod
    def from_json(cls, text: str) -> ObjectCounts:
        stored = json.loads(text)
        return cls(**{**stored, "dataset": Dataset(stored["dataset"])})

    def as_json(self) -> str:
        return canonical_json(self)


def read_into(
    folder: Path,
    file: LocalFile,
    month: Month,
    zone: ZoneInfo,
    *,
    int96_is_utc: bool,
    groups: RowGroups | None = None,
) -> ObjectCounts:
    """Read one object: valid rows into ``folder`` as VALID, bad rows, if any, as BAD, which is a gzip member.

    An unusable object has neither. ``groups``: the row groups in the file, None for a whole object.
    """
    rows_before = groups.rows_before if groups else 0
    examples: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    refused: list[str] = []

    def add_bad_rows(found: Sequence[BadRow], positions: Mapping[str, int] | None) -> None:
        bad = [row._replace(row=rows_before + row.row) for row in found] if rows_before else found
        if bad and file.dataset is Dataset.AGENCIES:
            refused.append(agencies_refusal(file.key, bad[0], positions))
        quarantine.add(file.key, bad)
        for row in bad:
            first = examples[row.reason]
            if len(first) < EXAMPLES or row.row < first[-1][0]:
                insort(first, (row.row, value_of(row, positions)))
                del first[EXAMPLES:]

    path = folder / "quarantine"
    try:
        with Quarantine(path) as quarantine:
            read = read_object(file, month, zone, folder, add_bad_rows, int96_is_utc=int96_is_utc, whole=groups is None)
    except ObjectInvalid as error:
        return ObjectCounts(file.dataset, file.key, invalid=str(error))
    if path.exists():
        without_header(path, folder / BAD)
    return ObjectCounts(
        file.dataset,
        file.key,
        read.rows,
        {reason: count for reason, count in read.bad.items() if count},
        dict(read.skipped),
        examples,
        refused=refused[0] if refused else None,
    )


def raise_what_stops(counts: Iterable[ObjectCounts]) -> None:
    """Raise the same error as the embedded engine: AgenciesInvalid before ObjectInvalid, for all objects at once."""
    every = list(counts)
    refused = [of.refused for of in every if of.refused]
    if refused:
        raise AgenciesInvalid(refused[0])
    invalid = [of.invalid for of in every if of.invalid and of.dataset is not Dataset.PREVIOUS_CREATORS]
    if invalid:
        raise refusal(invalid)


def rows_read(counts: Sequence[ObjectCounts]) -> tuple[dict[Dataset, RowsRead], list[str]]:
    """The rows of each dataset, and faults of the previous month's creators, which are then left out.

    ``counts``: those of one object in the order of its rows.
    """
    warnings = sorted(of.invalid for of in counts if of.invalid)
    found: dict[Dataset, RowsRead] = {}
    for dataset in Dataset:
        some = [of for of in counts if of.dataset is dataset]
        if some and not (warnings and dataset is Dataset.PREVIOUS_CREATORS):
            found[dataset] = _together(some)
    return found, warnings


def _together(counts: Sequence[ObjectCounts]) -> RowsRead:
    bad, skipped = Counter[str](), Counter[str]()
    examples: defaultdict[str, list[str]] = defaultdict(list)
    for of in sorted(counts, key=lambda of: of.key):
        bad.update(of.bad or {})
        skipped.update(of.skipped or {})
        for reason, first in (of.examples or {}).items():
            examples[reason] += [f"{of.key}, row {row}: {value}" for row, value in first]
    shown = {reason: tuple(first[:EXAMPLES]) for reason, first in examples.items()}
    return RowsRead(sum(of.rows for of in counts), bad, skipped, shown)
