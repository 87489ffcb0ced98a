"""Measurements in S3, one folder for each id: the result of an engine, kept for all later runs.

    measured/<id>/relations.json.gz    the totals
    measured/<id>/quarantine.csv.gz    the bad rows, if there are any
    measured/<id>/done.json            written last: the digests of both, uncompressed
    measured/<id>/error.json           instead of all of them, if the data is wrong: class and message

The engine's name is in the metadata of done.json, so that the bytes do not depend on it.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from functions.rating.measuring.plan import Plan
from functions.rating.measuring.quarantine import QUARANTINE
from functions.rating.measuring.relations import packed, relations_of, totals_of
from functions.rating.measuring.totals import MonthTotals
from shared.content import canonical_json
from shared.errors import AgenciesInvalid, ExtractError, MeasuringFailed, ObjectInvalid
from shared.observability import logger
from shared.settings import S3Prefix

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

FOLDER = "measured"
RELATIONS, DONE, ERROR, PLAN = "relations.json.gz", "done.json", "error.json", "plan.json"
DATA_AT_FAULT = {error.__name__: error for error in (ObjectInvalid, AgenciesInvalid)}
"""Errors that the same objects always lead to, with any settings and on any machine."""


@dataclass(frozen=True, slots=True)
class Measurements:
    """The measurements below one location in S3. ``folder``: for a downloaded quarantine."""

    s3: S3Client
    location: S3Prefix
    folder: Path

    def find(self, measurement: str) -> MonthTotals | None:
        """The stored totals; None if there are none, or if they are damaged.

        Raises the error that the data led to, and MeasuringFailed if S3 refuses.
        """
        with self._named(measurement):
            names = self._names(measurement)
            if ERROR in names:
                self._raise(measurement, names)
            if DONE not in names:
                return None
            done = self.s3.get_object(Bucket=self.location.bucket, Key=self.key(measurement, DONE))
            digests, engine = json.loads(done["Body"].read()), done["Metadata"].get("engine")
            try:
                relations = self._get(measurement, RELATIONS)
                totals = totals_of(_checked(gzip.decompress(relations), digests[RELATIONS]))
                quarantine = self._quarantine(measurement, digests[QUARANTINE]) if QUARANTINE in digests else None
            except (ClientError, OSError, EOFError, zlib.error, ValueError, LookupError, TypeError) as error:
                logger.warning("a measurement is damaged and not used", measurement=measurement, cause=str(error))
                return None
        return replace(totals, quarantine=quarantine, engine=engine)

    def keep(self, measurement: str, totals: MonthTotals) -> None:
        """Store totals; ``done.json`` comes last. Raises MeasuringFailed."""
        relations = relations_of(totals)
        digests = {RELATIONS: sha256(relations).hexdigest()}
        with self._named(measurement):
            if totals.quarantine:
                digests[QUARANTINE] = _digest(totals.quarantine)
                with totals.quarantine.open("rb") as body:
                    self.s3.upload_fileobj(body, self.location.bucket, self.key(measurement, QUARANTINE))
            self._put(measurement, RELATIONS, packed(relations))
            self._put(measurement, DONE, canonical_json(digests).encode(), engine=totals.engine or "")

    def keep_error(self, measurement: str, error: ExtractError) -> None:
        """Store the error that the data led to. Does nothing if another run of the same data could succeed."""
        name = type(error).__name__
        if name not in DATA_AT_FAULT:
            return
        with self._named(measurement):
            if error.quarantine:
                self._put(measurement, QUARANTINE, error.quarantine)
            self._put(measurement, ERROR, canonical_json({"class": name, "message": str(error)}).encode())

    def keep_plan(self, plan: Plan) -> None:
        """Store what a job has to measure. Raises MeasuringFailed."""
        with self._named(plan.id):
            self._put(plan.id, PLAN, plan.as_json().encode())

    def plan_key(self, measurement: str) -> str:
        return self.key(measurement, PLAN)

    def key(self, measurement: str, *names: str) -> str:
        return self.location.key(FOLDER, measurement, *names)

    def _names(self, measurement: str) -> set[str]:
        """The names of a measurement's files, without its parts."""
        prefix = self.key(measurement) + "/"
        listed = self.s3.list_objects_v2(Bucket=self.location.bucket, Prefix=prefix, Delimiter="/")
        return {found["Key"].removeprefix(prefix) for found in listed.get("Contents", [])}

    def _raise(self, measurement: str, names: set[str]) -> None:
        stored = json.loads(self._get(measurement, ERROR))
        error = DATA_AT_FAULT[stored["class"]](stored["message"])
        error.quarantine = self._get(measurement, QUARANTINE) if QUARANTINE in names else b""
        raise error

    def _quarantine(self, measurement: str, digest: str) -> Path:
        path = self.folder / measurement / QUARANTINE
        path.parent.mkdir(exist_ok=True)
        self.s3.download_file(self.location.bucket, self.key(measurement, QUARANTINE), str(path))
        if _digest(path) != digest:
            raise ValueError(f"{QUARANTINE} is not what {DONE} says")
        return path

    def _get(self, measurement: str, name: str) -> bytes:
        return self.s3.get_object(Bucket=self.location.bucket, Key=self.key(measurement, name))["Body"].read()

    def _put(self, measurement: str, name: str, body: bytes, **facts: str) -> None:
        self.s3.put_object(
            Bucket=self.location.bucket,
            Key=self.key(measurement, name),
            Body=body,
            Metadata=facts,
            ContentType=_TYPES[name],
        )

    @contextmanager
    def _named(self, measurement: str) -> Iterator[None]:
        """Raises MeasuringFailed for errors of S3, naming the location."""
        try:
            yield
        except (BotoCoreError, ClientError) as error:
            raise MeasuringFailed(
                f"{self.location.url(FOLDER, measurement)}: the measurement can't be read or written ({error}). Check "
                "the policy of the reports bucket and the function's role, then run the month again."
            ) from error


_TYPES = {
    RELATIONS: "application/octet-stream",
    QUARANTINE: "application/octet-stream",
    DONE: "application/json",
    ERROR: "application/json; charset=utf-8",
    PLAN: "application/json; charset=utf-8",
}


def _checked(content: bytes, digest: str) -> bytes:
    if sha256(content).hexdigest() != digest:
        raise ValueError(f"{RELATIONS} is not what {DONE} says")
    return content


def _digest(quarantine: Path) -> str:
    """The digest of a quarantine's unpacked content."""
    digest = sha256()
    with gzip.open(quarantine, "rb") as content:
        while some := content.read(1 << 20):
            digest.update(some)
    return digest.hexdigest()
