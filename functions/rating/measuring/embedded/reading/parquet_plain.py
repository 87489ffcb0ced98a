"""Copies a Parquet object with some columns declared as plain numbers and bytes, so that one bad value is one bad row.

DuckDB refuses a whole object for a text that is not UTF-8, or for a timestamp that it can't represent. The stored bytes
of a column do not depend on its declared meaning: in a copy with another footer, each value can be tested. A footer is
a Thrift struct in the compact protocol. Its field 2 lists the columns; the fields 6 (ConvertedType) and 10
(LogicalType) of a column declare what its numbers or bytes mean.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path

from functions.rating.measuring.embedded.reading.thrift import Reader, struct

_MAGIC = b"PAR1"
_COLUMNS, _NAME, _MEANINGS = 2, 4, (6, 10)


def copy_with_plain(path: Path, to: Path, columns: Collection[str]) -> None:
    """Copy an object without the meaning of these columns. Raises ValueError if the footer can't be read."""
    shutil.copyfile(path, to)
    with to.open("r+b") as file:
        end = file.seek(-8, 2)
        size = int.from_bytes(file.read(4), "little")
        if file.read() != _MAGIC or size > end - len(_MAGIC):
            raise ValueError("there is no footer at the end")
        file.seek(end - size)
        footer = _without_meanings(file.read(size), columns)
        file.seek(end - size)
        file.write(footer + len(footer).to_bytes(4, "little") + _MAGIC)
        file.truncate()


def _without_meanings(footer: bytes, columns: Collection[str]) -> bytes:
    reader = Reader(footer)
    try:
        for number, kind in reader.fields():
            if number != _COLUMNS:
                reader.skip(kind)
                continue
            start = reader.at
            count, _ = reader.list_header()
            nodes = footer[start : reader.at] + b"".join(_node(reader, columns) for _ in range(count))
            return footer[:start] + nodes + footer[reader.at :]
    except IndexError as error:
        raise ValueError("the footer is cut short") from error
    raise ValueError("the footer lists no columns")


def _node(reader: Reader, columns: Collection[str]) -> bytes:
    """One column of the new footer."""
    fields = reader.struct()
    name = next((Reader(field.value).text() for field in fields if field.number == _NAME), "")
    return struct(field for field in fields if name not in columns or field.number not in _MEANINGS)
