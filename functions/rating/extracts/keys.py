"""What an object's key says, below the month's folder: whether it is data, and which columns' values it holds."""

from __future__ import annotations

import re
from urllib.parse import unquote

from functions.rating.extracts.datasets import Dataset

KeyColumns = tuple[tuple[str, str | None], ...]

_HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"
_NO_DATA = re.compile(
    r"(?i)_\$folder\$$|^~\$|manifest(\.(json|csv|txt|gz))*$|\.(crc|crc32|md5|sha1|sha256|sha512|etag|metadata)$"
    r"|^(md5|sha1|sha256)sums?(\.txt)?$|^checksums?(\.txt)?$|^thumbs\.db$|^desktop\.ini$"
)


class FolderUnknown(Exception):
    """A nested folder is no ``column=value`` of a known column."""


def is_data(name: str) -> bool:
    """Whether a name below the month's folder is data.

    Not: Spark's and Hive's own files and folders (``_``, ``.``), folder markers, Excel's lock files, manifests of
    Redshift and Athena, checksums.
    """
    *_, last = parts = name.split("/")
    return bool(last) and not any(part.startswith(("_", ".")) for part in parts) and not _NO_DATA.search(last)


def columns_of_key(dataset: Dataset, name: str) -> KeyColumns:
    """The columns whose values stand in a name, as Spark's ``partitionBy`` and Hive write them: ``risk_tag=x/``.

    None is Hive's word for null. Raises FolderUnknown for any other folder.
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
