"""What a message says about a bad row: the wrong value, and what was expected instead."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping

from functions.rating.extracts.datasets import Column, Dataset, Kind
from functions.rating.extracts.formats import looks_like_gbk
from functions.rating.measuring.quarantine import BadRow

_SHOWN = 120
_COLUMNS = {column.name: column for dataset in Dataset for column in dataset.columns}
KINDS = {
    Kind.TEXT: "text in UTF-8, or a whole number that is exact (below 2^53 in DOUBLE, 2^24 in FLOAT)",
    Kind.TIME: "2026-10-05 12:00:00, 2026/10/5 9:03, ISO 8601 with or without a zone, or epoch seconds from 2000 on",
    Kind.END: "a time as in bind_time; empty, 0, NULL, None or 0000-00-00 00:00:00 while the binding goes on",
    Kind.AMOUNT: "a whole number of fen, such as 100 or 100.0, below 2^63 (2^53 in DOUBLE, 2^24 in FLOAT)",
    Kind.POWER: "a whole number from 0 to 7",
}
REASONS = {
    "wrong_column_count": "as many columns as the header has; put quotes around a field that contains a comma",
    "malformed_record": 'quotes around a field that contains a quote, that quote doubled (""), all on one line',
    "backslash_escape": "a quote doubled, not escaped with a backslash: in Spark option('escape', '\"') and "
    "option('quote', '\"'), in MySQL ESCAPED BY ''",
    "record_too_long": "at most a megabyte for each row",
    "invalid_utf8": "text in UTF-8",
    "unbind_before_bind": "an unbind_time that is not before the bind_time",
    "malformed_agency_id": "1 to 64 letters, digits, _ or -",
}


def expected(reason: str, *examples: str) -> str:
    """What was expected instead, by the reason of a bad row."""
    if reason == "invalid_utf8" and any(looks_like_gbk(_bytes(example)) for example in examples):
        return "text in UTF-8; it looks like GBK: save the file as UTF-8 (in Excel: CSV UTF-8)"
    if reason in REASONS:
        return REASONS[reason]
    column = _column(reason)
    if column is None:
        return "another value"
    if reason.startswith("newline_in_"):
        return f"{column.name} on one line"
    if reason.startswith("negative_"):
        return "0 or more"
    return KINDS[column.kind] + (", and never empty" if reason.startswith("missing_") else "")


def value_of(row: BadRow, positions: Mapping[str, int] | None) -> str:
    """The value that makes a row bad, or the row's text if the reason is not about one column."""
    column = _column(row.reason)
    if column is None:
        return repr(row.text[:_SHOWN])
    try:
        if positions is None:
            found = json.loads(row.text).get(column.name)
        else:
            found = next(csv.reader(row.text.splitlines(keepends=True)))[positions[column.name]]
    except (ValueError, LookupError, csv.Error, StopIteration):
        return repr(row.text[:_SHOWN])
    return repr(found)[:_SHOWN]


def _column(reason: str) -> Column | None:
    """The column of a reason."""
    name = re.sub(r"^(missing|unreadable|negative|newline_in)_|_out_of_range$", "", reason)
    return _COLUMNS.get(name) if name != reason else None


def _bytes(text: str) -> bytes:
    """The bytes of a text whose invalid bytes are written as ``\\xd0``."""
    return re.sub(rb"\\{1,2}x([0-9a-f]{2})", lambda found: bytes.fromhex(found[1].decode()), text.encode())
