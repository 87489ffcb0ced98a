"""A test with the real Google Sheets: ``pytest -m live``, with the key of a scratch sheet in LIVE_SHEET_KEY.

The sheet is shared as Editor with the identity that the environment describes (docs/operations.en.md), and is blank or
was built by an earlier run of this test.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest

from functions.rating.workbook.folder import read_folder
from functions.rating.workbook.google import sheet
from functions.rating.workbook.google.identity import WRITING
from functions.rating.workbook.google.status_tab import write_status
from functions.rating.workbook.rulebook import parse
from functions.rating.workbook.status import StatusContext, status
from tests.workbooks import DESCRIPTION, OCTOBER, ROOT
from tools.sheet.builder import build


@pytest.mark.live
@pytest.mark.skipif("LIVE_SHEET_KEY" not in os.environ, reason="LIVE_SHEET_KEY names no scratch sheet")
def test_a_real_sheet_is_built_and_read_back_and_its_status_is_written() -> None:
    key = os.environ["LIVE_SHEET_KEY"]
    client = sheet.connect(WRITING)
    example = read_folder(ROOT / "config" / "workbook")
    build(sheet.GoogleSheet(key, client), DESCRIPTION, example, "zh")
    assert build(sheet.GoogleSheet(key, client), DESCRIPTION, example, "en").created == ()
    verdict = parse(sheet.read_sheet(key, DESCRIPTION.reads, client=client), DESCRIPTION, OCTOBER)
    assert verdict.rulebook == parse(example, DESCRIPTION, OCTOBER).rulebook
    answer = {"outcome": "checked", "month": str(OCTOBER), "faults": [fault.as_dict() for fault in verdict.faults]}
    write_status(
        key, lambda language: status(answer, StatusContext(datetime.now(UTC)), language), DESCRIPTION, client=client
    )
