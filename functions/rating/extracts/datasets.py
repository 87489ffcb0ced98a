"""The three datasets of a month's extract: their columns, in the order of the contract, and how a header finds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from shared.errors import ObjectUnsound


class Kind(StrEnum):
    """What a column holds. END is a time that may be empty or 0: the binding goes on."""

    TEXT = "text"
    TIME = "time"
    END = "end"
    AMOUNT = "amount"
    POWER = "power"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the contract."""

    name: str
    kind: Kind
    required: bool = True


class Dataset(StrEnum):
    """What a file is part of. PREVIOUS_CREATORS is the creators extract of the month before."""

    AGENCIES = "agencies"
    CREATORS = "creators"
    ORDERS = "orders"
    PREVIOUS_CREATORS = "previous_creators"

    @property
    def columns(self) -> tuple[Column, ...]:
        return _COLUMNS[self]


_CREATORS = (
    Column("creator_id", Kind.TEXT),
    Column("agency_id", Kind.TEXT),
    Column("bind_time", Kind.TIME),
    Column("unbind_time", Kind.END, required=False),
    Column("power_level", Kind.POWER),
    Column("risk_tag", Kind.TEXT, required=False),
)
_COLUMNS = {
    Dataset.AGENCIES: (
        Column("agency_id", Kind.TEXT),
        Column("name", Kind.TEXT),
        Column("joined_at", Kind.TIME),
        Column("city", Kind.TEXT, required=False),
        Column("introduction", Kind.TEXT, required=False),
        Column("logo_url", Kind.TEXT, required=False),
    ),
    Dataset.CREATORS: _CREATORS,
    Dataset.PREVIOUS_CREATORS: _CREATORS,
    Dataset.ORDERS: (
        Column("order_id", Kind.TEXT),
        Column("creator_id", Kind.TEXT),
        Column("pay_time", Kind.TIME),
        Column("pay_amount", Kind.AMOUNT),
        Column("risk_tag", Kind.TEXT, required=False),
    ),
}


@dataclass(frozen=True, slots=True)
class LocalFile:
    """One object of the extract on local disk.

    ``stays``: the file is there until measuring ends; otherwise only until the next one is asked for.
    """

    dataset: Dataset
    key: str
    path: Path
    stays: bool = True


def located(header: Sequence[str], file: LocalFile) -> Mapping[str, int]:
    """Where each known column stands in a header, matched case-insensitively; unknown ones are ignored.

    Raises ObjectUnsound when a required column is absent or a known one is there twice.
    """
    names = [name.strip().lower() for name in header]
    places: dict[str, int] = {}
    for column in file.dataset.columns:
        if names.count(column.name) > 1:
            raise ObjectUnsound(
                f"{file.key}: column {column.name} is there {names.count(column.name)} times (letter case is ignored); "
                "expected it once. Have the extract written again with distinct column names."
            )
        if column.name in names:
            places[column.name] = names.index(column.name)
        elif column.required:
            raise ObjectUnsound(
                f"{file.key}: column {column.name} is missing; found {_shown(header)}. Expected a comma-separated "
                "header, or a Parquet schema, that names it. Have the extract written again."
            )
    return places


def _shown(header: Sequence[str]) -> str:
    text = ", ".join(repr(name) for name in header)
    return text if len(text) <= 300 else text[:300] + "…"
