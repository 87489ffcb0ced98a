"""Checks a user's own files before anything is started: every month's datasets and columns, and the workbook."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb

from functions.rating.extracts.datasets import LocalFile, located
from functions.rating.extracts.first_bytes import FIRST, refuse_by_start
from functions.rating.extracts.formats import Format
from functions.rating.extracts.inventory import MONTHLY
from functions.rating.extracts.month_folder import READY, sorted_out
from functions.rating.workbook.description import load_description
from functions.rating.workbook.on_disk import read_on_disk
from functions.rating.workbook.rulebook import parse
from local.cloud.template import ROOT
from local.commandline import UserMistake
from shared.errors import ObjectInvalid
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
    """Every data file that can't be read, as far as its name, format and header show it."""
    for dataset in MONTHLY:
        for folder in sorted(extracts.glob(f"{dataset}/month=*/")):
            sizes = {p.relative_to(folder).as_posix(): p.stat().st_size for p in folder.rglob("*") if p.is_file()}
            lies = sorted_out(dataset, f"{folder}/", f"{folder}/", sizes)
            if lies.ready:
                yield from lies.faults
            for name, columns in lies.data.items():
                try:
                    refuse_unreadable(LocalFile(dataset, f"{folder}/{name}", folder / name, key_columns=columns))
                except ObjectInvalid as error:
                    yield str(error)


def refuse_unreadable(file: LocalFile) -> None:
    """Raises ObjectInvalid if a file is of another format, or lacks a required column."""
    with file.path.open("rb") as content:
        form = refuse_by_start(file, content.read(FIRST))
    if form is Format.PARQUET:
        located(parquet_columns(file.path), file)


def parquet_columns(path: Path) -> list[str]:
    """The names of a Parquet file's columns. Raises ObjectInvalid."""
    try:
        with duckdb.connect() as connection:
            rows = connection.execute("SELECT name FROM parquet_schema(?) OFFSET 1", [str(path)]).fetchall()
    except duckdb.Error as error:
        raise ObjectInvalid(f"{path}: it can't be read ({error}). Have the file written again.") from error
    return [str(name) for (name,) in rows]
