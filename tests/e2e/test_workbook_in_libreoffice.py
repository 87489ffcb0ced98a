"""The Excel file of `make workbook` after a real LibreOffice has opened, calculated and saved it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import openpyxl
import pytest

from functions.rating.workbook.excel import read_excel
from functions.rating.workbook.folder import read_folder
from functions.rating.workbook.rulebook import parse
from shared.content import content_id
from tests.workbooks import DESCRIPTION, OCTOBER, ROOT
from tools.workbook.__main__ import main

OFFICE = shutil.which("soffice")
pytestmark = pytest.mark.skipif(OFFICE is None, reason="no LibreOffice here: apt install libreoffice-calc")


def convert(source: Path, kind: str, into: Path) -> Path:
    """The file as LibreOffice saves it."""
    profile = into.parent / "profile"
    command = [str(OFFICE), "--headless", f"-env:UserInstallation=file://{profile}"]
    command += ["--convert-to", kind, "--outdir", str(into), str(source)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=180)
    found = into / f"{source.stem}.{kind.partition(':')[0]}"
    assert found.exists(), done.stdout + done.stderr
    return found


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_file_that_libreoffice_saved_gives_the_same_rulebook(tmp_path: Path, language: str) -> None:
    built = tmp_path / "levels.xlsx"
    assert main([str(built), "--lang", language]) == 0
    saved = convert(built, "xlsx:Calc MS Excel 2007 XML", tmp_path / "saved")
    verdict = parse(read_excel(saved.read_bytes(), saved.name, DESCRIPTION.reads), DESCRIPTION, OCTOBER)
    example = parse(read_folder(ROOT / "config" / "workbook"), DESCRIPTION, OCTOBER)
    assert verdict.rulebook
    assert example.rulebook
    assert content_id(verdict.rulebook) == content_id(example.rulebook)


def test_formulas_that_libreoffice_calculated_have_values(tmp_path: Path) -> None:
    built = tmp_path / "levels.xlsx"
    main([str(built), "--lang", "en"])
    book = openpyxl.load_workbook(built)
    sheet = book["thresholds"]
    fixed = ("effective_month", "level", "channel")
    number = next(c for c in range(1, sheet.max_column + 1) if sheet.cell(1, c).value not in fixed)
    row = next(r for r in range(2, 20) if isinstance(sheet.cell(r, number).value, int | float))
    value = sheet.cell(row, number).value
    sheet.cell(row, number).value = f"={value}-1+1"
    book.save(built)
    saved = convert(built, "xlsx:Calc MS Excel 2007 XML", tmp_path / "saved")
    raw = read_excel(saved.read_bytes(), saved.name, lambda title: title == "thresholds")
    assert raw.tabs[0].rows[row - 1][number - 1] == value


def test_checks_notes_and_locks_are_kept(tmp_path: Path) -> None:
    built = tmp_path / "levels.xlsx"
    main([str(built), "--lang", "en"])
    saved = openpyxl.load_workbook(convert(built, "xlsx:Calc MS Excel 2007 XML", tmp_path / "saved"))
    for tab in DESCRIPTION.inputs:
        sheet = saved[tab.key]
        assert sheet.protection.sheet, tab.key
        assert sheet["A1"].protection.locked, tab.key
        assert not [cell for cell in sheet[2] if cell.value is not None and cell.protection.locked], tab.key
        assert sheet["A1"].comment, tab.key
    assert saved["thresholds"].data_validations.dataValidation
