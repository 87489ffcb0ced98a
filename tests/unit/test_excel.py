"""Excel files as a source of the workbook: the same content gives the same rulebook, and no cell is lost silently."""

from __future__ import annotations

import io
import re
import tracemalloc
import zipfile
from datetime import date, datetime, timedelta
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

from functions.rating.workbook.cells import RawCell, RawTab, RawWorkbook
from functions.rating.workbook.excel import MOST_BYTES, MOST_UNPACKED, read_excel
from functions.rating.workbook.folder import read_folder, write_folder
from functions.rating.workbook.rulebook import parse
from shared.content import content_id
from shared.errors import WorkbookUnavailable
from tests.excel_files import excel, rewritten, stored
from tests.unit.test_rulebook_faults import EXAMPLES, IN_SHEETS_ONLY
from tests.workbooks import DESCRIPTION, OCTOBER, ROOT, SMALL, Workbook, found
from tools.workbook.builder import build_workbook

WORKBOOK = "xl/workbook.xml"


def read(content: bytes) -> RawWorkbook:
    return read_excel(content, "levels.xlsx")


def cells(*row: object) -> list[RawCell]:
    """A row of cells after it was written to a file and read back."""
    (tab,) = read(excel({"t": [row]})).tabs
    return list(tab.rows[0]) if tab.rows else []


def rulebook_id(raw: RawWorkbook) -> str:
    verdict = parse(raw, DESCRIPTION, OCTOBER)
    assert verdict.rulebook, [str(fault) for fault in verdict.errors]
    return content_id(verdict.rulebook)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_built_file_gives_the_rulebook_of_the_folder_that_it_was_built_from(language: str) -> None:
    example = read_folder(ROOT / "config" / "workbook")
    built = build_workbook(DESCRIPTION, example, "zh" if language == "zh" else "en")
    raw = read_excel(built, "levels.xlsx", DESCRIPTION.reads)
    assert rulebook_id(raw) == rulebook_id(example)
    assert not parse(raw, DESCRIPTION, OCTOBER).errors


def test_the_same_cells_give_the_rulebook_that_a_google_sheet_gives() -> None:
    raw = Workbook()
    google = RawWorkbook(tuple(RawTab(title, rows) for title, rows in raw.tabs.items()), typed=True)
    assert rulebook_id(read(excel(SMALL))) == rulebook_id(google)


def test_a_sheet_that_is_not_read_is_a_warning_that_names_it() -> None:
    raw = read_excel(excel({**SMALL, "门槛的副本": [["x"]]}), "levels.xlsx", DESCRIPTION.reads)
    verdict = parse(raw, DESCRIPTION, OCTOBER)
    assert [(fault.code, fault.tab) for fault in verdict.faults if fault.code == "tab_unread"] == [
        ("tab_unread", "门槛的副本")
    ]
    assert not verdict.errors


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**9), 10**9),
    st.decimals(-(10**6), 10**6, places=2).map(float),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Co", "Cn"]), max_size=20).filter(
        lambda text: not text.startswith("=") and text != ""
    ),
)


@given(st.lists(st.lists(VALUES, max_size=6), max_size=6))
def test_every_value_is_read_as_it_was_written(rows: list[list[RawCell]]) -> None:
    (tab,) = read(excel({"t": rows})).tabs

    def filled(table: list[list[RawCell]]) -> dict[tuple[int, int], RawCell]:
        return {(r, c): value for r, row in enumerate(table) for c, value in enumerate(row) if value is not None}

    values, expected = filled([list(row) for row in tab.rows]), filled(rows)
    assert values == expected
    assert {at: type(value) is bool for at, value in values.items()} == {
        at: type(value) is bool for at, value in expected.items()
    }


def test_a_date_is_its_serial_number_as_in_a_google_sheet() -> None:
    assert cells(date(2026, 10, 1), datetime.fromisoformat("2026-10-01T12:00"), timedelta(hours=6)) == [
        46296,
        46296.5,
        0.25,
    ]


def test_dates_of_the_1904_system_of_old_macs_are_the_same_days() -> None:
    content = rewritten(excel({"t": [[date(2026, 10, 1)]]}), lambda xml: xml.replace("<v>46296</v>", "<v>44834</v>"))
    mac = rewritten(content, lambda xml: re.sub("<workbookPr[^>]*>", '<workbookPr date1904="1"/>', xml), WORKBOOK)
    assert read(mac).tabs[0].rows == [[46296]]


def test_a_percentage_is_its_share_and_rich_text_is_text() -> None:
    assert cells(0.12, CellRichText("ab", TextBlock(InlineFont(b=True), "cd"))) == [0.12, "abcd"]


def test_text_that_looks_like_a_number_stays_text() -> None:
    assert cells("007", "１２３", "1,000", " 5 ") == ["007", "１２３", "1,000", " 5 "]


@pytest.mark.parametrize("error", ["#REF!", "#N/A", "#VALUE!", "#DIV/0!", "#NAME?"])
def test_an_error_value_is_not_a_blank_cell(error: str) -> None:
    content = stored(excel({"t": [["=A9"]]}), "A9", '<c {} t="e">{}<v>' + error + "</v></c>")
    assert read(content).tabs[0].rows == [[error]]


def test_the_value_of_a_formula_is_the_one_stored_in_the_file() -> None:
    assert read(stored(excel({"t": [["=1+1"]]}), "1+1", "<c {}>{}<v>2</v></c>")).tabs[0].rows == [[2]]


def test_a_formula_with_an_empty_text_as_its_value_is_a_blank_cell() -> None:
    content = stored(excel({"t": [['=IF(TRUE,"","")', 1]]}), 'IF(TRUE,"","")', '<c {} t="str">{}<v></v></c>')
    (row,) = read(content).tabs[0].rows
    assert row[0] in (None, "")
    assert row[1] == 1


def faults(content: bytes) -> list[tuple[str, str]]:
    raw = read_excel(content, "levels.xlsx", DESCRIPTION.reads)
    return [(f"{fault.tab}!{fault.cell}", fault.code) for fault in parse(raw, DESCRIPTION, OCTOBER).faults]


def test_formulas_without_a_stored_value_are_faults_of_their_cells() -> None:
    levels: list[list[object]] = [
        ["level", "name", "note of ours"],
        [1, "一级", "=1+1"],
        ["=1+1", "二级"],
        [3, '=CONCAT("a","b")'],
    ]
    unsaved = faults(excel({**SMALL, "levels": levels}))
    assert [fault for fault in unsaved if fault[1] == "formula_unsaved"] == [
        ("levels!A3", "formula_unsaved"),
        ("levels!B4", "formula_unsaved"),
    ]
    assert cells("=1+1") == ["#UNSAVED! =1+1"]


def test_a_cell_outside_the_limits_is_a_fault_that_names_it() -> None:
    far = '<c r="XFD1" t="inlineStr"><is><t>x</t></is></c></row>'
    content = rewritten(
        excel(SMALL), lambda xml: xml.replace("</row>", far, 1).replace("</row>", far.replace("D1", "D2"), 2)
    )
    (fault,) = [one for one in faults(content) if one[1] == "cell_outside"]
    assert fault[0].endswith("!XFD1")
    low = rewritten(
        excel({"tips": [["metric"]]}), lambda xml: xml.replace("A1", "A1048576").replace('r="1"', 'r="1048576"')
    )
    assert ("tips!A1048576", "cell_outside") in faults(low)


@pytest.mark.parametrize("cell", ['<c r="XFD{0}"><v>1</v></c>', '<c r="XFD{0}" s="0"/>'], ids=["values", "formats"])
def test_many_rows_that_reach_the_last_column_are_read_in_seconds(cell: str) -> None:
    """With a cell for every column, 150 of them took 18 seconds."""
    rows = "".join(f'<row r="{n}">{cell.format(n)}</row>' for n in range(2, 5_000))
    content = rewritten(excel({"t": [["a"]]}), lambda xml: xml.replace("</sheetData>", rows + "</sheetData>"))
    begun = process_time()
    (tab,) = read(content).tabs
    assert process_time() - begun < 5
    assert tab.rows == [["a"]]


def test_hidden_sheets_and_rows_are_read() -> None:
    hidden = rewritten(
        excel({"levels": [["level"], [1]], "x": [[2]]}),
        lambda xml: xml.replace(
            'name="levels" sheetId="1" state="visible"', 'name="levels" sheetId="1" state="hidden"'
        ),
        "xl/workbook.xml",
    )
    rows = rewritten(hidden, lambda xml: xml.replace('<row r="2"', '<row r="2" hidden="1"'))
    assert read(rows).tabs[0] == RawTab("levels", [["level"], [1]])


def test_only_the_wanted_sheets_are_read() -> None:
    raw = read_excel(excel({"levels": [[1]], "notes": [["=1+1"]]}), "levels.xlsx", lambda title: title == "levels")
    assert [tab.title for tab in raw.tabs] == ["levels"]


def test_a_wrong_size_in_the_file_hides_no_cell() -> None:
    content = excel({"t": [[1, 2], [3, 4]]})
    assert len(read(rewritten(content, lambda x: x.replace('ref="A1:B2"', 'ref="A1"'))).tabs[0].rows) == 2


# --- files that are not workbooks -------------------------------------------------------------------------------------

OLE = bytes.fromhex("D0CF11E0A1B11AE1") + bytes(1000)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "no .xlsx file"),
        (b"level,name\n1,Bronze\n", "no .xlsx file"),
        (OLE, r"97-2003"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "password"),
        (excel({"t": [[1]]})[:-200], "no .xlsx file"),
        (bytes(MOST_BYTES + 1), "expected at most"),
    ],
    ids=["empty", "csv", "xls", "encrypted", "cut off", "too large"],
)
def test_a_file_that_is_not_an_excel_file_is_refused_with_what_it_is(content: bytes, named: str) -> None:
    with pytest.raises(WorkbookUnavailable, match=named) as caught:
        read(content)
    assert "levels.xlsx" in str(caught.value)


def test_a_zip_file_of_something_else_is_refused() -> None:
    with pytest.raises(WorkbookUnavailable, match="can't be read as an Excel file"):
        read(rewritten(excel({"t": [[1]]}), lambda _: "<html/>", "[Content_Types].xml"))


def test_entities_are_refused() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]>'
    with pytest.raises(WorkbookUnavailable, match="can't be read"):
        read(rewritten(excel({"t": [["x"]]}), lambda xml: bomb + xml))


def test_a_file_that_unpacks_to_very_much_is_refused_before_it_is_unpacked() -> None:
    empty_rows = "".join(f'<row r="{n}" s="1" customFormat="1"/>' for n in range(2, 500_000))
    bomb = rewritten(excel({"t": [[1]]}), lambda xml: xml.replace("</sheetData>", empty_rows + "</sheetData>"))
    assert len(bomb) < MOST_UNPACKED // 4
    tracemalloc.start()
    try:
        with pytest.raises(WorkbookUnavailable, match="unpacks to"):
            read(bomb)
        assert tracemalloc.get_traced_memory()[1] < 5 * 1024**2
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("member", ["xl/media/image1.png", "xl/media/a.JPG", "docProps/thumbnail.emf"])
def test_a_large_member_of_any_name_counts_as_unpacked_bytes(member: str) -> None:
    packed = io.BytesIO(excel({"t": [[1]]}))
    with zipfile.ZipFile(packed, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member, bytes(MOST_UNPACKED))
    with pytest.raises(WorkbookUnavailable, match="unpacks to"):
        read(packed.getvalue())


def test_macros_and_links_to_other_files_are_not_followed(tmp_path: Path) -> None:
    content = stored(excel({"t": [["=[1]Other!A1", "=WEBSERVICE(A2)"]]}), "[1]Other!A1", "<c {}>{}<v>7</v></c>")
    content = stored(content, "WEBSERVICE(A2)", '<c {} t="str">{}<v>kept</v></c>')
    assert read(content).tabs[0].rows == [[7, "kept"]]


# --- files that other programs saved ----------------------------------------------------------------------------------


def test_a_file_that_libreoffice_saved_keeps_its_meaning() -> None:
    saved = (ROOT / "tests" / "data" / "levels-saved-by-libreoffice.xlsx").read_bytes()
    example = read_folder(ROOT / "config" / "workbook")
    assert rulebook_id(read_excel(saved, "levels.xlsx", DESCRIPTION.reads)) == rulebook_id(example)


def test_numbers_that_excel_saves_with_seventeen_digits_are_read_as_they_were_typed() -> None:
    """Excel writes 0.7 as 0.69999999999999996 and 20000.55 as 20000.549999999999."""
    settings: list[list[RawCell]] = [["setting", "value"], ["max_bad_row_share", 0.7]]
    content = excel({"settings": settings, **{tab: rows for tab, rows in SMALL.items() if tab != "settings"}})
    saved = rewritten(content, lambda xml: xml.replace("<v>0.7</v>", "<v>0.69999999999999996</v>"))
    assert rulebook_id(read(saved)) == rulebook_id(read(content))


def test_whole_numbers_with_a_fraction_or_an_exponent_are_whole() -> None:
    content = excel({"t": [[6, 90000]]})
    saved = rewritten(content, lambda xml: xml.replace("<v>6</v>", "<v>6.0</v>").replace("<v>90000</v>", "<v>9E4</v>"))
    assert read(saved).tabs[0].rows == [[6, 90000]]


@pytest.mark.parametrize(
    "cell",
    [
        '<c r="A1" t="inlineStr"><is><t>领航</t></is></c>',
        '<c r="A1" t="inlineStr"><is><r><t>领</t></r><r><rPr><b/></rPr><t>航</t></r></is></c>',
        '<c r="A1" t="inlineStr"><is><t>领航</t><rPh sb="0" eb="1"><t>りょう</t></rPh></is></c>',
        '<c r="A1" t="str"><v>领航</v></c>',
    ],
    ids=["inline", "rich inline", "with a reading aid", "string of a formula"],
)
def test_texts_are_read_however_a_program_stores_them(cell: str) -> None:
    content = rewritten(excel({"t": [[1]]}), lambda xml: re.sub(r'<c r="A1".*?</c>', cell, xml))
    assert read(content).tabs[0].rows == [["领航"]]


def test_line_breaks_in_a_cell_are_kept() -> None:
    assert cells("first\nsecond") == ["first\nsecond"]


def test_formats_out_to_the_last_column_add_no_cells() -> None:
    """WPS may give a whole row a format: cells without a value to the right of those with one."""
    empty = "".join(f'<c r="{letter}1" s="0"/>' for letter in ("C", "D", "E", "XFD"))
    content = rewritten(excel({"t": [["a", "b"]]}), lambda xml: xml.replace("</row>", empty + "</row>", 1))
    assert read(content).tabs[0].rows == [["a", "b"]]


def test_rows_keep_their_numbers_where_rows_between_them_are_missing() -> None:
    content = rewritten(excel({"t": [["a"], ["b"]]}), lambda xml: xml.replace('r="2"', 'r="4"').replace("A2", "A4"))
    assert read(content).tabs[0].rows == [["a"], [], [], ["b"]]


def test_a_merged_area_has_its_value_in_its_first_cell_only() -> None:
    merged = '</sheetData><mergeCells count="1"><mergeCell ref="A1:B1"/></mergeCells>'
    content = rewritten(excel({"t": [["a"], [1, 2]]}), lambda xml: xml.replace("</sheetData>", merged))
    assert read(content).tabs[0] == RawTab("t", [["a"], [1, 2]], ((0, 1, 0, 2),))


# --- the same faults in every source ----------------------------------------------------------------------------------


@pytest.mark.parametrize("code", sorted(EXAMPLES.keys() - {"cell_outside"}))
def test_the_faults_of_an_excel_file_are_those_of_a_google_sheet(code: str) -> None:
    google = EXAMPLES[code][0](Workbook())
    file = read_excel(excel(google.tabs, google.merged), "levels.xlsx")
    assert parse(file, DESCRIPTION, OCTOBER).faults == google.verdict().faults


@pytest.mark.parametrize("code", sorted(EXAMPLES.keys() - IN_SHEETS_ONLY))
def test_the_faults_of_a_folder_of_csv_files_are_those_of_a_google_sheet(code: str, tmp_path: Path) -> None:
    google = EXAMPLES[code][0](Workbook())
    write_folder(google.raw(), tmp_path)
    assert sorted(found(parse(read_folder(tmp_path), DESCRIPTION, OCTOBER))) == sorted(found(google.verdict()))
