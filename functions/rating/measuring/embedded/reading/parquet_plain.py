"""Copies a Parquet object with some columns declared as plain numbers and bytes, so that one bad value is one bad row.

DuckDB refuses a whole object for a text that is not UTF-8, or for a timestamp that it can't represent. The stored bytes
of a column do not depend on its declared meaning: in a copy with another footer, each value can be tested. A footer is
a Thrift struct in the compact protocol. Its field 2 lists the columns; the fields 6 (ConvertedType) and 10
(LogicalType) of a column declare what its numbers or bytes mean.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection
from pathlib import Path

from functions.rating.measuring.embedded.reading.parquet_end import END_BYTES, ended, footer_start
from functions.rating.measuring.embedded.reading.thrift import Reader, struct, structs

_COLUMNS, _NAME, _MEANINGS = 2, 4, (6, 10)


def copy_with_plain(path: Path, to: Path, columns: Collection[str]) -> None:
    """Copy an object without the meaning of these columns. Raises ValueError if the footer can't be read."""
    shutil.copyfile(path, to)
    with to.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - END_BYTES))
        start = footer_start(file.read(), size)
        file.seek(start)
        footer = _without_meanings(file.read(size - END_BYTES - start), columns)
        file.seek(start)
        file.write(ended(footer))
        file.truncate()


def _without_meanings(footer: bytes, columns: Collection[str]) -> bytes:
    reader = Reader(footer)
    try:
        for number, kind in reader.fields():
            if number != _COLUMNS:
                reader.skip(kind)
                continue
            start = reader.at
            nodes = structs([_node(node, columns) for node in reader.elements()])
            return footer[:start] + nodes + footer[reader.at :]
    except IndexError as error:
        raise ValueError("the footer is cut short") from error
    raise ValueError("the footer lists no columns")


def _node(node: bytes, columns: Collection[str]) -> bytes:
    """One column of the new footer."""
    fields = Reader(node).struct()
    name = next((Reader(field.value).text() for field in fields if field.number == _NAME), "")
    return struct(field for field in fields if name not in columns or field.number not in _MEANINGS)
