"""The small cloud with a Google Sheet: the fake Google with the small workbook, and a month to rate."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from functions.rating.workbook.google import sheet, status_tab
from tests.cloud import Cloud, small_cloud
from tests.fakes.sheets import FakeSheets
from tests.workbooks import Workbook

KEY = "1AbC_dEf-example"


def google_without_identity(patch: pytest.MonkeyPatch) -> FakeSheets:
    """Google with the small workbook; connecting to it needs no identity."""
    google = FakeSheets()
    google.book(KEY, Workbook().tabs)
    for module in (sheet, status_tab):
        patch.setattr(module, "connect", lambda _: google.client())
    return google


@contextmanager
def cloud_of_the_sheet(folder: Path) -> Iterator[Cloud]:
    """The small cloud whose workbook is that sheet, with the extracts of September."""
    with small_cloud(folder, WORKBOOK=f"gsheet:{KEY}") as cloud:
        cloud.put_month("2026-09", {"a": (12, 2_500_000), "b": (5, 150_000), "c": (1, 0), "d": (0, 0)})
        yield cloud
