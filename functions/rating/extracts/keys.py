"""Reads an object's key below the month's folder: whether it is data, and the columns whose values it contains."""

from __future__ import annotations

import re
from enum import StrEnum
from urllib.parse import unquote

from functions.rating.extracts.datasets import Dataset

KeyColumns = tuple[tuple[str, str | None], ...]

_HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"
_NO_DATA = re.compile(
    r"(?i)_\$folder\$$|^~\$|^manifest$|\.(crc|crc32|md5|sha1|sha256|sha512)$"
    r"|^(md5|sha1|sha256)sums?(\.txt)?$|^checksums?(\.txt)?$"
)
_OF_OTHER_TOOLS = re.compile(
    r"(?i)manifest(\.json)?$"  # Redshift: of any prefix, without an extension
    r"|^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(-manifest\.csv|\.(csv|txt)\.metadata)$"  # Athena: of a query's id
    r"|\.etag$|^thumbs\.db$|^desktop\.ini$"
)


class Use(StrEnum):
    """What is done with an object, decided by its name."""

    DATA = "data"
    PASSED_OVER = "passed over"
    UNREAD = "unread"


class FolderUnknown(Exception):
    """A nested folder is not ``column=value`` of a known column."""


def use_of(name: str) -> Use:
    """What is done with an object of this name below the month's folder.

    PASSED_OVER: names that the contract excludes; no message. These are files and folders of Spark and Hive (``_``,
    ``.``), folder markers, Excel's lock files, ``manifest`` and checksums. UNREAD: other names that are not data; a
    message says so. DATA: every other name.
    """
    *_, last = parts = name.split("/")
    if not last or any(part.startswith(("_", ".")) for part in parts) or _NO_DATA.search(last):
        return Use.PASSED_OVER
    return Use.UNREAD if _OF_OTHER_TOOLS.search(last) else Use.DATA


def columns_of_key(dataset: Dataset, name: str) -> KeyColumns:
    """The columns whose values are in a key, as Spark's ``partitionBy`` and Hive write them: ``risk_tag=x/``.

    None is Hive's null. Raises FolderUnknown for any other folder.
    """
    known = {column.name for column in dataset.columns}
    columns: dict[str, str | None] = {}
    for folder in name.split("/")[:-1]:
        column, equals, value = folder.partition("=")
        column = column.lower()
        if not equals or column not in known or column in columns:
            raise FolderUnknown(folder)
        columns[column] = None if value == _HIVE_NULL else unquote(value)
    return tuple(columns.items())
