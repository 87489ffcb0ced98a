"""The Excel file that operations edit: choices, validation and colours of its cells."""

from __future__ import annotations

import io

import openpyxl
import pytest
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from functions.rating.workbook.folder import read_folder
from tests.workbooks import DESCRIPTION, ROOT
from tools.workbook.builder import ROWS, build_workbook


@pytest.fixture(scope="module", params=["zh", "en"])
def benefits(request: pytest.FixtureRequest) -> Worksheet:
    example = read_folder(ROOT / "config" / "workbook")
    book = openpyxl.load_workbook(io.BytesIO(build_workbook(DESCRIPTION, example, request.param)))
    sheet = book[getattr(DESCRIPTION.tab("benefits").title, request.param)]
    assert isinstance(sheet, Worksheet)
    return sheet


def level_columns(sheet: Worksheet) -> list[str]:
    return [get_column_letter(at) for at, cell in enumerate(sheet[1], 1) if str(cell.value).startswith("L")]


def test_cells_of_levels_offer_a_tick_and_accept_numbers_and_texts_too(benefits: Worksheet) -> None:
    offered = {str(check.sqref): check for check in benefits.data_validations.dataValidation}
    assert level_columns(benefits)
    for letter in level_columns(benefits):
        check = offered[f"{letter}2:{letter}{ROWS + 1}"]
        assert check.type == "list"
        assert check.formula1 in ('"TRUE,不限"', '"TRUE,unlimited"')
        assert not check.showErrorMessage, "in the row of a quota any number may be typed"
        assert not check.hide_drop_down


def test_a_value_of_the_wrong_kind_turns_red(benefits: Worksheet) -> None:
    rules = {str(area.sqref): area.rules for area in benefits.conditional_formatting}
    for letter in level_columns(benefits):
        (rule,) = rules[f"{letter}2:{letter}{ROWS + 1}"]
        (formula,) = rule.formula
        assert f"OR({letter}2=TRUE,{letter}2=FALSE)" in formula
        assert formula.startswith(f"AND(NOT(ISBLANK({letter}2)),NOT(IFERROR(IF(OR($")
