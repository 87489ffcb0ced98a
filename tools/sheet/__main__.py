"""``make sheet KEY=<spreadsheet key> [LANG=zh|en]``: create or upgrade the Google Sheet that operations edit."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import google.auth
from google.auth.exceptions import DefaultCredentialsError
from gspread import Client

from functions.rating.workbook.description import load_description
from functions.rating.workbook.folder import read_folder
from functions.rating.workbook.google.identity import WRITING
from functions.rating.workbook.google.sheet import GoogleSheet, client_for, connect
from local.commandline import Parser, UserMistake, required, run
from shared.errors import SettingsMissing
from tools.sheet.builder import Built, build

CONFIG = Path(__file__).parents[2] / "config"
ADDRESS = "https://docs.google.com/spreadsheets/d/{}/edit"


def main(arguments: Sequence[str] | None = None, client: Client | None = None) -> int:
    """Build the sheet and say what was done; 1 when it could not be done."""
    parser = Parser(prog="make sheet", description=__doc__)
    parser.add_argument("key", nargs="?", help="the part of the sheet's address between /d/ and /edit")
    parser.add_argument("--lang", choices=("zh", "en"), help="language of titles, headers and notes")
    asked = parser.parse_args(arguments)
    required(parser, "make sheet KEY=<the part of the address between /d/ and /edit>", KEY=asked.key)
    try:
        sheet = GoogleSheet(asked.key, client or client_for_commands(WRITING))
        description = load_description(CONFIG / "workbook.json")
        built = build(sheet, description, read_folder(CONFIG / "workbook"), asked.lang)
    except DefaultCredentialsError as error:
        raise UserMistake(str(error)) from error
    print(_summary(built, asked.key))
    return 0


def client_for_commands(scope: str) -> Client:
    """As the deployed function is known to Google, or else as the person at this machine is."""
    try:
        return connect(scope)
    except SettingsMissing:
        if os.environ.get("GOOGLE_KEY_SECRET") or os.environ.get("GOOGLE_WORKLOAD_PROVIDER"):
            raise
    credentials, _ = google.auth.default(scopes=[scope])
    return client_for(credentials)


def _summary(built: Built, key: str) -> str:
    lines = [
        f"新建 created: {'、'.join(built.created) or '-'}",
        f"更新 upgraded: {'、'.join(built.upgraded) or '-'}",
        "已填入示例（数字均为虚构）the shipped example was filled in; all of its numbers are invented"
        if built.filled
        else "数据单元格未改动 data cells were left alone",
        ADDRESS.format(key),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    run(main)
