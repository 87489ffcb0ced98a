"""A Google Sheet as the source of the workbook. The system also writes its status, versions and answers there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from functions.rating.workbook.asks import Ask
from functions.rating.workbook.cells import RawWorkbook
from functions.rating.workbook.description import Description
from functions.rating.workbook.google import console_tab, sheet, status_tab
from functions.rating.workbook.google.identity import READING, WRITING
from functions.rating.workbook.google.sheet import GoogleSheet
from functions.rating.workbook.status import StatusPage


@dataclass(frozen=True, slots=True)
class GoogleSource:
    """One spreadsheet, by its key."""

    key: str
    description: Description

    def read(self) -> RawWorkbook:
        return sheet.read_sheet(self.key, self.description.reads)

    def owns(self, *_: str) -> bool:
        return False

    def addresses(self) -> Mapping[str, str]:
        return sheet.addresses(self.key)

    def show_status(self, page: StatusPage) -> None:
        status_tab.write_status(self.key, page, self.description)

    def show_versions(self, page: StatusPage) -> None:
        status_tab.write_status(self.key, page, self.description, written="versions")

    def asks(self) -> Sequence[Ask]:
        return console_tab.read_asks(GoogleSheet(self.key, sheet.connect(READING)), self.description)

    def claim(self, asks: Sequence[Ask]) -> None:
        console_tab.claim(GoogleSheet(self.key, sheet.connect(WRITING)), asks)

    def answer(self, ask: Ask, message: str, *, done: bool) -> None:
        console_tab.answer(GoogleSheet(self.key, sheet.connect(WRITING)), ask, message, done=done)
