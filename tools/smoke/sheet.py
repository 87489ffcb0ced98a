"""A real Google Sheet as this machine reaches it: read, checked, and written to in a tab that is deleted again."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from google.auth.exceptions import DefaultCredentialsError
from gspread import Client

from functions.rating.workbook.cells import RawWorkbook
from functions.rating.workbook.description import load_description
from functions.rating.workbook.google import requests as do
from functions.rating.workbook.google.identity import WRITING
from functions.rating.workbook.google.sheet import GoogleSheet
from functions.rating.workbook.rulebook import parse
from local.commandline import UserMistake
from shared.content import content_id
from shared.months import Month
from shared.settings import DEFAULT_ZONE
from tools.sheet.__main__ import CONFIG, client_for_commands
from tools.smoke.configuration import Check
from tools.smoke.results import Failed, NotProvable

SHOWN = 5


@dataclass
class Sheet:
    """One spreadsheet and what was read of it."""

    key: str
    client: Client | None = None
    config: Path = CONFIG
    read: list[RawWorkbook] = field(default_factory=list)

    def checks(self) -> Iterator[Check]:
        yield "sheet: Google knows who this machine is, and the sheet is shared with it", self.titles
        yield "sheet: its tabs are read", self.tabs
        yield "sheet: it has no faults", self.faults
        yield "sheet: a tab can be written and deleted", self.write
        yield "sheet: the deployed function reads it under its own identity", self.deployed

    def titles(self) -> str:
        titles = [one["properties"]["title"] for one in self.sheet().properties("sheets.properties")["sheets"]]
        return ", ".join(titles)

    def tabs(self) -> str:
        self.read = [self.sheet().read(load_description(self.config / "workbook.json").reads)]
        return ", ".join(f"{tab.title} ({len(tab.rows)} rows)" for tab in self.read[0].tabs)

    def faults(self) -> str:
        if not self.read:
            raise NotProvable("it was not read")
        month = Month.of(datetime.now(UTC), ZoneInfo(DEFAULT_ZONE)).plus(-1)
        verdict = parse(self.read[0], load_description(self.config / "workbook.json"), month)
        if verdict.rulebook is None:
            raise Failed("; ".join(map(str, verdict.faults[:SHOWN])) + f" ({len(verdict.faults)} faults)")
        return f"rulebook {content_id(verdict.rulebook)}, {len(verdict.faults)} warnings"

    def write(self) -> str:
        """Writes a tab with a name that nobody has, and deletes it."""
        sheet = self.sheet()
        known = [one["properties"] for one in sheet.properties("sheets.properties")["sheets"]]
        sheet_id, title = do.free_sheet_id({one["sheetId"] for one in known}), f"smoke-{secrets.token_hex(3)}"
        sheet.change([do.add_tab(sheet_id, title, 1, 1, 0, index=None)])
        try:
            sheet.change([do.write(sheet_id, 0, 0, [["made by make smoke"]])])
        finally:
            sheet.change([{"deleteSheet": {"sheetId": sheet_id}}])
        return title

    def deployed(self) -> str:
        raise NotProvable("it has another identity than this machine: make check-workbook asks the function")

    def sheet(self) -> GoogleSheet:
        """The spreadsheet, as who this machine is to Google."""
        try:
            self.client = self.client or client_for_commands(WRITING)
        except DefaultCredentialsError as error:
            raise UserMistake(str(error)) from error
        return GoogleSheet(self.key, self.client)
