"""Creates or upgrades the Google Sheet that operations edit.

``make sheet KEY=<spreadsheet key> [LANG=zh|en] [APPROVERS=a@x.com,b@x.com]``
"""

from __future__ import annotations

import os
import re
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
_ADDRESS = re.compile(r"[^@\s,]+@[^@\s,]+\.[^@\s,]+")
ADDRESS = "https://docs.google.com/spreadsheets/d/{}/edit"


def main(arguments: Sequence[str] | None = None, client: Client | None = None) -> int:
    """Build the sheet and print what was done. Returns 1 if that was not possible."""
    parser = Parser(prog="make sheet", description=__doc__)
    parser.add_argument("key", nargs="?", help="the part of the sheet's address between /d/ and /edit")
    parser.add_argument("--lang", choices=("zh", "en"), help="language of titles, headers and notes")
    parser.add_argument("--approvers", default="", help="who may decide in the console tab: addresses with commas")
    asked = parser.parse_args(arguments)
    required(parser, "make sheet KEY=<the part of the address between /d/ and /edit>", KEY=asked.key)
    try:
        sheet = GoogleSheet(asked.key, client or client_for_commands(WRITING))
        description = load_description(CONFIG / "workbook.json")
        approvers = _approvers(asked.approvers, sheet)
        built = build(sheet, description, read_folder(CONFIG / "workbook"), asked.lang, approvers)
    except DefaultCredentialsError as error:
        raise UserMistake(str(error)) from error
    print(_summary(built, asked.key))
    return 0


def _approvers(text: str, sheet: GoogleSheet) -> list[str]:
    """The addresses, and that of the account that unticks the boxes. Raises UserMistake."""
    named = [address.strip() for address in text.split(",") if address.strip()]
    if not named:
        return []
    if wrong := [address for address in named if not _ADDRESS.fullmatch(address)]:
        raise UserMistake(f"APPROVERS: expected e-mail addresses with commas between them, found {', '.join(wrong)}")
    account = os.environ.get("GOOGLE_SERVICE_ACCOUNT") or sheet.service_account
    if not account:
        raise UserMistake(
            "APPROVERS: the system's own account has to be among them. Set GOOGLE_SERVICE_ACCOUNT to the address that "
            "the sheet is shared with, and ask again"
        )
    return list(dict.fromkeys([*named, account]))


def client_for_commands(scope: str) -> Client:
    """A client with the deployed function's identity, or else with that of the person at this machine."""
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
