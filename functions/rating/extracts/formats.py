"""Recognizes an object's format by its first bytes; the name is only a hint."""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from enum import StrEnum

from functions.rating.extracts.datasets import LocalFile
from shared.errors import ObjectInvalid

_FIRST = 512


class Format(StrEnum):
    """The formats that can be read."""

    PARQUET = "parquet"
    CSV = "csv"
    CSV_GZ = "csv.gz"


_READ = {b"PAR1": Format.PARQUET, b"\x1f\x8b": Format.CSV_GZ}
_REFUSED = {
    rb"PARE": "encrypted Parquet",
    rb"PK\x03\x04": "a zip archive, or an Excel workbook",
    rb"\xd0\xcf\x11\xe0": "an old Excel workbook",
    rb"ORC[^ -~]": "ORC",
    rb"Obj\x01": "Avro",
    rb"SEQ[\x00-\x1f]": "a Hadoop sequence file",
    rb"BZh\d1AY": "bzip2",
    rb"\x28\xb5\x2f\xfd": "zstd",
    rb"\xfd7zXZ": "xz",
    rb"7z\xbc\xaf": "7z",
    rb"\x04\x22\x4d\x18": "lz4",
    rb"\xff\x06\x00\x00sNaPpY": "snappy",
    rb"\xff\xfe|\xfe\xff": "text in UTF-16",
    rb"%PDF": "a PDF",
    rb"(?:\xef\xbb\xbf)?\s*[{\[]": "JSON",
    rb"(?:\xef\xbb\xbf)?\s*<": "HTML or XML",
    rb"[^\r\n]*\x00": "binary data",  # only in the header: a cell may contain any character
}
_FIX = (
    "expected Parquet, CSV or CSV in gzip, by the first bytes. Write the object again in one of these; if it is "
    "no data, remove it or give it a name that begins with _ or ."
)


def format_of(file: LocalFile) -> Format:
    """The format of a file. Raises ObjectInvalid, naming what the object is instead."""
    with file.path.open("rb") as content:
        return format_by(content.read(_FIRST), file.key)


def format_by(first: bytes, key: str) -> Format:
    """The format of an object that begins with these bytes. Raises ObjectInvalid, naming what it is instead."""
    if not first:
        raise ObjectInvalid(f"{key}: the object has zero bytes; expected at least a header. Upload it again.")
    found = next((read for magic, read in _READ.items() if first.startswith(magic)), None)
    if found is None:
        refuse_other(first, key)
    return found or Format.CSV


def refuse_other(first: bytes, key: str) -> None:
    """Raises ObjectInvalid if the first bytes belong to a format that is not read."""
    for pattern, what in _REFUSED.items():
        if re.match(pattern, first[:_FIRST]):
            raise ObjectInvalid(f"{key}: found {what}; {_FIX}")


def looks_like_gbk(text: bytes) -> bool:
    """Whether bytes that are not UTF-8 look like Chinese text in GBK or GB18030, perhaps cut off within a character."""
    try:
        characters = getincrementaldecoder("gb18030")().decode(text)
    except UnicodeDecodeError:
        return False
    return not text.isascii() and any("\u4e00" <= character <= "\u9fff" for character in characters)
