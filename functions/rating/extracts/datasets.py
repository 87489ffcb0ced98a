"""The datasets of a month's extract: their columns in the order of the contract, and how a header is matched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from shared.errors import ObjectInvalid

FORMATS_PAGE = "See docs/extracts.en.md (中文：docs/extracts.zh.md)."


class Kind(StrEnum):
    """What a column holds. END is a time that may be empty or 0: the binding has not ended."""

    TEXT = "text"
    TIME = "time"
    END = "end"
    AMOUNT = "amount"
    POWER = "power"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the contract. ``multiline``: its text may contain line breaks."""

    name: str
    kind: Kind
    required: bool = True
    multiline: bool = False


class Dataset(StrEnum):
    """A dataset of the extract. PREVIOUS_CREATORS is the creators extract of the month before."""

    AGENCIES = "agencies"
    CREATORS = "creators"
    ORDERS = "orders"
    PREVIOUS_CREATORS = "previous_creators"

    @property
    def columns(self) -> tuple[Column, ...]:
        return _COLUMNS[self]

    @property
    def folder(self) -> str:
        """The folder that contains this dataset: PREVIOUS_CREATORS are in the folder of creators."""
        return "creators" if self is Dataset.PREVIOUS_CREATORS else self.value


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
        Column("name", Kind.TEXT, multiline=True),
        Column("joined_at", Kind.TIME),
        Column("city", Kind.TEXT, required=False, multiline=True),
        Column("introduction", Kind.TEXT, required=False, multiline=True),
        Column("logo_url", Kind.TEXT, required=False, multiline=True),
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
    """One object of the extract on the local disk.

    ``stays``: the file exists until measuring ends; otherwise only until the next file is requested. ``key_columns``:
    columns whose values are in the object's key (None is null). ``to_come``: bytes of the dataset's objects after this
    one, None if unknown.
    """

    dataset: Dataset
    key: str
    path: Path
    stays: bool = True
    key_columns: tuple[tuple[str, str | None], ...] = ()
    to_come: int | None = None


def located(header: Sequence[str], file: LocalFile) -> Mapping[str, int]:
    """The position of each known column in a header. Letter case and unknown columns are ignored.

    Raises ObjectInvalid, naming all missing required columns, or a column that appears twice (in the header, or in
    header and key).
    """
    names = [name.strip().lower() for name in header]
    in_key = {name for name, _ in file.key_columns}
    positions: dict[str, int] = {}
    missing: list[str] = []
    for column in file.dataset.columns:
        if names.count(column.name) + (column.name in in_key) > 1:
            raise ObjectInvalid(
                f"{file.key}: column {column.name} is there {names.count(column.name)} times (letter case is ignored)"
                f"{' and in the key' if column.name in in_key else ''}; expected it once. Have the extract written "
                "again with distinct column names."
            )
        if column.name in names:
            positions[column.name] = names.index(column.name)
        elif column.required and column.name not in in_key:
            missing.append(column.name)
    if missing:
        what = f"column {missing[0]} is missing" if len(missing) == 1 else f"columns {', '.join(missing)} are missing"
        raise ObjectInvalid(
            f"{file.key}: {what}; found {_shown(header)}. Expected a comma-separated header, or a Parquet schema, that "
            f"names every required column. Have the extract written again."
        )
    return positions


def _shown(header: Sequence[str]) -> str:
    text = ", ".join(repr(name) for name in header)
    return text if len(text) <= 300 else text[:300] + "…"
