"""The rating function with its workbook in a Google Sheet: what it reads decides, what came of it is told there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from functions.rating.workbook.google import sheet, status_tab
from shared.errors import WorkbookFaulty, WorkbookUnavailable
from tests.cloud import Cloud, small_cloud
from tests.fakes.sheets import FakeSheets
from tests.workbooks import Workbook

KEY = "1AbC_dEf-example"


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> FakeSheets:
    """Google with the small workbook; connecting to it needs no identity."""
    google = FakeSheets()
    google.book(KEY, Workbook().tabs)
    for module in (sheet, status_tab):
        monkeypatch.setattr(module, "connect", lambda _: google.client())
    return google


@pytest.fixture
def cloud(tmp_path: Path, google: FakeSheets) -> Iterator[Cloud]:
    with small_cloud(tmp_path, WORKBOOK=f"gsheet:{KEY}") as cloud:
        cloud.put_month("2026-09", {"a": (12, 2_500_000), "b": (5, 150_000), "c": (1, 0), "d": (0, 0)})
        yield cloud


def status(google: FakeSheets) -> str:
    """All text of the status tab."""
    tab = next(tab for tab in google.books[KEY] if tab.properties["title"] in ("status", "状态"))
    return "\n".join(str(value) for row in tab.values() for value in row)


def test_a_month_is_rated_by_the_sheet_and_the_status_tab_says_so(cloud: Cloud, google: FakeSheets) -> None:
    assert cloud.rate({"month": "2026-09"})["outcome"] == "published"
    assert cloud.levels() == {"a": 3, "b": 2, "c": 1, "d": None}
    assert "levels published" in status(google)


def test_a_faulty_sheet_shows_its_faults_in_the_status_tab(cloud: Cloud, google: FakeSheets) -> None:
    google.tab(KEY, "thresholds").type_in(2, 3, "５")
    with pytest.raises(WorkbookFaulty):
        cloud.rate({"month": "2026-09"})
    assert "thresholds!D3" in status(google)
    assert cloud.items() == {}


def test_a_preview_says_in_the_sheet_who_would_move_and_by_which_metric(cloud: Cloud, google: FakeSheets) -> None:
    cloud.rate({"month": "2026-09"})
    google.tab(KEY, "thresholds").type_in(3, 4, 30000)
    google.tab(KEY, "cases").type_in(2, 2, 30000)
    cloud.rate({"month": "2026-09", "mode": "preview"})
    assert "Paid GMV: 25000.00 / 30000.00 yuan" in status(google)


def test_a_changed_threshold_is_pending_in_the_sheet_with_the_month_it_counts_from(
    cloud: Cloud, google: FakeSheets
) -> None:
    cloud.rate({"month": "2026-09"})
    google.tab(KEY, "thresholds").type_in(3, 4, 30000)
    google.tab(KEY, "cases").type_in(2, 2, 30000)
    assert cloud.rate({"mode": "refresh"})["outcome"] == "pending"
    assert "2026-10" in status(google)


def test_google_down_fails_the_run_and_writes_nothing(cloud: Cloud, google: FakeSheets) -> None:
    google.books.clear()
    with pytest.raises(WorkbookUnavailable):
        cloud.rate({"month": "2026-09"})
    assert cloud.items() == {}
