"""The run record: the inputs of a run and its results. A run computed again has a record of the same bytes."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

from functions.rating.run.guardrails import Guardrail, Totals
from shared.content import canonical_json
from shared.items import Publication, reading, run_key, stored
from shared.levels import Removed
from shared.months import Month


@dataclass(frozen=True, slots=True)
class Input:
    """One object that the run read. Its ETag identifies its content."""

    dataset: str
    key: str
    etag: str
    size: int


@dataclass(frozen=True, slots=True)
class Compared:
    """The publication that a run was compared with."""

    month: str
    run: str

    @classmethod
    def to(cls, publication: Publication | None) -> Compared | None:
        return cls(publication.month, publication.run) if publication else None


@dataclass(frozen=True, slots=True)
class DataQuality:
    """What happened to every row.

    ``order_rows``: order rows by outcome. ``datasets``: rows, bad rows by reason, and other counters of each dataset.
    """

    order_rows: Mapping[str, int]
    datasets: Mapping[str, Any]
    excluded_creators: tuple[Removed, ...]
    excluded_orders: tuple[Removed, ...]


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run. ``levels`` and ``moves`` count agencies. Clock values are only in pointer and ledger.

    ``example_thresholds``: the run used the thresholds of the shipped example, which are invented.
    """

    run: str
    month: str
    rulebook: str
    rules_version: str
    compared_with: Compared | None
    inputs: tuple[Input, ...]
    agencies: int
    levels: Mapping[str, int]
    moves: Mapping[str, int]
    totals: Totals
    quality: DataQuality
    guardrails: tuple[Guardrail, ...]
    example_thresholds: bool = False

    @property
    def held(self) -> bool:
        """Whether an exceeded guardrail holds this run: a person has to accept it."""
        return any(guardrail.exceeded for guardrail in self.guardrails)

    @property
    def held_because(self) -> str | None:
        """The sentences of the exceeded guardrails that have one; None if there are none."""
        said = [f"{of.because.zh} {of.because.en}" for of in self.guardrails if of.because]
        return " ".join(said) or None


def expiry(month: Month, retention_months: int, zone: ZoneInfo) -> int:
    """Epoch second after which the table may delete a month's items."""
    return int(month.plus(retention_months).end(zone).timestamp())


_RECORD = TypeAdapter(RunRecord)


def record_item(record: RunRecord, expires_at: int) -> dict[str, Any]:
    """The record as an item, compressed: a month may have thousands of objects."""
    body = zlib.compress(canonical_json(record).encode())
    return stored(run_key(record.run), expires_at, record={"B": body})


def record_from(item: Mapping[str, Any]) -> RunRecord:
    """The record that an item holds. Raises ItemInvalid."""
    with reading(item):
        return _RECORD.validate_json(zlib.decompress(item["record"]["B"]))
