"""A month's totals as bytes that every engine writes equally: ``relations.json.gz``. Pure."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from typing import Any

from functions.rating.extracts.datasets import Dataset
from functions.rating.measuring.measured import Cause
from functions.rating.measuring.totals import (
    Agency,
    BindingCounts,
    CreatorTotal,
    Duplicates,
    MonthTotals,
    OrderTotal,
    RowsRead,
    SlotTotal,
)
from shared.content import canonical_json

SCHEMA = 1


def relations_of(totals: MonthTotals) -> bytes:
    """The totals as sorted JSON without the quarantine. Not compressed: versions of zlib compress differently."""
    return canonical_json(
        {
            "schema": SCHEMA,
            "rows_read": {dataset: _rows_read(read) for dataset, read in totals.rows_read.items()},
            "agencies": _sorted(totals.agencies),
            "orders": _sorted(totals.orders),
            "creators": _sorted(totals.creators),
            "slots": _sorted(totals.slots),
            "bindings": totals.bindings._asdict(),
            "duplicates": totals.duplicates._asdict(),
            "examples": totals.examples,
            "warnings": list(totals.warnings),
        }
    ).encode()


def totals_of(relations: bytes) -> MonthTotals:
    """The totals in such bytes, without a quarantine. Raises ValueError for another version."""
    stored = json.loads(relations)
    if stored.get("schema") != SCHEMA:
        raise ValueError(f"schema {stored.get('schema')}, expected {SCHEMA}")
    return MonthTotals(
        rows_read={Dataset(name): RowsRead(**read) for name, read in stored["rows_read"].items()},
        agencies=[Agency(*row) for row in stored["agencies"]],
        orders=[OrderTotal(*row) for row in stored["orders"]],
        creators=[CreatorTotal(*row) for row in stored["creators"]],
        slots=[SlotTotal(*row) for row in stored["slots"]],
        bindings=BindingCounts(**stored["bindings"]),
        duplicates=Duplicates(**stored["duplicates"]),
        quarantine=None,
        examples={Cause(cause): tuple(shown) for cause, shown in stored["examples"].items()},
        warnings=tuple(stored["warnings"]),
    )


def packed(content: bytes) -> bytes:
    """Compressed, without a time in the header."""
    return gzip.compress(content, mtime=0)


def _rows_read(read: RowsRead) -> Mapping[str, Any]:
    examples = {reason: list(shown) for reason, shown in read.examples.items()}
    return {"rows": read.rows, "bad": dict(read.bad), "skipped": dict(read.skipped), "examples": examples}


def _sorted(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(rows, key=lambda row: tuple((value is not None, value) for value in row))
