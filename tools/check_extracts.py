"""``make check-extracts FOLDER=… MONTH=2026-10``: judge a month's extracts before they are handed over, without rating.

Shows everything that is wrong at once, with counts and examples; ends with 1 when a run would stop, or be held.
FOLDER is a folder or an ``s3://bucket/prefix`` that holds ``<dataset>/month=YYYY-MM/``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import boto3

from functions.rating.extracts.datasets import FORMATS_PAGE, Dataset, LocalFile
from functions.rating.extracts.inventory import MONTHLY, READY
from functions.rating.extracts.keys import FolderUnknown, columns_of_key, is_data
from functions.rating.measuring.assemble import assemble
from functions.rating.measuring.embedded.duckdb_engine import open_engine
from functions.rating.measuring.embedded.measure import measure
from functions.rating.measuring.embedded.reading.objects import ObjectReader
from functions.rating.measuring.embedded.reading.rows_read import DatasetRead
from functions.rating.measuring.expected import expected
from functions.rating.run.nothing_counted import nothing_counted
from local.commandline import Parser, run
from shared.errors import ExtractError, ObjectInvalid
from shared.levels import RuleSettings
from shared.months import Month
from shared.settings import DEFAULT_ZONE, S3Prefix

SETTINGS = RuleSettings()


class Findings:
    """What was found, as lines of text. ``errors``: what stops a run or holds it; ``notes``: what is worth knowing."""

    def __init__(self) -> None:
        self.counts: list[str] = []
        self.errors: list[str] = []
        self.notes: list[str] = []


def judge(folder: Path, month: Month, zone: ZoneInfo) -> Findings:
    """Everything that is wrong with a month's extracts below a folder."""
    findings = Findings()
    files = list(_files(folder, month, findings))
    with TemporaryDirectory(prefix="check-") as work:
        _read(files, month, zone, Path(work), findings)
        if not findings.errors:
            _count(files, month, zone, Path(work), findings)
    return findings


def _files(folder: Path, month: Month, findings: Findings) -> Iterator[LocalFile]:
    for dataset in (*MONTHLY, Dataset.PREVIOUS_CREATORS):
        previous = dataset is Dataset.PREVIOUS_CREATORS
        of_month = (
            folder / (Dataset.CREATORS if previous else dataset) / f"month={month.plus(-1) if previous else month}"
        )
        below = sorted(path for path in of_month.rglob("*") if path.is_file())
        names = {path.relative_to(of_month).as_posix(): path for path in below}
        data = {name: path for name, path in names.items() if is_data(name)}
        if not previous and READY not in names:
            findings.notes.append(f"{of_month}: no {READY} yet; write it last, a month without it is not ready.")
        if not data:
            (findings.notes if previous else findings.errors).append(
                f"{of_month}: no data; expected {dataset} as Parquet, CSV or CSV in gzip."
                + (" Without it the retention of binding slots is not assessed." if previous else "")
            )
        for name, path in data.items():
            key = path.relative_to(folder).as_posix()
            try:
                yield LocalFile(dataset, key, path, key_columns=columns_of_key(dataset, name))
            except FolderUnknown as unknown:
                findings.errors.append(
                    f"{key}: lies in the folder {unknown}/, which is no column of {dataset}; if it is data, move it up."
                )


def _read(files: Sequence[LocalFile], month: Month, zone: ZoneInfo, work: Path, findings: Findings) -> None:
    """Every object and every row, whatever is wrong with others."""
    datasets: defaultdict[Dataset, DatasetRead] = defaultdict(DatasetRead)
    with open_engine(work) as engine:
        reader = ObjectReader(engine, lambda _: None, work, month, zone)
        try:
            for read in reader.read(files):
                of = datasets[read.file.dataset]
                of.rows += read.rows
                of.skipped.update(read.skipped)
                for row in read.bad:
                    of.note_bad(read.file.key, row, read)
        except ObjectInvalid as error:
            findings.errors += str(error).splitlines()
        findings.notes += reader.warnings
    for dataset, of in datasets.items():
        findings.counts.append(f"{dataset}: {of.rows:,} rows, {of.bad:,} bad")
        allowed = 0 if dataset is Dataset.AGENCIES else SETTINGS.max_bad_row_share * of.rows
        stops = of.bad > allowed and dataset is not Dataset.PREVIOUS_CREATORS
        for reason, count in of.bad_rows.most_common():
            examples = of.counted().examples[reason]
            found = "; ".join(examples)
            (findings.errors if stops else findings.notes).append(
                f"{dataset}: {count:,} x {reason}; expected {expected(reason, *examples)}; found {found}"
            )
        findings.notes += [f"{dataset}: {count:,} x {what}, left out" for what, count in of.skipped.items()]


def _count(files: Sequence[LocalFile], month: Month, zone: ZoneInfo, work: Path, findings: Findings) -> None:
    """What would become of every row, and whether the month would be held."""
    try:
        measured = assemble(measure(files, month, zone, SETTINGS.max_bad_row_share, work))
    except ExtractError as error:
        findings.errors.append(str(error))
        return
    rows = measured.order_rows
    findings.counts.append(
        f"orders: {rows.used:,} used, {rows.duplicate:,} duplicate, {rows.out_of_month:,} out of month, "
        f"{rows.excluded:,} flagged, {rows.unbound:,} unbound, {rows.quarantined:,} bad"
    )
    for dataset, of in measured.datasets.items():
        findings.notes += [f"{dataset}: {count:,} x {what}" for what, count in of.counters.items() if count]
    held = nothing_counted(SETTINGS, month, measured, {})
    findings.errors += [f"{of.because.en}\n  {of.because.zh}" for of in held if of.because]


def _downloaded(location: S3Prefix, month: Month, into: Path) -> None:
    """The month's objects, and the creators of the month before, in the same folders as in S3."""
    s3 = boto3.client("s3")
    wanted = [(dataset, month) for dataset in MONTHLY] + [(Dataset.CREATORS, month.plus(-1))]
    for dataset, of in wanted:
        for page in s3.get_paginator("list_objects_v2").paginate(
            Bucket=location.bucket, Prefix=f"{location.key(dataset, f'month={of}')}/"
        ):
            for found in page.get("Contents", []):
                if not found["Key"].endswith("/"):
                    path = into / found["Key"].removeprefix(location.key("")).lstrip("/")
                    path.parent.mkdir(parents=True, exist_ok=True)
                    s3.download_file(location.bucket, found["Key"], str(path))


def show(findings: Findings, month: Month) -> int:
    """Print what was found; 1 when a run would stop or be held, else 0."""
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


def main(arguments: Sequence[str] | None = None) -> int:
    parser = Parser(prog="make check-extracts", description=__doc__)
    parser.add_argument("folder", help="a folder, or s3://bucket/prefix")
    parser.add_argument("month", help="2026-10")
    given = parser.parse_args(arguments)
    try:
        month = Month.parse(given.month)
    except ValueError as error:
        parser.error(f"MONTH: {error}")
    if not given.folder.startswith("s3://"):
        if not Path(given.folder).is_dir():
            parser.error(f"FOLDER: {given.folder!r} is no folder")
        return show(judge(Path(given.folder), month, ZoneInfo(DEFAULT_ZONE)), month)
    with TemporaryDirectory(prefix="extracts-") as folder:
        _downloaded(S3Prefix.parse(given.folder), month, Path(folder))
        return show(judge(Path(folder), month, ZoneInfo(DEFAULT_ZONE)), month)


if __name__ == "__main__":
    run(main)
