"""make diff and make pull, with versions of the workbook from files, S3, a Google Sheet and stored rulebooks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.rating.workbook.cells import RawTab, RawWorkbook
from functions.rating.workbook.folder import read_folder, write_folder
from local.commandline import UserMistake
from shared.content import canonical_json
from shared.errors import WorkbookUnavailable
from shared.levels import Rulebook
from tests.cloud import Cloud, small_cloud
from tests.excel_files import excel
from tests.fakes.sheets import FakeSheets
from tests.workbooks import ROOT, SMALL, Workbook
from tools import diff, pull
from tools.versions import Versions

EXAMPLE = str(ROOT / "config" / "workbook")


@pytest.fixture
def versions() -> Versions:
    return Versions("levels-rating")


@pytest.fixture(scope="module")
def beginning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with small_cloud(tmp_path_factory.mktemp("cloud")) as made:
        made.remember()
        yield made


@pytest.fixture
def cloud(beginning: Cloud) -> Cloud:
    return beginning.bring_back()


def lines_of(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def xlsx(folder: Path, name: str, book: Workbook | None = None) -> str:
    path = folder / name
    path.write_bytes(excel((book or Workbook()).tabs))
    return str(path)


def rulebook(versions: Versions, name: str) -> Rulebook:
    return versions.find(name).rulebook


# --- make diff --------------------------------------------------------------------------------------------------------


def test_each_change_between_two_files_is_a_line_with_its_cell(
    tmp_path: Path, versions: Versions, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = Workbook().put("thresholds!E3", 1200).put("benefits!G2", None)
    assert diff.main([xlsx(tmp_path, "a.xlsx"), xlsx(tmp_path, "b.xlsx", changed)], versions) == 0
    first, second, count, *changes = lines_of(capsys)
    assert first.split()[0] == "A"
    assert second.split()[0] == "B"
    assert first.split()[1] != second.split()[1]
    assert count == "2 处改动 changes"
    assert changes == [
        "thresholds!E3  2 级 · 通道 1 · Paid GMV (level 2 · channel 1 · Paid GMV)  1000.00 → 1200.00",
        "benefits!G2  Contact · 3 级 (Contact · level 3)  ✓ → –",
    ]


def test_the_same_rules_in_another_form_are_no_change(
    tmp_path: Path, versions: Versions, capsys: pytest.CaptureFixture[str]
) -> None:
    pull.main([xlsx(tmp_path, "a.xlsx"), str(tmp_path / "folder")], versions)
    diff.main([str(tmp_path / "a.xlsx"), str(tmp_path / "folder")], versions)
    assert lines_of(capsys)[-1] == "内容相同 the same rulebook"


def test_rulebooks_that_were_in_force_are_compared_by_their_ids(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.put_month("2026-09", {"a": (1, 0)})
    first = cloud.rate({"month": "2026-09"})["rulebook"]
    cloud.write_workbook(tips="metric,tip,link\ngmv,直播更多,\n")
    second = cloud.rate({"mode": "refresh"})["rulebook"]
    versions = Versions("levels-rating", table=cloud.table)
    lines_of(capsys)  # removes the lines of the log
    diff.main([first, second], versions)
    assert lines_of(capsys)[2:] == [
        "2 处改动 changes",
        "提升建议  gmv  建议 多开播 / stream more → –",
        "提升建议  gmv  – → 建议 直播更多",
    ]
    diff.main([second, str(cloud.workbook)], versions)
    assert lines_of(capsys)[-1] == "内容相同 the same rulebook"
    with pytest.raises(UserMistake, match="it is not, or no longer, stored"):
        diff.main([first, "0" * 20], versions)


def test_two_versions_of_one_file_in_s3_are_compared(
    cloud: Cloud, versions: Versions, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.s3.put_bucket_versioning(Bucket="extracts", VersioningConfiguration={"Status": "Enabled"})
    names = []
    for gmv in (1000, 1200):
        body = excel(Workbook().put("thresholds!E3", gmv).tabs)
        version = cloud.s3.put_object(Bucket="extracts", Key="book/levels.xlsx", Body=body)["VersionId"]
        names.append(f"s3://extracts/book/levels.xlsx?versionId={version}")
    diff.main(names, versions)
    assert lines_of(capsys)[-1].endswith("1000.00 → 1200.00")
    diff.main([names[1], "s3://extracts/book/levels.xlsx"], versions)
    assert lines_of(capsys)[-1] == "内容相同 the same rulebook"
    with pytest.raises(WorkbookUnavailable, match=r"versionId=gone can't be read"):
        diff.main([names[0], "s3://extracts/book/levels.xlsx?versionId=gone"], versions)


@pytest.mark.parametrize(
    ("name", "message"),
    [("nowhere", "is no version of a workbook"), ("levels.csv", "is no version of a workbook"), ("s3://b", "no vers")],
)
def test_a_name_that_is_no_version_is_refused(versions: Versions, name: str, message: str) -> None:
    with pytest.raises(UserMistake, match=message):
        diff.main([EXAMPLE, name], versions)


def test_a_missing_file_and_one_with_errors_are_named(tmp_path: Path, versions: Versions) -> None:
    with pytest.raises(WorkbookUnavailable, match=r"none\.xlsx: there is no such file"):
        diff.main([EXAMPLE, str(tmp_path / "none.xlsx")], versions)
    with pytest.raises(UserMistake, match=r"it has 1 errors(.|\n)*thresholds!E3"):
        diff.main([EXAMPLE, xlsx(tmp_path, "b.xlsx", Workbook().put("thresholds!E3", "6万"))], versions)


# --- make pull --------------------------------------------------------------------------------------------------------


def test_a_google_sheet_is_written_as_a_folder_that_reads_back_to_the_byte(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    google = FakeSheets()
    google.book("key-1", {**SMALL, "门槛的副本": [["x"]]})
    versions = Versions("levels-rating", google=google.client())
    pull.main(["gsheet:key-1", str(tmp_path / "book")], versions)
    written = canonical_json(rulebook(versions, str(tmp_path / "book")))
    assert written == canonical_json(rulebook(versions, "gsheet:key-1"))
    assert lines_of(capsys)[-1].endswith("门槛的副本"), "the tab that was not written is named"
    assert sorted(path.name for path in (tmp_path / "book").iterdir()) == sorted(f"{tab}.csv" for tab in SMALL)


def test_an_excel_file_is_pulled_too(tmp_path: Path, versions: Versions) -> None:
    book = Workbook().put("thresholds!E4", 20000.1 + 0.2).put("levels!B2", ' "a", b\nc ').put("settings!C2", "备注")
    pull.main([xlsx(tmp_path, "levels.xlsx", book), str(tmp_path / "book")], versions)
    written = canonical_json(rulebook(versions, str(tmp_path / "book")))
    assert written == canonical_json(rulebook(versions, str(tmp_path / "levels.xlsx")))
    assert "备注" in (tmp_path / "book" / "settings.csv").read_text("utf-8"), "notes are written too"


def test_existing_files_are_not_overwritten(tmp_path: Path, versions: Versions) -> None:
    (tmp_path / "levels.csv").write_text("mine")
    with pytest.raises(UserMistake, match=r"it holds levels\.csv"):
        pull.main([EXAMPLE, str(tmp_path)], versions)
    assert (tmp_path / "levels.csv").read_text() == "mine"


def test_a_workbook_with_errors_leaves_no_folder(tmp_path: Path, versions: Versions) -> None:
    with pytest.raises(UserMistake, match="so it is no version"):
        pull.main([xlsx(tmp_path, "b.xlsx", Workbook().put("levels!A2", "x")), str(tmp_path / "book")], versions)
    assert not (tmp_path / "book").exists()


CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**9), 10**9),
    st.floats(-1e9, 1e9).map(lambda number: float(f"{number:.12g}")),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
)


@settings(max_examples=200, deadline=None)
@given(rows=st.lists(st.lists(CELLS, max_size=4), max_size=5))
def test_cells_of_any_type_are_read_back_from_the_same_cells(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str | int | float | bool | None]]
) -> None:
    folder = tmp_path_factory.mktemp("book")
    rows = [["level", "name"], *rows]
    write_folder(RawWorkbook((RawTab("levels", rows),), typed=True), folder)
    (read,) = read_folder(folder).tabs
    assert [len(row) or 1 for row in read.rows] == [max(len(row), 1) for row in rows]
    for row, written in zip(rows, read.rows, strict=True):
        for cell, text in zip(row, written, strict=False):
            if isinstance(cell, str):
                assert text == cell
            elif cell is None or isinstance(cell, bool):
                assert text == ("TRUE" if cell else "")
            else:
                assert isinstance(text, str)
                assert float(text) == pytest.approx(cell, rel=1e-14, abs=0)
                assert "e" not in text.lower()
