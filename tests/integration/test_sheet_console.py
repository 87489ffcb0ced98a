"""The console tab: people tick a box; the function reads the ticks, does what is asked, answers and unticks the box."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from functions.rating.publication import ledger
from functions.rating.sheet_console import LEASE, LEASE_KEY
from functions.rating.workbook.google import console_tab, sheet
from functions.rating.workbook.google.console_tab import RANGE
from local.commandline import UserMistake
from tests.cloud import Cloud
from tests.fakes.sheets import FakeSheets, Sheet
from tests.sheet_cloud import KEY, cloud_of_the_sheet, google_without_identity
from tests.workbooks import DESCRIPTION, ROOT, Workbook
from tools.sheet.__main__ import main
from tools.sheet.builder import FOR_APPROVERS, build

READ_TICKS = {"mode": "console"}
NOTHING = {"outcome": "nothing_asked"}
CHECK, PREVIEW, ACCEPT, ROLL_BACK = 1, 2, 3, 4
TICK, ABOUT, NAME, REASON, ANSWER = 1, 2, 3, 4, 5


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> FakeSheets:
    """Google with the small workbook and what `make sheet` adds to it; connecting needs no identity."""
    google = google_without_identity(monkeypatch)
    build(sheet.GoogleSheet(KEY, google.client()), DESCRIPTION, Workbook().raw(), "en")
    google.methods.clear()
    return google


@pytest.fixture
def cloud(tmp_path: Path, google: FakeSheets) -> Iterator[Cloud]:
    with cloud_of_the_sheet(tmp_path) as cloud:
        yield cloud


def console(google: FakeSheets) -> Sheet:
    return google.tab(KEY, "console")


def tick(google: FakeSheets, row: int, about: str = "", name: str = "", reason: str = "") -> None:
    """Fill in a row as a person does, and tick its box."""
    for column, text in ((ABOUT, about), (NAME, name), (REASON, reason)):
        console(google).type_in(row, column, text or None)
    console(google).type_in(row, TICK, True)


def row(google: FakeSheets, number: int) -> list[Any]:
    return console(google).values()[number]


def status(google: FakeSheets) -> list[list[Any]]:
    return google.tab(KEY, "status").values()


def choices(google: FakeSheets, number: int) -> list[str]:
    rule = console(google).cells[number, ABOUT].get("dataValidation", {"condition": {"values": []}})
    return [value["userEnteredValue"] for value in rule["condition"]["values"]]


def test_without_ticks_one_request_reads_the_tab_and_nothing_else_happens(cloud: Cloud, google: FakeSheets) -> None:
    assert cloud.rate(READ_TICKS) == NOTHING
    assert google.methods == ["sheets.spreadsheets.values.batchGet"]
    assert cloud.items() == {}


def test_reading_the_ticks_imports_no_engine() -> None:
    script = (
        "import os, sys, functions.rating.app as app\n"
        "from functions.rating.sheet_console import read_asks\n"
        "read_asks(app.wire_workbook(app.RatingSettings.from_environment(os.environ)))\n"
        "print([name for name in ('duckdb', 'numpy', 'openpyxl') if name in sys.modules])\n"
    )
    environment = {
        "TABLE_NAME": "t",
        "EXTRACTS": "s3://b/in",
        "REPORTS": "s3://b/out",
        "WORKBOOK": f"dir:{ROOT / 'config' / 'workbook'}",
        "AWS_DEFAULT_REGION": "us-east-1",
        "PYTHONPATH": str(ROOT),
    }
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True)
    assert ran.stdout.strip() == "[]"


def test_a_ticked_check_is_answered_in_its_row_and_in_the_status_tab(cloud: Cloud, google: FakeSheets) -> None:
    google.tab(KEY, "thresholds").type_in(2, 3, "５")
    tick(google, CHECK)
    assert cloud.rate(READ_TICKS)["answers"] == [{"ask": "check", "outcome": "checked", "by": ""}]
    assert row(google, CHECK)[TICK] is False
    assert "checked, nothing published" in row(google, CHECK)[ANSWER]
    assert "1 errors" in str(status(google)[0])
    assert cloud.rate(READ_TICKS) == NOTHING


def test_a_ticked_preview_of_a_faulty_sheet_says_so(cloud: Cloud, google: FakeSheets) -> None:
    google.tab(KEY, "thresholds").type_in(2, 3, "５")
    tick(google, PREVIEW, "2026-09")
    assert cloud.rate(READ_TICKS)["answers"][0]["outcome"] == "faulty"
    assert "the sheet has errors" in row(google, PREVIEW)[ANSWER]
    assert row(google, PREVIEW)[ABOUT] == "2026-09"


@pytest.mark.parametrize("month", ["", "2026-13", "next"])
def test_a_preview_without_a_valid_month_is_refused_with_the_reason(
    cloud: Cloud, google: FakeSheets, month: str
) -> None:
    tick(google, PREVIEW, month)
    assert cloud.rate(READ_TICKS)["answers"][0]["outcome"] == "refused"
    assert "YYYY-MM" in row(google, PREVIEW)[ANSWER]
    assert status(google)[0] == ["not done, see why"]


def held(cloud: Cloud, google: FakeSheets) -> str:
    """Publishes September, and returns a run of October that a guardrail holds."""
    cloud.rate({"month": "2026-09"})
    google.tab(KEY, "settings").type_in(2, 0, "max_changed_share")
    google.tab(KEY, "settings").type_in(2, 1, 0.1)
    cloud.put_month("2026-10", {"a": (12, 2_500_000), "b": (1, 0), "c": (1, 0), "d": (0, 0)})
    return str(cloud.rate({"month": "2026-10"})["run"])


def test_a_held_run_is_offered_and_accepted_and_the_ledger_has_name_and_reason(
    cloud: Cloud, google: FakeSheets
) -> None:
    run = held(cloud, google)
    assert choices(google, ACCEPT) == [f"2026-10 {run}"]
    tick(google, ACCEPT, f"2026-10 {run}", "Li", "a campaign ended")
    assert cloud.rate(READ_TICKS)["answers"] == [{"ask": "accept", "outcome": "published", "by": "Li"}]
    assert cloud.levels("2026-10")["b"] == 1
    last = list(ledger.entries(cloud.table, "2026-10"))[-1]
    assert (last.action, last.by, last.reason) == ("accepted", "Li", "a campaign ended")
    assert row(google, ACCEPT)[:5] == ["accept", False, "", "", ""]
    assert choices(google, ACCEPT) == []


def test_an_earlier_run_is_offered_and_rolled_back_to(cloud: Cloud, google: FakeSheets) -> None:
    first = cloud.rate({"month": "2026-09"})["run"]
    cloud.put_month("2026-09", {"a": (12, 2_500_000)})
    second = cloud.rate({"month": "2026-09"})["run"]
    assert choices(google, ROLL_BACK) == [f"2026-09 {first}"]
    tick(google, ROLL_BACK, f"2026-09 {first}", "Li", "half of the files")
    assert cloud.rate(READ_TICKS)["answers"][0]["outcome"] == "rolled_back"
    assert cloud.table.pointer().current().run == first
    assert choices(google, ROLL_BACK) == [f"2026-09 {second}"]


@pytest.mark.parametrize(
    ("name", "reason", "missing"), [("", "why", "name"), ("Li", "", "reason"), ("", "", "name, reason")]
)
def test_a_decision_without_name_or_reason_is_refused(
    cloud: Cloud, google: FakeSheets, name: str, reason: str, missing: str
) -> None:
    run = held(cloud, google)
    tick(google, ACCEPT, run, name, reason)
    cloud.rate(READ_TICKS)
    assert row(google, ACCEPT)[ANSWER].endswith(f"fill in {missing}, then tick again")
    assert row(google, ACCEPT)[ABOUT] == run
    assert "2026-10" not in cloud.table.pointer().publications


def test_a_run_that_is_not_held_cannot_be_accepted_and_the_row_says_why(cloud: Cloud, google: FakeSheets) -> None:
    run = held(cloud, google)
    cloud.put_month("2026-10", {"a": (12, 2_500_000), "b": (5, 150_000), "c": (1, 0), "d": (0, 0)})
    cloud.rate({"month": "2026-10"})
    tick(google, ACCEPT, run, "Li", "late")
    assert cloud.rate(READ_TICKS)["answers"][0]["outcome"] == "failed"
    assert "Nothing was published" in row(google, ACCEPT)[ANSWER]
    tick(google, ACCEPT, "0" * 20, "Li", "no such run")
    cloud.rate(READ_TICKS)
    assert "0" * 20 in row(google, ACCEPT)[ANSWER]


def test_two_people_who_tick_at_once_are_both_answered(cloud: Cloud, google: FakeSheets) -> None:
    run = held(cloud, google)
    tick(google, PREVIEW, "2026-10", "Wang")
    tick(google, ACCEPT, run, "Li", "fine")
    outcomes = [answer["outcome"] for answer in cloud.rate(READ_TICKS)["answers"]]
    assert outcomes == ["previewed", "published"]
    assert "previewed" in row(google, PREVIEW)[ANSWER]


def test_an_accept_during_a_run_is_done_and_the_run_ends_with_a_conflict(
    cloud: Cloud, google: FakeSheets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The accept comes after the run has read the pointer and before it publishes: only the accepted run is valid."""
    run = held(cloud, google)
    from functions.rating.commands import rate  # noqa: PLC0415 - what is replaced below

    real = rate.stage_run

    def stage_run_and_accept(services: Any, computed: Any) -> int:
        items = real(services, computed)
        monkeypatch.setattr(rate, "stage_run", real)
        tick(google, ACCEPT, run, "Li", "fine")
        assert cloud.rate(READ_TICKS)["answers"][0]["outcome"] == "published"
        return items

    monkeypatch.setattr(rate, "stage_run", stage_run_and_accept)
    google.tab(KEY, "settings").type_in(2, 1, 0.9)
    with pytest.raises(Exception, match="became valid while run"):
        cloud.rate({"month": "2026-10"})
    assert cloud.table.pointer().publications["2026-10"].run == run


def test_nothing_is_done_if_the_box_cannot_be_unticked(cloud: Cloud, google: FakeSheets) -> None:
    """A box is unticked first, so that another firing does not do the same again."""
    tick(google, CHECK)
    google.refuse_changes = {"code": 403, "message": "The caller does not have permission"}
    assert cloud.rate(READ_TICKS) == NOTHING
    assert "status" not in [tab.properties["title"] for tab in google.books[KEY]] or status(google) == []


@pytest.mark.parametrize("moment", ["read_asks", "claim"])
def test_two_firings_at_once_do_a_tick_once(
    cloud: Cloud, google: FakeSheets, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """The second firing comes when the first has read the ticks, or when it is about to remove them."""
    tick(google, PREVIEW, "2026-09")
    real, second = getattr(console_tab, moment), list[Any]()

    def with_another_firing(*arguments: Any) -> Any:
        monkeypatch.setattr(console_tab, moment, real)
        found = real(*arguments) if moment == "read_asks" else None
        second.append(cloud.rate(READ_TICKS))
        return found if moment == "read_asks" else real(*arguments)

    monkeypatch.setattr(console_tab, moment, with_another_firing)
    both = [cloud.rate(READ_TICKS), *second]
    assert sorted(answer["outcome"] for answer in both) == ["asked", "nothing_asked"]
    assert [len(answer["answers"]) for answer in both if "answers" in answer] == [1]
    assert "previewed" in row(google, PREVIEW)[ANSWER]


def test_the_lease_of_a_killed_firing_ends_after_minutes(cloud: Cloud, google: FakeSheets) -> None:
    tick(google, CHECK)
    for ends, outcome in ((datetime.now(UTC) + LEASE, "nothing_asked"), (datetime.now(UTC), "asked")):
        lease = LEASE_KEY | {"expires_at": {"N": str(int(ends.timestamp()))}}
        cloud.table.client.put_item(TableName=cloud.table.name, Item=lease)
        assert cloud.rate(READ_TICKS)["outcome"] == outcome


def test_without_the_tab_or_without_google_nothing_is_done(cloud: Cloud, google: FakeSheets) -> None:
    google.named[KEY].clear()
    assert cloud.rate(READ_TICKS) == NOTHING
    google.books.clear()
    assert cloud.rate(READ_TICKS) == NOTHING


def test_the_tab_may_be_renamed(cloud: Cloud, google: FakeSheets) -> None:
    console(google).properties["title"] = "控制台"
    google.tab(KEY, "控制台").type_in(PREVIEW, TICK, True)
    cloud.rate(READ_TICKS)
    assert "考核月应为" in str(google.tab(KEY, "控制台").values()[PREVIEW][ANSWER])


def test_only_approvers_may_edit_the_rows_of_decisions(google: FakeSheets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT", "levels@project.iam.gserviceaccount.com")
    for _ in range(2):
        assert main([KEY, "--approvers", "li@example.com, wang@example.com"], google.client()) == 0
    assert main([KEY], google.client()) == 0
    (protected,) = [one for one in console(google).protected if one.get("description") == FOR_APPROVERS]
    assert protected["editors"]["users"] == [
        "li@example.com",
        "wang@example.com",
        "levels@project.iam.gserviceaccount.com",
    ]
    assert (protected["range"]["startRowIndex"], protected["range"]["endRowIndex"]) == (ACCEPT, ROLL_BACK + 1)
    assert not protected["warningOnly"]


def test_approvers_without_the_systems_own_account_are_refused(
    google: FakeSheets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GOOGLE_SERVICE_ACCOUNT", raising=False)
    with pytest.raises(UserMistake, match="GOOGLE_SERVICE_ACCOUNT"):
        main([KEY, "--approvers", "li@example.com"], google.client())
    with pytest.raises(UserMistake, match="found Li"):
        main([KEY, "--approvers", "Li"], google.client())


def test_the_rows_have_tick_boxes_and_a_named_range(google: FakeSheets) -> None:
    boxes = [console(google).cells[number, TICK]["dataValidation"]["condition"] for number in range(1, 5)]
    assert boxes == [{"type": "BOOLEAN"}] * 4
    assert [one["name"] for one in google.named[KEY]] == [RANGE]
    assert [cells[0] for cells in console(google).values()] == ["what", "check", "preview", "accept", "roll back"]
