"""Checks a user's own files before anything is started: every month's datasets and columns, and the workbook."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb

from functions.rating.extracts.datasets import Dataset
from functions.rating.extracts.inventory import MONTHLY
from functions.rating.extracts.month_folder import READY
from functions.rating.workbook.description import load_description
from functions.rating.workbook.on_disk import read_on_disk
from functions.rating.workbook.rulebook import parse
from local.cloud.template import ROOT
from local.commandline import UserMistake
from shared.months import Month

LAYOUT = f"agencies/month=YYYY-MM/…, creators/… and orders/…, each with {READY}"


def check(extracts: Path | None, workbook: Path) -> None:
    """Raises UserMistake or WorkbookUnavailable with all faults at once."""
    month = months_in(extracts)[-1] if extracts else Month.parse("2026-10")
    found = list(wrong_files(extracts)) if extracts else []
    description = load_description(ROOT / "config" / "workbook.json")
    verdict = parse(read_on_disk(workbook, description.reads), description, month)
    found += [f"{workbook}: {fault}" for fault in verdict.errors]
    if found:
        raise UserMistake("\n".join([f"Your files have {len(found)} faults; nothing was started.", *found]))


def months_in(extracts: Path) -> list[Month]:
    """The months with any dataset, in order. Raises UserMistake if there is none."""
    folders = [folder for dataset in MONTHLY for folder in extracts.glob(f"{dataset}/month=*") if folder.is_dir()]
    try:
        months = {Month.parse(folder.name.removeprefix("month=")) for folder in folders}
    except ValueError as error:
        raise UserMistake(f"{extracts}: {error}; expected folders {LAYOUT}. Rename the folder.") from error
    if not months:
        raise UserMistake(f"{extracts}: expected folders {LAYOUT}, found none. Name the folder that holds agencies/.")
    return sorted(months)


def wrong_files(extracts: Path) -> Iterator[str]:
    """Every data file without some required columns, with their names."""
    for dataset in MONTHLY:
        for path in sorted(extracts.glob(f"{dataset}/month=*/*")):
            if path.is_file() and not path.name.startswith(("_", ".")):
                found = {name.strip().lower() for name in header(path)}
                found |= {part.partition("=")[0] for part in path.parts if "=" in part}
                missing = [c.name for c in Dataset(dataset).columns if c.required and c.name not in found]
                if missing:
                    yield f"{path}: columns missing: {', '.join(missing)}; found {', '.join(sorted(found)) or 'none'}"


def header(path: Path) -> Sequence[str]:
    """The column names of a CSV, csv.gz or Parquet file. Its first bytes tell the format."""
    with path.open("rb") as file:
        first = file.read(4)
    try:
        if first == b"PAR1":
            with duckdb.connect() as connection:
                rows = connection.execute("SELECT name FROM parquet_schema(?) OFFSET 1", [str(path)]).fetchall()
            return [str(name) for (name,) in rows]
        opened = gzip.open if first[:2] == b"\x1f\x8b" else open
        with opened(path, "rt", encoding="utf-8-sig", newline="") as text:
            return next(csv.reader(text), [])
    except (duckdb.Error, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise UserMistake(f"{path}: it can't be read ({error}). Have the file written again.") from error
