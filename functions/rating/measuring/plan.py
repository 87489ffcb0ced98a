"""The plan of a measurement: a month's objects, and the version of the code that reads them.

The measurement's id is computed from the plan. The sheet and its settings are not part of it, so a changed threshold
never measures again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib import metadata, resources
from importlib.resources.abc import Traversable
from zoneinfo import ZoneInfo

from functions.rating.extracts.datasets import Dataset
from functions.rating.extracts.download import DataObject
from functions.rating.extracts.inventory import Inventory
from shared.content import canonical_json, content_id
from shared.months import Month

_ROOMS = ("measuring", "extracts")  # the folders of the code that determines the totals


@dataclass(frozen=True, slots=True)
class Plan:
    """A measurement that every engine makes equally. ``reader``: the version of the code and its DuckDB."""

    month: str
    zone: str
    int96_is_utc: bool
    reader: str
    objects: tuple[DataObject, ...]

    @classmethod
    def of(cls, inventory: Inventory, zone: ZoneInfo, *, int96_is_utc: bool) -> Plan:
        """The plan of an inventory."""
        return cls(str(inventory.month), zone.key, int96_is_utc, reader_version(), inventory.all_objects)

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """The plan that ``as_json`` wrote."""
        plan = json.loads(text)
        objects = tuple(
            DataObject(
                Dataset(o["dataset"]),
                o["key"],
                o["etag"],
                o["size"],
                tuple((name, of) for name, of in o["key_columns"]),
            )
            for o in plan["objects"]
        )
        return cls(plan["month"], plan["zone"], plan["int96_is_utc"], plan["reader"], objects)

    def as_json(self) -> str:
        return canonical_json(self)

    @property
    def id(self) -> str:
        """The measurement's id. It does not depend on the bucket or the engine."""
        return content_id(self)

    @property
    def order_bytes(self) -> int:
        """The size of all order objects."""
        return sum(o.size for o in self.objects if o.dataset is Dataset.ORDERS)

    def inventory(self) -> Inventory:
        """The objects as an inventory."""
        previous = tuple(o for o in self.objects if o.dataset is Dataset.PREVIOUS_CREATORS)
        return Inventory(Month.parse(self.month), tuple(o for o in self.objects if o not in previous), previous)


@cache
def reader_version() -> str:
    """A digest of the code that reads and counts, and of the version of DuckDB. Also works within a zip."""
    digest = sha256(metadata.version("duckdb").encode())
    package = resources.files("functions.rating")
    for room in _ROOMS:
        for name, file in sorted(_files(package / room, room)):
            digest.update(name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def _files(folder: Traversable, name: str) -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    for entry in folder.iterdir():
        below = f"{name}/{entry.name}"
        if entry.is_dir():
            found += _files(entry, below)
        elif entry.name.endswith((".py", ".sql")):
            found.append((below, entry))
    return found
