"""Excel files for tests: from cells, or with changed XML as other programs write it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import openpyxl

SHEET = "xl/worksheets/sheet1.xml"


def excel(
    tabs: Mapping[str, Sequence[Sequence[object]]],
    merged: Mapping[str, Sequence[tuple[int, int, int, int]]] = MappingProxyType({}),
) -> bytes:
    """An .xlsx file with these tabs; texts that begin with = are formulas, without stored values.

    ``merged``: areas of merged cells, as half-open rows and columns from 0.
    """
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title, rows in tabs.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
        for top, bottom, left, right in merged.get(title, ()):
            sheet.merge_cells(start_row=top + 1, end_row=bottom, start_column=left + 1, end_column=right)
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def rewritten(content: bytes, change: Callable[[str], str], member: str = SHEET) -> bytes:
    """The file with one member of its zip changed. Fails if the change makes no difference."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            body = old.read(name)
            if name == member:
                text = body.decode()
                body = change(text).encode()
                assert body != text.encode(), f"{member} is not changed"
            new.writestr(name, body)
    return packed.getvalue()


def stored(content: bytes, formula: str, cell: str) -> bytes:
    """The file with a formula's stored value, as Excel saves it. ``cell``: the cell's XML with {} for the formula."""
    escaped = formula.replace('"', "&quot;")

    def put(text: str) -> str:
        for written in (formula, escaped):
            start = text.find(f"<f>{written}</f>")
            if start >= 0:
                begin, end = text.rfind("<c ", 0, start), text.find("</c>", start) + 4
                address = text[begin:].split('"')[1]
                return text[:begin] + cell.format(f'r="{address}"', f"<f>{written}</f>") + text[end:]
        return text

    return rewritten(content, put)
