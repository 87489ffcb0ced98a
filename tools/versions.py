"""Reads one version of the workbook from any source: this machine, S3, Google, or the stored rulebooks."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import boto3
from google.auth.exceptions import DefaultCredentialsError

from functions.rating.workbook.addresses import Addresses, unaddressed
from functions.rating.workbook.bucket.source import BucketWorkbook
from functions.rating.workbook.cells import RawWorkbook
from functions.rating.workbook.description import Description, load_description
from functions.rating.workbook.google.identity import READING
from functions.rating.workbook.google.sheet import GoogleSheet
from functions.rating.workbook.on_disk import is_excel, read_on_disk
from functions.rating.workbook.rulebook import parse
from local.commandline import Parser, UserMistake
from shared.content import ID_LENGTH
from shared.errors import RunUnknown
from shared.levels import Rulebook
from shared.months import Month
from shared.settings import DEFAULT_ZONE
from shared.table import Table
from tools.following import Deployed, Served
from tools.sheet.__main__ import client_for_commands

if TYPE_CHECKING:
    from gspread import Client
    from mypy_boto3_s3 import S3Client

DESCRIPTION = Path(__file__).parents[1] / "config" / "workbook.json"
FORMS = (
    "<file>.xlsx, a folder of CSV files, s3://<bucket>/<key>.xlsx[?versionId=<version>], s3://<bucket>/<prefix>/, "
    "gsheet:<spreadsheet key>, or the id of a rulebook that was in force"
)
_RULEBOOK = re.compile(rf"[0-9a-f]{{{ID_LENGTH}}}")
_S3 = re.compile(r"s3://(?P<bucket>[^/]+)/(?P<key>.+?)(\?versionId=(?P<version>.+))?")


class VersionsParser(Parser):
    """The command line of commands that read versions."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.add_argument(
            "--function",
            default=os.environ.get("RATING_FUNCTION", "mcn-levels-rating"),
            help="the deployed rating function, whose stored rulebooks are meant (default: $RATING_FUNCTION)",
        )
        self.add_argument("--local", type=int, metavar="PORT", help="those of `make serve` instead")


@dataclass(frozen=True, slots=True)
class Version:
    """A rulebook with its name on the command line, and the cells of its values if it has any."""

    name: str
    rulebook: Rulebook
    addresses: Addresses


@dataclass
class Versions:
    """Reads versions. ``function``: the deployed rating function; ``port``: ask ``make serve`` there instead.

    ``google`` and ``table`` are found by these when they are not given.
    """

    function: str
    port: int | None = None
    google: Client | None = None
    table: Table | None = None
    description: Description = field(default_factory=lambda: load_description(DESCRIPTION))

    def find(self, name: str) -> Version:
        """The version with this name. Raises UserMistake or WorkbookUnavailable, which say what to do."""
        if _RULEBOOK.fullmatch(name) and not Path(name).exists():
            return Version(name, self._stored(name), unaddressed(self.description))
        return self.read(self.cells(name), name)

    def read(self, raw: RawWorkbook, name: str) -> Version:
        """The version in these cells, checked for the last complete month. Raises UserMistake."""
        zone = ZoneInfo(DEFAULT_ZONE)
        verdict = parse(raw, self.description, Month.of(datetime.now(zone), zone).plus(-1))
        if verdict.rulebook is None:
            listed = "\n".join(str(fault) for fault in verdict.errors)
            raise UserMistake(f"{name}: it has {len(verdict.errors)} errors, so it is no version.\n{listed}")
        return Version(name, verdict.rulebook, verdict.addresses)

    def cells(self, name: str) -> RawWorkbook:
        """The cells of a workbook that is not a stored rulebook."""
        if found := _S3.fullmatch(name):
            return BucketWorkbook(self._s3, found["bucket"], found["key"], self.description, found["version"]).read()
        if name.startswith("gsheet:"):
            return self._google_sheet(name.removeprefix("gsheet:"))
        if is_excel(Path(name)) or Path(name).is_dir():
            return read_on_disk(Path(name), self.description.reads)
        raise UserMistake(f"{name!r} is no version of a workbook, and no such folder is here. Expected {FORMS}.")

    def _stored(self, rulebook: str) -> Rulebook:
        try:
            return (self.table or self._found_table).rulebook(rulebook)
        except RunUnknown as error:
            raise UserMistake(
                f"rulebook {rulebook}: it is not, or no longer, stored. Reports and the tab 版本 versions name those "
                "that were in force"
            ) from error

    def _google_sheet(self, key: str) -> RawWorkbook:
        try:
            return GoogleSheet(key, self.google or client_for_commands(READING)).read(self.description.reads)
        except DefaultCredentialsError as error:
            raise UserMistake(str(error)) from error

    @cached_property
    def _found_table(self) -> Table:
        if self.port is None:
            return Deployed.find(boto3.Session(), self.function, print).table
        return Served.on(self.port).table

    @cached_property
    def _s3(self) -> S3Client:
        return boto3.client("s3") if self.port is None else Served.on(self.port).s3
