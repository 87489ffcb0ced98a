"""The Spark job: measures a plan and stores the result. AWS Glue runs this module, and so does a laptop.

python -m functions.rating.measuring.spark.job --plan s3://reports/…/measured/<id>/plan.json --extracts s3://bucket/…

Ends with 0 when the measurement, or the error that the data leads to, is stored. Any other error fails the job; the
next run continues with the finished parts.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING, cast
from zoneinfo import ZoneInfo

from functions.rating.extracts.datasets import Dataset
from functions.rating.extracts.download import fetch
from functions.rating.measuring.embedded.agencies import read_agencies
from functions.rating.measuring.embedded.reading.one_object import VALID
from functions.rating.measuring.measurements import DATA_AT_FAULT, FOLDER, Measurements
from functions.rating.measuring.plan import Plan, reader_version
from functions.rating.measuring.quarantine import QUARANTINE, first_rows, put_together
from functions.rating.measuring.spark.counting import count
from functions.rating.measuring.spark.month import month_totals, usable
from functions.rating.measuring.spark.objects import BAD, ObjectCounts, raise_what_stops
from functions.rating.measuring.spark.session import SparkSql
from functions.rating.measuring.spark.tasks import COUNTS, Reading, Task, client, read_all, read_part, tasks_of
from functions.rating.measuring.totals import MonthTotals
from shared.errors import MeasuringFailed
from shared.months import Month
from shared.settings import S3Prefix

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ENGINE = "Spark"
SPLIT_OVER = 512 * 1024**2
RELATIONS = {
    "bindings": Dataset.CREATORS,
    "previous_bindings": Dataset.PREVIOUS_CREATORS,
    "orders": Dataset.ORDERS,
}


def measure(
    session: SparkSession,
    plan: Plan,
    bucket: str,
    measurements: Measurements,
    *,
    split_over: int = SPLIT_OVER,
    copy_parts: bool = False,
) -> None:
    """Measure a plan and store the measurement, or the error that the data leads to.

    ``split_over``: several tasks read a Parquet object of more bytes. ``copy_parts``: copy the parts, because Spark
    can't read S3, as on a laptop. Raises MeasuringFailed if the code is not the plan's version.
    """
    if plan.reader != reader_version():
        raise MeasuringFailed(
            f"the job's code is version {reader_version()}, expected {plan.reader}, that of the rating function. Have "
            "both deployed together: make build, make deploy."
        )
    parts = S3Prefix(measurements.location.bucket, measurements.key(plan.id, "parts"))
    reading = Reading(plan.month, plan.zone, plan.int96_is_utc, plan.reader, bucket, parts)
    with ThreadPoolExecutor() as pool:
        found = pool.map(lambda o: tasks_of(reading.content(o), o, split_over), plan.objects)
        tasks = dict(zip(plan.objects, found, strict=True))
    read = read_all(tasks, lambda some: _read_in_spark(session, reading, some))
    with TemporaryDirectory(prefix="measure-") as work:
        folder = Path(work)
        try:
            raise_what_stops(counts for _, counts in read)
            totals = _totals(session, plan, reading, read, folder, copy_parts=copy_parts)
        except tuple(DATA_AT_FAULT.values()) as error:
            quarantine = _quarantine(reading, read, folder)
            error.quarantine = first_rows(quarantine) if quarantine else b""
            measurements.keep_error(plan.id, error)
        else:
            measurements.keep(plan.id, totals)


def _read_in_spark(session: SparkSession, reading: Reading, tasks: Sequence[Task]) -> list[ObjectCounts]:
    """Run each task as a task of Spark, largest first. Returns the results in the order of the tasks."""
    there = _there(reading)
    numbered = sorted(enumerate(tasks), key=lambda numbered: -numbered[1].size)
    some = session.sparkContext.parallelize(numbered, max(1, len(numbered)))
    found = some.map(lambda task: (task[0], read_part(reading, task[1], there=reading.part(task[1]) in there)))
    return [counts for _, counts in sorted(found.collect(), key=lambda numbered: numbered[0])]


def _there(reading: Reading) -> frozenset[str]:
    """The parts that an earlier attempt has finished."""
    ending, prefix = f".{COUNTS}", reading.parts.key("")
    pages = client().get_paginator("list_objects_v2").paginate(Bucket=reading.parts.bucket, Prefix=f"{prefix}/")
    names = (o["Key"].rpartition("/")[2] for page in pages for o in page.get("Contents", []))
    return frozenset(name.removesuffix(ending) for name in names if name.endswith(ending))


def _totals(
    session: SparkSession,
    plan: Plan,
    reading: Reading,
    read: Sequence[tuple[Task, ObjectCounts]],
    folder: Path,
    *,
    copy_parts: bool,
) -> MonthTotals:
    month, zone = Month.parse(plan.month), ZoneInfo(plan.zone)
    some = [o for o in plan.objects if o.dataset is Dataset.AGENCIES]
    (folder / "agencies").mkdir()
    files = (file for file, _ in fetch(client(), reading.bucket, some, folder / "agencies", 1 << 40))
    agencies = read_agencies(files, month, zone, folder, int96_is_utc=plan.int96_is_utc)
    counts = [of for _, of in read]
    rows = {dataset: sum(of.rows for of in counts if of.dataset is dataset) for dataset in Dataset}
    engine = SparkSql(session, rows[Dataset.ORDERS])
    engine.show_agencies(agencies)
    for relation, dataset in RELATIONS.items():
        wanted = [task for task, of in read if of.dataset is dataset] if usable(counts, dataset) else []
        keys = [reading.key(reading.part(task), VALID) for task in wanted]
        engine.show(relation, dataset, [_path(reading, key, folder, copy=copy_parts) for key in keys])
    counted = count(engine, month, zone, order_rows=rows[Dataset.ORDERS], binding_rows=rows[Dataset.CREATORS])
    return month_totals(counts, agencies, counted, _quarantine(reading, read, folder), ENGINE)


def _path(reading: Reading, key: str, folder: Path, *, copy: bool) -> str:
    """Where Spark reads a part."""
    if not copy:
        return f"s3://{reading.parts.bucket}/{key}"
    path = folder / key.rpartition("/")[2]
    client().download_file(reading.parts.bucket, key, str(path))
    return str(path)


def _quarantine(reading: Reading, read: Sequence[tuple[Task, ObjectCounts]], folder: Path) -> Path | None:
    """All bad rows of all tasks, one after the other."""

    def opened(task: Task) -> IO[bytes]:
        key = reading.key(reading.part(task), BAD)
        return cast(IO[bytes], client().get_object(Bucket=reading.parts.bucket, Key=key)["Body"])

    members = [(task.object.key, partial(opened, task)) for task, of in read if of.bad]
    return put_together(folder / QUARANTINE, members)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as a job. Glue adds arguments of its own, which are ignored."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--plan", required=True, action="append", help="where a plan is in S3; several are measured in turn"
    )
    parser.add_argument("--extracts", required=True)
    parser.add_argument(
        "--split-over", type=int, default=SPLIT_OVER, help="bytes of Parquet that one task reads (default: 512 MB)"
    )
    parser.add_argument("--copy-parts", action="store_true", help="Spark can't read S3 itself")
    given, _ = parser.parse_known_args(arguments)
    from pyspark.sql import SparkSession  # noqa: PLC0415 - only the job has it

    bucket = S3Prefix.parse(given.extracts).bucket
    session = SparkSession.builder.appName("measure").getOrCreate()
    try:
        for plan in map(S3Prefix.parse, given.plan):
            body = client().get_object(Bucket=plan.bucket, Key=plan.prefix)["Body"].read()
            reports = S3Prefix(plan.bucket, plan.prefix.rpartition(f"{FOLDER}/")[0].strip("/"))
            with TemporaryDirectory() as folder:
                measurements = Measurements(client(), reports, Path(folder))
                measure(
                    session,
                    Plan.from_json(body.decode()),
                    bucket,
                    measurements,
                    split_over=given.split_over,
                    copy_parts=given.copy_parts,
                )
            session.catalog.clearCache()
    finally:
        session.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
