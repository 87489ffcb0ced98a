"""Reads the header of a CSV object: the names of its columns."""

from __future__ import annotations

import csv

from functions.rating.extracts.formats import looks_like_gbk, refuse_other
from shared.errors import ObjectInvalid

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def names_in(line: bytes, key: str) -> list[str]:
    """The column names in a header line. Raises ObjectInvalid."""
    refuse_other(line, key)
    try:
        return next(csv.reader([line.rstrip(b"\r").decode()], strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        hint = " It looks like GBK: save the file as UTF-8." if looks_like_gbk(line) else ""
        raise ObjectInvalid(
            f"{key}: the header can't be read ({error}); found {line[:200]!r}, expected comma-separated names in "
            f"UTF-8.{hint} Have the extract written again."
        ) from error
