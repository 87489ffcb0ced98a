"""Sorts the objects below a month's folder of a dataset: which are read, which are faults, which are passed over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from functions.rating.extracts.datasets import Dataset
from functions.rating.extracts.keys import FolderUnknown, KeyColumns, Use, columns_of_key, use_of

READY = "_SUCCESS"


@dataclass(slots=True)
class MonthFolder:
    """A month's folder, sorted out.

    ``data``: the objects to read, by name, each with the columns whose values are in its name. ``faults``: objects in
    folders that are no column, or that there is no data. ``unread``: objects that are not read but may be data.
    ``found``: the number of all these objects.
    """

    ready: bool
    found: int = 0
    data: dict[str, KeyColumns] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


def sorted_out(dataset: Dataset, url: str, prefix: str, sizes: Mapping[str, int]) -> MonthFolder:
    """The objects below a month's folder, sorted.

    ``url``: of the folder, for messages. ``prefix``: of the objects' keys. ``sizes``: bytes of each object, by its name
    below the folder.
    """
    folder = MonthFolder(READY in sizes)
    for name, size in sorted(sizes.items()):
        use = Use.UNREAD if size and name.endswith("/") else use_of(name)
        folder.found += use is not Use.PASSED_OVER
        if use is Use.UNREAD:
            folder.unread.append(
                f"{prefix}{name}: not read, since its name is one that other tools give to what is no data. If it is "
                "data, give it another name; if not, move it away or give it a name that begins with _ or ."
            )
        elif use is Use.DATA:
            try:
                folder.data[name] = columns_of_key(dataset, name)
            except FolderUnknown as unknown:
                folder.faults.append(
                    f"{prefix}{name}: lies in the folder {unknown}/, which is no column of {dataset.folder}; expected "
                    f"objects in {url} itself, or in folders such as risk_tag=x/. If it is data, move it there; if "
                    "not, move it away or give the folder a name that begins with _ or ."
                )
    if not folder.data and not folder.faults:
        has = f"has {READY} but no data" if folder.ready else "has no data"
        folder.faults.append(
            f"{url} {has}; expected at least one object. An extract without rows is an object with a header only: have "
            "it written again."
        )
    return folder
