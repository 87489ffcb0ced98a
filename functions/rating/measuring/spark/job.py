"""The Spark job: measures a plan and keeps what came of it. AWS Glue runs this module; so does a laptop.

    python -m functions.rating.measuring.spark.job --plan s3://reports/…/measured/<id>/plan.json --extracts s3://bucket/…

Ends with 0 when a measurement is kept, or the error that the data leads to. Anything else fails the job, and the
next one goes on with the parts that are there.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from functions.rating.extracts.datasets import Dataset
from functions.rating.extracts.download import fetch
from functions.rating.measuring.embedded.agencies import read_agencies
from functions.rating.measuring.embedded.reading.one_object import VALID
from functions.rating.measuring.measurements import DATA_AT_FAULT, FOLDER, Measurements
from functions.rating.measuring.plan import Plan, reader_version
from functions.rating.measuring.quarantine import QUARANTINE, first_rows, header_member
from functions.rating.measuring.spark.counting import count
from functions.rating.measuring.spark.month import month_totals, usable
from functions.rating.measuring.spark.objects import BAD, ObjectCounts, raise_what_stops
from functions.rating.measuring.spark.session import SparkSql
from functions.rating.measuring.spark.tasks import COUNTS, Reading, client, read_part
from functions.rating.measuring.totals import MonthTotals
from shared.errors import MeasuringFailed
from shared.months import Month
from shared.settings import S3Prefix

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ENGINE = "Spark"
RELATIONS = {
    "bindings": Dataset.CREATORS,
    "previous_bindings": Dataset.PREVIOUS_CREATORS,
    "orders": Dataset.ORDERS,
}


def measure(session: SparkSession, plan: Plan, bucket: str, measurements: Measurements, *, copy_parts: bool) -> None:
    """Measure a plan and keep the measurement, or the error that the data leads to.

    ``copy_parts``: Spark can't read S3 itself, as on a laptop. Raises MeasuringFailed when the code is not the plan's.
    """
    if plan.reader != reader_version():
        raise MeasuringFailed(
            f"the job's code is version {reader_version()}, expected {plan.reader}, that of the rating function. Have "
            "both deployed together: make build, make deploy."
        )
    parts = S3Prefix(measurements.location.bucket, measurements.key(plan.id, "parts"))
    reading = Reading(plan.month, plan.zone, plan.int96_is_utc, plan.reader, bucket, parts)
    with TemporaryDirectory(prefix="measure-") as work:
        folder = Path(work)
        counts = read_parts(session, plan, reading)
        try:
            raise_what_stops(counts)
            totals = _totals(session, plan, reading, counts, folder, copy_parts=copy_parts)
        except tuple(DATA_AT_FAULT.values()) as error:
            quarantine = _quarantine(plan, reading, counts, folder)
            error.quarantine = first_rows(quarantine) if quarantine else b""
            measurements.keep_error(plan.id, error)
        else:
            measurements.keep(plan.id, totals)


def read_parts(session: SparkSession, plan: Plan, reading: Reading) -> list[ObjectCounts]:
    """Every object read in a task of its own, the largest first; what each came to, in the plan's order."""
    there = _there(reading)
    objects = sorted(enumerate(plan.objects), key=lambda numbered: -numbered[1].size)
    tasks = session.sparkContext.parallelize(objects, max(1, len(objects)))
    found = tasks.map(lambda task: (task[0], read_part(reading, task[1], there=reading.part(task[1]) in there)))
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
    counts: Sequence[ObjectCounts],
    folder: Path,
    *,
    copy_parts: bool,
) -> MonthTotals:
    month, zone = Month.parse(plan.month), ZoneInfo(plan.zone)
    some = [o for o in plan.objects if o.dataset is Dataset.AGENCIES]
    (folder / "agencies").mkdir()
    files = (file for file, _ in fetch(client(), reading.bucket, some, folder / "agencies", 1 << 40))
    agencies = read_agencies(files, month, zone, folder, int96_is_utc=plan.int96_is_utc)
    rows = {dataset: sum(of.rows for of in counts if of.dataset is dataset) for dataset in Dataset}
    engine = SparkSql(session, rows[Dataset.ORDERS])
    engine.show_agencies(agencies)
    for relation, dataset in RELATIONS.items():
        wanted = [o for o in plan.objects if o.dataset is dataset] if usable(counts, dataset) else []
        keys = [reading.key(reading.part(o), VALID) for o in wanted]
        engine.show(relation, dataset, [_path(reading, key, folder, copy=copy_parts) for key in keys])
    counted = count(engine, month, zone, order_rows=rows[Dataset.ORDERS], binding_rows=rows[Dataset.CREATORS])
    return month_totals(counts, agencies, counted, _quarantine(plan, reading, counts, folder), ENGINE)


def _path(reading: Reading, key: str, folder: Path, *, copy: bool) -> str:
    """Where Spark reads a part."""
    if not copy:
        return f"s3://{reading.parts.bucket}/{key}"
    path = folder / key.rpartition("/")[2]
    client().download_file(reading.parts.bucket, key, str(path))
    return str(path)


def _quarantine(plan: Plan, reading: Reading, counts: Sequence[ObjectCounts], folder: Path) -> Path | None:
    """All bad rows: the members that the tasks have written, one after the other."""
    bad = sorted(
        (o.key, reading.key(reading.part(o), BAD)) for o, of in zip(plan.objects, counts, strict=True) if of.bad
    )
    if not bad:
        return None
    path = folder / QUARANTINE
    with path.open("wb") as into:
        into.write(header_member())
        for _, key in bad:
            shutil.copyfileobj(client().get_object(Bucket=reading.parts.bucket, Key=key)["Body"], into)
    return path


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as a job. Glue adds arguments of its own, which are passed over."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--plan", required=True, action="append", help="where a plan is in S3; several are measured in turn"
    )
    parser.add_argument("--extracts", required=True)
    parser.add_argument("--copy-parts", action="store_true", help="Spark can't read S3 itself")
    given, _ = parser.parse_known_args(arguments)
    from pyspark.sql import SparkSession  # noqa: PLC0415 - only the job has it

    bucket = S3Prefix.parse(given.extracts).bucket
    session = SparkSession.builder.appName("measure").getOrCreate()
    try:
        for place in map(S3Prefix.parse, given.plan):
            body = client().get_object(Bucket=place.bucket, Key=place.prefix)["Body"].read()
            reports = S3Prefix(place.bucket, place.prefix.rpartition(f"{FOLDER}/")[0].strip("/"))
            with TemporaryDirectory() as folder:
                measurements = Measurements(client(), reports, Path(folder))
                measure(session, Plan.from_json(body.decode()), bucket, measurements, copy_parts=given.copy_parts)
            session.catalog.clearCache()
    finally:
        session.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
