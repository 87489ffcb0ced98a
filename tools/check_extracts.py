"""``make check-extracts FOLDER=… MONTH=2026-10``: check a month's extracts without rating.

Shows all faults at once, with counts and examples. Ends with 1 if a run would stop or be held. FOLDER is a folder or an
``s3://bucket/prefix`` that contains ``<dataset>/month=YYYY-MM/``. The limits are the defaults of the settings tab, or
those of WORKBOOK=levels.xlsx (or a folder). TIMEZONE and PARQUET_INT96 have the same meaning as for the rating
function.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import boto3

from functions.rating.extracts.datasets import FORMATS_PAGE, Dataset
from functions.rating.workbook.description import load_description
from functions.rating.workbook.on_disk import read_on_disk
from functions.rating.workbook.rulebook import parse
from local.commandline import Parser, UserMistake, run
from shared.levels import RuleSettings
from shared.months import Month
from shared.settings import ReadingSettings, S3Prefix
from tools.extracts_judged import Findings, FolderOf, Judge

CONFIG = Path(__file__).parents[1] / "config"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = Parser(prog="make check-extracts", description=__doc__)
    parser.add_argument("folder", help="a folder, or s3://bucket/prefix")
    parser.add_argument("month", help="2026-10")
    parser.add_argument("--workbook", type=Path, help="whose settings are the limits: a folder, or an .xlsx file")
    given = parser.parse_args(arguments)
    try:
        month = Month.parse(given.month)
    except ValueError as error:
        parser.error(f"MONTH: {error}")
    in_s3 = given.folder.startswith("s3://")
    if not in_s3 and not Path(given.folder).is_dir():
        parser.error(f"FOLDER: {given.folder!r} is no folder")
    settings = _settings(given.workbook, month) if given.workbook else RuleSettings()
    reading = ReadingSettings.from_environment(os.environ)
    with TemporaryDirectory(prefix="extracts-") as downloads:
        folder_of = _in_s3(S3Prefix.parse(given.folder), Path(downloads)) if in_s3 else _below(Path(given.folder))
        return show(Judge(folder_of, settings, reading).findings(month), month)


def show(findings: Findings, month: Month) -> int:
    """Print the findings. Returns 1 if a run would stop or be held, else 0."""
    for title, lines in (
        ("计数 counts", findings.counts),
        ("提示 worth knowing", findings.notes),
        ("必须修正 must be corrected", findings.errors),
    ):
        if lines:
            print(f"{title}:", *(f"  {line}" for line in lines), sep="\n")
    if findings.errors:
        print(f"{month}: 不可用，见上 not usable, see above. {FORMATS_PAGE}")
        return 1
    print(f"{month}: 可用 valid")
    return 0


def _settings(workbook: Path, month: Month) -> RuleSettings:
    """The settings of a workbook. Raises UserMistake, WorkbookUnavailable."""
    description = load_description(CONFIG / "workbook.json")
    verdict = parse(read_on_disk(workbook, description.reads), description, month)
    if verdict.rulebook is None:
        raise UserMistake("\n".join(f"WORKBOOK: {workbook}: {fault}" for fault in verdict.errors))
    return verdict.rulebook.settings


def _below(folder: Path) -> FolderOf:
    return lambda dataset, month: folder / dataset.folder / f"month={month}"


def _in_s3(location: S3Prefix, into: Path) -> FolderOf:
    """Each folder is downloaded when it is needed."""
    s3 = boto3.client("s3")

    def downloaded(dataset: Dataset, month: Month) -> Path:
        folder = into / dataset.folder / f"month={month}"
        prefix = location.key(dataset.folder, f"month={month}") + "/"
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=location.bucket, Prefix=prefix)
        for key in (found["Key"] for page in pages for found in page.get("Contents", [])):
            path = folder / key.removeprefix(prefix)
            if not key.endswith("/") and not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                s3.download_file(location.bucket, key, str(path))
        return folder

    return downloaded


if __name__ == "__main__":
    run(main)
