"""The rating function with its workbook in a Google Sheet: it reads the rules there and shows the results there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.errors import MonthNotOver, WorkbookFaulty, WorkbookUnavailable
from shared.items import rulebook_key
from tests.cloud import Cloud
from tests.fakes.sheets import FakeSheets
from tests.sheet_cloud import KEY, cloud_of_the_sheet, google_without_identity
from tests.workbooks import DESCRIPTION, Workbook


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> FakeSheets:
    """Google with the small workbook; connecting to it needs no identity."""
    return google_without_identity(monkeypatch)


@pytest.fixture
def cloud(tmp_path: Path, google: FakeSheets) -> Iterator[Cloud]:
    with cloud_of_the_sheet(tmp_path) as cloud:
        yield cloud


def status(google: FakeSheets) -> str:
    """All text of the status tab."""
    tab = next(tab for tab in google.books[KEY] if tab.properties["title"] in ("status", "状态"))
    return "\n".join(str(value) for row in tab.values() for value in row)


def links(google: FakeSheets) -> list[str]:
    """The links in the cells of the status tab."""
    tab = next(tab for tab in google.books[KEY] if tab.properties["title"] in ("status", "状态"))
    formats = (cell["userEnteredFormat"]["textFormat"] for cell in tab.cells.values() if "userEnteredFormat" in cell)
    return [shown["link"]["uri"] for shown in formats if "link" in shown]


def test_a_month_is_rated_with_the_sheets_rules_and_the_status_tab_says_so(cloud: Cloud, google: FakeSheets) -> None:
    assert cloud.rate({"month": "2026-09"})["outcome"] == "published"
    assert cloud.levels() == {"a": 3, "b": 2, "c": 1, "d": None}
    assert "levels published" in status(google)


def test_a_faulty_sheet_shows_its_faults_in_the_status_tab(cloud: Cloud, google: FakeSheets) -> None:
    google.tab(KEY, "thresholds").type_in(2, 3, "５")
    with pytest.raises(WorkbookFaulty):
        cloud.rate({"month": "2026-09"})
    assert "thresholds!D3" in status(google)
    assert cloud.table.pointer().publications == {}


def test_a_faulty_sheet_shows_the_changes_of_its_other_rows(cloud: Cloud, google: FakeSheets) -> None:
    cloud.rate({"month": "2026-09"})
    google.tab(KEY, "thresholds").type_in(2, 3, "５")
    google.tab(KEY, "levels").type_in(1, 1, "Copper")
    with pytest.raises(WorkbookFaulty):
        cloud.rate({"mode": "refresh"})
    assert "levels!B2\nlevel 1 · name\nBronze\nCopper\nnext morning" in status(google)


def test_prepared_changes_stay_in_the_status_tab_after_every_kind_of_event(cloud: Cloud, google: FakeSheets) -> None:
    """Also after an event that does not read the sheet: then the rules in force say what is prepared."""
    for row, cells in enumerate(Workbook().tabs["thresholds"][1:], start=5):
        for column, value in enumerate(["2027-01", *cells[1:]]):
            google.tab(KEY, "thresholds").type_in(row, column, value)
    google.tab(KEY, "thresholds").type_in(7, 4, 30000)
    prepared = "prepared for\nrating month 2027-01, published on 2027-02-03"
    run = cloud.rate({"month": "2026-09"})["run"]
    for event in ({"mode": "check"}, {"month": "2026-09"}, {"month": "2026-09", "repair": True}):
        assert prepared in status(google)
        cloud.rate(event)
    assert (prepared in status(google), "3 → 2" in status(google)) == (True, True)
    assert cloud.table.pointer().current().run == run


def test_a_preview_shows_the_movers_and_their_metrics_in_the_sheet(cloud: Cloud, google: FakeSheets) -> None:
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


def test_if_google_is_down_the_run_fails_and_publishes_nothing(cloud: Cloud, google: FakeSheets) -> None:
    google.books.clear()
    with pytest.raises(WorkbookUnavailable):
        cloud.rate({"month": "2026-09"})
    assert cloud.table.pointer().publications == {}


def test_the_status_tab_names_each_change_with_its_cell_and_from_when_it_counts(
    cloud: Cloud, google: FakeSheets
) -> None:
    cloud.rate({"month": "2026-09"})
    google.tab(KEY, "thresholds").type_in(3, 4, 30000)
    google.tab(KEY, "cases").type_in(2, 2, 30000)
    cloud.rate({"mode": "check"})
    text = status(google)
    assert "thresholds!E4\nlevel 3 · channel 1 · Paid GMV\n20000.50\n30000.00\nfrom rating month 2026-10" in text


def test_the_status_tab_is_updated_after_a_decision_and_after_a_failed_run(cloud: Cloud, google: FakeSheets) -> None:
    first = cloud.rate({"month": "2026-09"})["run"]
    cloud.put_month("2026-09", {"a": (12, 2_500_000)})
    second = cloud.rate({"month": "2026-09"})["run"]
    assert second in status(google)
    cloud.rate({"rollback": first, "by": "Li", "reason": "checked"})
    assert "rolled back" in status(google)
    assert first in status(google)
    with pytest.raises(MonthNotOver):
        cloud.rate({"month": "2099-01"})
    assert "month 2099-01 ends at" in status(google)


def test_the_status_tab_says_that_the_workbook_could_not_be_read(cloud: Cloud, google: FakeSheets) -> None:
    google.trouble.append({"code": 403, "message": "The caller does not have permission"})
    with pytest.raises(WorkbookUnavailable):
        cloud.rate({"mode": "check"})
    assert "failed, nothing was published" in status(google)
    assert "it is not shared with" in status(google)


def test_the_status_tab_shows_a_held_run_until_somebody_has_decided(cloud: Cloud, google: FakeSheets) -> None:
    cloud.rate({"month": "2026-09"})
    google.tab(KEY, "settings").type_in(2, 0, "max_changed_share")
    google.tab(KEY, "settings").type_in(2, 1, 0.1)
    cloud.put_month("2026-10", {"a": (12, 2_500_000), "b": (1, 0), "c": (1, 0), "d": (0, 0)})
    held = cloud.rate({"month": "2026-10"})["run"]
    for event in ({"month": "2026-10"}, {"mode": "check"}):
        cloud.rate(event)
        text = status(google)
        assert f"run {held} of 2026-10, held since" in text
        assert "agencies whose level changes\n10 %\n25 %\nexceeded" in text
        assert "2 → 1\nPaid GMV: 0.00 / 1000.00 yuan" in text
        assert any(f"run%3D{held}/report.html?X-Amz-Algorithm=AWS4" in link for link in links(google))
    cloud.rate({"accept": held, "by": "Li", "reason": "a campaign ended"})
    text = status(google)
    assert "waits for a decision" not in text
    assert "accepted\n2026-10\n" + held + "\nLi\na campaign ended" in text


def versions(google: FakeSheets) -> list[list[str]]:
    """The rows of the versions tab, without its title and header."""
    tab = next(tab for tab in google.books[KEY] if tab.properties["title"] in ("versions", "版本"))
    return [[str(cell or "") for cell in row] for row in tab.values()][2:]


def test_the_versions_tab_lists_each_version_with_its_month_and_its_changes(cloud: Cloud, google: FakeSheets) -> None:
    first = cloud.rate({"month": "2026-09"})["rulebook"]
    assert [row[:1] + row[2:4] for row in versions(google)] == [[f"{first} (in force)", "2026-09", "the first"]]
    google.tab(KEY, "levels").type_in(1, 1, "Copper")
    second = cloud.rate({"mode": "refresh"})["rulebook"]
    google.tab(KEY, "thresholds").type_in(3, 4, 21000)
    google.tab(KEY, "cases").type_in(2, 2, 21000)
    cloud.put_month("2026-10", {"a": (12, 2_500_000)})
    third = cloud.rate({"month": "2026-10"})["rulebook"]
    assert [row[:1] + row[2:] for row in versions(google)] == [
        [f"{third} (in force)", "2026-10", "2 changes"],
        ["", "thresholds", "level 3 · channel 1 · Paid GMV", "20000.50", "21000.00"],
        ["", "cases", "big · Paid GMV", "20000.50", "21000.00"],
        [second, "2026-09", "1 changes"],
        ["", "levels", "level 1 · name", "Bronze", "Copper"],
        [first, "2026-09", "the first"],
    ]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", row[1]) for row in versions(google) if row[0])


def test_a_rollback_shows_which_version_is_in_force_again(cloud: Cloud, google: FakeSheets) -> None:
    published = cloud.rate({"month": "2026-09"})
    google.tab(KEY, "thresholds").type_in(3, 4, 21000)
    google.tab(KEY, "cases").type_in(2, 2, 21000)
    held = cloud.rate({"month": "2026-09"})
    cloud.rate({"accept": held["run"], "by": "Li", "reason": "meant"})
    cloud.rate({"rollback": published["run"], "by": "Li", "reason": "not meant"})
    assert [row[0] for row in versions(google) if row[0]] == [
        held["rulebook"],
        f"{published['rulebook']} (in force)",
    ]


def test_a_version_that_is_no_longer_stored_is_still_listed(cloud: Cloud, google: FakeSheets) -> None:
    first = cloud.rate({"month": "2026-09"})["rulebook"]
    google.tab(KEY, "levels").type_in(1, 1, "Copper")
    second = cloud.rate({"mode": "refresh"})["rulebook"]
    cloud.table.client.delete_item(TableName=cloud.table.name, Key=rulebook_key(first))
    google.tab(KEY, "levels").type_in(1, 1, "Tin")
    third = cloud.rate({"mode": "refresh"})["rulebook"]
    assert [row[:1] + row[2:4] for row in versions(google) if row[0]] == [
        [f"{third} (in force)", "2026-09", "1 changes"],
        [second, "2026-09", "one of the two is no longer stored"],
        [first, "2026-09", "the first"],
    ]


def test_the_versions_tab_of_a_chinese_sheet_is_chinese(cloud: Cloud, google: FakeSheets) -> None:
    for title, tab in ((title, google.tab(KEY, title)) for title in Workbook().tabs):
        tab.properties["title"] = DESCRIPTION.tab(title).zh
    first = cloud.rate({"month": "2026-09"})["rulebook"]
    assert [row[:1] + row[2:4] for row in versions(google)] == [[f"{first} （生效中）", "2026-09", "首个版本"]]


def test_a_sheet_that_is_shared_only_for_reading_can_be_rated(cloud: Cloud, google: FakeSheets) -> None:
    google.refuse_changes = {"code": 403, "message": "The caller does not have permission"}
    assert cloud.rate({"month": "2026-09"})["outcome"] == "published"
    assert [tab.properties["title"] for tab in google.books[KEY]] == [*Workbook().tabs]


def numbers(google: FakeSheets, chart: dict[str, Any]) -> list[tuple[Any, Any]]:
    """The labels and numbers of a chart of the distribution tab."""
    bars = chart["spec"]["basicChart"]
    sources = [bars["domains"][0]["domain"], bars["series"][0]["series"]]
    rows = google.tab(KEY, "distribution").values()
    columns = [
        [rows[at][area["startColumnIndex"]] for at in range(area["startRowIndex"], area["endRowIndex"])]
        for area in (source["sourceRange"]["sources"][0] for source in sources)
    ]
    return list(zip(*columns, strict=True))


def test_the_distribution_tab_has_a_chart_and_the_near_agencies_of_each_metric(
    cloud: Cloud, google: FakeSheets
) -> None:
    google.tab(KEY, "thresholds").type_in(2, 4, 1450)
    google.tab(KEY, "thresholds").type_in(3, 4, 20000.5)
    cloud.rate({"month": "2026-09"})
    creators, gmv = google.tab(KEY, "distribution").charts
    assert creators["spec"]["title"] == "Creators (creators) · 2026-09 · 4 agencies"
    assert numbers(google, creators) == [("0 – 1", 1), ("1 – 2", 1), ("2 – 5", 0), ("5 – 10", 1), ("10 – 20", 1)]
    assert ("1,000 – 2,000", 1) in numbers(google, gmv)
    rows = google.tab(KEY, "distribution").values()
    assert ["level 2 · channel 1: 1,450", 2, 0, 1, 0, 1] in rows
    assert ["threshold", "met by", "up to 5 % below", "up to 5 % above", "up to 10 % below", "up to 10 % above"] in rows
    assert ["with this threshold", "agencies would meet it"] in rows
    cloud.rate({"month": "2026-09", "mode": "preview"})
    assert len(google.tab(KEY, "distribution").charts) == 2
    cloud.rate({"mode": "check"})
    assert google.tab(KEY, "distribution").values() == rows
