"""The settings: environment variables, read once into frozen values. All missing or wrong ones are listed at once."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    model_validator,
)

from shared.errors import SettingsMissing

_WORKLOAD_PROVIDER = re.compile(
    r"//iam\.googleapis\.com/projects/[0-9]+/locations/global/workloadIdentityPools/[^/]+/providers/[^/]+"
)
DEFAULT_ZONE = "Asia/Shanghai"
DEFAULT_RETENTION_MONTHS = 25  # two years, and the month before them for comparison
DEFAULT_EMBEDDED_GB = 8
DEFAULT_AGENCY_CLAIM = "agency_id"
DEFAULT_REQUEST_SECONDS = 3


@dataclass(frozen=True, slots=True)
class S3Prefix:
    """A location in S3: ``s3://bucket/prefix``; the prefix has no slash at either end and may be empty."""

    bucket: str
    prefix: str

    @classmethod
    def parse(cls, text: str) -> Self:
        scheme, _, rest = text.partition("://")
        bucket, _, prefix = rest.partition("/")
        if scheme != "s3" or not bucket:
            raise ValueError(f"expected s3://bucket/prefix, found {text!r}")
        return cls(bucket, prefix.strip("/"))

    def key(self, *parts: str) -> str:
        """The object key of a path below this location."""
        return "/".join(part for part in (self.prefix, *parts) if part)

    def url(self, *parts: str) -> str:
        return f"s3://{self.bucket}/{self.key(*parts)}"


def _parsed_zone(value: str) -> ZoneInfo:
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"expected a name such as {DEFAULT_ZONE}, found {value!r}") from None


def _parsed_count(value: str) -> int:
    if not value.isdecimal() or not int(value):
        raise ValueError(f"expected a whole number of at least 1, found {value!r}")
    return int(value)


def _parsed_workbook(value: str) -> str:
    kind, _, rest = value.partition(":")
    if kind not in ("gsheet", "s3", "dir") or not rest:
        forms = "gsheet:<spreadsheet key>, s3://<bucket>/<key>.xlsx, s3://<bucket>/<prefix>/ or dir:<folder>"
        raise ValueError(f"expected {forms}, found {value!r}")
    return value


def _parsed_provider(value: str) -> str:
    if value and not _WORKLOAD_PROVIDER.fullmatch(value):
        raise ValueError(
            "expected //iam.googleapis.com/projects/<number>/locations/global/workloadIdentityPools/"
            f"<pool>/providers/<provider>, found {value!r}"
        )
    return value


def _parsed_base_path(value: str) -> str:
    """``levels``, ``/levels`` and ``/levels/`` become ``/levels``; empty stays empty."""
    path = value.strip("/")
    return f"/{path}" if path else ""


def _parsed_measuring(value: str) -> str:
    if value not in ("embedded", "glue", "auto"):
        raise ValueError(f"expected embedded, glue or auto, found {value!r}")
    return value


def _is_utc(value: str) -> bool:
    if value not in ("utc", "local"):
        raise ValueError(f"expected utc or local, found {value!r}")
    return value == "utc"


Location = Annotated[S3Prefix, PlainValidator(S3Prefix.parse)]
Zone = Annotated[ZoneInfo, PlainValidator(_parsed_zone)]
Count = Annotated[int, PlainValidator(_parsed_count)]


class _Settings(BaseModel):
    """Each field is the environment variable with its name in capital letters, or its alias."""

    model_config = ConfigDict(frozen=True, alias_generator=str.upper, validate_by_name=True)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """The settings. An empty variable counts as not set. Raises SettingsMissing with all faults."""
        try:
            return cls.model_validate({name: text for name, text in environment.items() if text})
        except ValidationError as error:
            complaints = "; ".join(_complaint(found) for found in error.errors())
            raise SettingsMissing(f"{complaints}. Set them in the function's environment (template.yaml).") from None


def _complaint(found: Any) -> str:
    name = ".".join(map(str, found["loc"]))
    if found["type"] == "missing":
        return f"{name} is not set"
    reason = str(found["ctx"]["error"])  # of one of the functions above
    return f"{name}: {reason}" if name else reason


class ReadingSettings(_Settings):
    """How extracts are read.

    ``int96_is_utc``: Parquet's INT96 is UTC, as Spark writes it, not local time as Impala does.
    """

    zone: Zone = Field(ZoneInfo(DEFAULT_ZONE), alias="TIMEZONE")
    int96_is_utc: Annotated[bool, BeforeValidator(_is_utc)] = Field(True, alias="PARQUET_INT96")


class RatingSettings(ReadingSettings):
    """The settings of the rating function.

    ``workbook``: ``gsheet:<key>``, ``s3://<bucket>/<key>.xlsx``, ``s3://<bucket>/<prefix>/`` or ``dir:<folder>``.
    ``scratch``: a folder on local disk. ``retention_months``: how long a rated month is kept after its end. ``stack``:
    distinguishes its metrics from those of other stacks. ``example_allowed``: whether levels may be published with the
    shipped example's thresholds. ``measuring``: ``embedded`` in the function, ``glue`` with the job ``glue_job``,
    ``auto`` with that job if the month's order objects have more than ``embedded_gb`` together.
    """

    table_name: str
    extracts: Location
    reports: Location
    workbook: Annotated[str, PlainValidator(_parsed_workbook)]
    event_bus: str = "default"
    scratch: Path = Field(default_factory=lambda: Path(tempfile.gettempdir()))
    retention_months: Count = DEFAULT_RETENTION_MONTHS
    stack: str = "local"
    example_allowed: Annotated[bool, BeforeValidator(lambda text: text == "allow")] = Field(
        False, alias="EXAMPLE_THRESHOLDS"
    )
    measuring: Annotated[str, PlainValidator(_parsed_measuring)] = "embedded"
    glue_job: str = ""
    embedded_gb: Count = DEFAULT_EMBEDDED_GB

    @model_validator(mode="after")
    def _names_the_job(self) -> Self:
        if self.measuring != "embedded" and not self.glue_job:
            raise ValueError(f"GLUE_JOB is not set, and MEASURING is {self.measuring}")
        return self


class LookupSettings(_Settings):
    """The settings of the lookup function.

    ``cursor_key``: signs cursors; the same on every instance of a stack. ``agency_claim``: the claim of a token that
    names its agency. ``request_seconds``: the time for one request. ``base_path``: the prefix of every path under a
    custom domain, ``/levels`` or empty. ``local_caller``: the caller on a developer's machine, where no gateway checks
    tokens: an agency's id, or ``*`` for any; the template never sets it.
    """

    table_name: str
    zone: Zone = Field(ZoneInfo(DEFAULT_ZONE), alias="TIMEZONE")
    cursor_key: str = Field(default_factory=lambda known: known.get("table_name", ""))
    agency_claim: str = DEFAULT_AGENCY_CLAIM
    request_seconds: Count = DEFAULT_REQUEST_SECONDS
    retention_months: Count = DEFAULT_RETENTION_MONTHS
    base_path: Annotated[str, PlainValidator(_parsed_base_path)] = ""
    local_caller: str = ""
    stack: str = "local"


class OperationsSettings(_Settings):
    """The settings of the function behind the console. ``rating_function``: the function that it invokes."""

    table_name: str
    extracts: Location
    reports: Location
    workbook: str = ""
    rating_function: str
    zone: Zone = Field(ZoneInfo(DEFAULT_ZONE), alias="TIMEZONE")


class GoogleSettings(_Settings):
    """The identity for Google: exactly one of two ways.

    Keyless: ``workload_provider``, the full name of the workload identity provider that trusts this AWS role
    (``//iam.googleapis.com/projects/<number>/locations/global/workloadIdentityPools/<pool>/providers/<provider>``), and
    ``service_account``, the e-mail address of the service account that the sheet is shared with. With a key:
    ``key_secret``, the name or ARN of the secret in Secrets Manager with the service account's key.
    """

    model_config = ConfigDict(alias_generator=lambda name: f"GOOGLE_{name.upper()}")

    workload_provider: Annotated[str, PlainValidator(_parsed_provider)] = ""
    service_account: str = ""
    key_secret: str = ""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        keyless = {
            "GOOGLE_WORKLOAD_PROVIDER": self.workload_provider,
            "GOOGLE_SERVICE_ACCOUNT": self.service_account,
        }
        if self.key_secret:
            wrong = [
                f"{name} and GOOGLE_KEY_SECRET are both set, and only one of them can count"
                for name in keyless
                if keyless[name]
            ]
        else:
            wrong = [f"{name} is not set" for name, value in keyless.items() if not value]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self
