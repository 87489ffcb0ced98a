"""Environment variables, read once into frozen values; what is missing or malformed is listed all at once."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.errors import SettingsMissing

_WORKLOAD_PROVIDER = re.compile(
    r"//iam\.googleapis\.com/projects/[0-9]+/locations/global/workloadIdentityPools/[^/]+/providers/[^/]+"
)
DEFAULT_ZONE = "Asia/Shanghai"
DEFAULT_RETENTION_MONTHS = 25  # two years and the month they are compared with
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


@dataclass(frozen=True, slots=True)
class RatingSettings:
    """What the rating function is told by its environment.

    ``stack`` tells its metrics from those of other stacks. ``example_allowed``: levels may be published by the shipped
    example's thresholds. ``int96_is_utc``: Parquet's INT96 is UTC, as Spark
    writes it, not local time as Impala does.
    """

    table_name: str
    extracts: S3Prefix
    reports: S3Prefix
    workbook: str
    zone: ZoneInfo
    event_bus: str
    scratch: Path
    retention_months: int
    stack: str
    example_allowed: bool
    int96_is_utc: bool

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        reader = _Reader(environment)
        values = (
            reader.required("TABLE_NAME"),
            reader.location("EXTRACTS"),
            reader.location("REPORTS"),
            reader.workbook("WORKBOOK"),
            reader.zone(),
            environment.get("EVENT_BUS") or "default",
            Path(environment.get("SCRATCH") or tempfile.gettempdir()),
            reader.whole("RETENTION_MONTHS", DEFAULT_RETENTION_MONTHS),
            reader.stack(),
            environment.get("EXAMPLE_THRESHOLDS") == "allow",
            reader.one_of("PARQUET_INT96", "utc", "local") == "utc",
        )
        reader.finish()
        return cls(*values)


@dataclass(frozen=True, slots=True)
class LookupSettings:
    """What the lookup function is told by its environment.

    ``cursor_key`` signs cursors; the same on every instance of a stack. ``agency_claim``: the claim of a token that
    names its agency. ``request_seconds``: the time that a request may take. ``base_path``: what a custom domain puts
    before every path, ``/levels`` or empty. ``local_caller``: on a developer's machine, where no gateway checks tokens,
    who asks: an agency's id, or ``*`` for any; the template never sets it.
    """

    table_name: str
    zone: ZoneInfo
    cursor_key: str
    agency_claim: str
    request_seconds: float
    retention_months: int
    base_path: str
    local_caller: str
    stack: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        reader = _Reader(environment)
        table_name = reader.required("TABLE_NAME")
        values = (
            table_name,
            reader.zone(),
            environment.get("CURSOR_KEY") or table_name,
            environment.get("AGENCY_CLAIM") or DEFAULT_AGENCY_CLAIM,
            float(reader.whole("REQUEST_SECONDS", DEFAULT_REQUEST_SECONDS)),
            reader.whole("RETENTION_MONTHS", DEFAULT_RETENTION_MONTHS),
            reader.base_path("BASE_PATH"),
            environment.get("LOCAL_CALLER") or "",
            reader.stack(),
        )
        reader.finish()
        return cls(*values)


@dataclass(frozen=True, slots=True)
class OperationsSettings:
    """What the function behind the console is told by its environment. ``rating_function``: whom it asks."""

    table_name: str
    extracts: S3Prefix
    reports: S3Prefix
    workbook: str
    rating_function: str
    zone: ZoneInfo

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        reader = _Reader(environment)
        values = (
            reader.required("TABLE_NAME"),
            reader.location("EXTRACTS"),
            reader.location("REPORTS"),
            environment.get("WORKBOOK", ""),
            reader.required("RATING_FUNCTION"),
            reader.zone(),
        )
        reader.finish()
        return cls(*values)


@dataclass(frozen=True, slots=True)
class GoogleSettings:
    """How to prove to Google who is reading the sheet: exactly one of two ways.

    Keyless: ``workload_provider``, the full name of the workload identity provider that trusts this AWS role
    (``//iam.googleapis.com/projects/<number>/locations/global/workloadIdentityPools/<pool>/providers/<provider>``),
    and ``service_account``, the e-mail address it stands in for and the sheet is shared with.
    With a key: ``key_secret``, the name or ARN of the secret in Secrets Manager that holds the service account's key.
    """

    workload_provider: str
    service_account: str
    key_secret: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        reader = _Reader(environment)
        key_secret = environment.get("GOOGLE_KEY_SECRET", "")
        if key_secret:
            for name in ("GOOGLE_WORKLOAD_PROVIDER", "GOOGLE_SERVICE_ACCOUNT"):
                reader.absent(name, "GOOGLE_KEY_SECRET")
            values = ("", "", key_secret)
        else:
            values = (reader.provider("GOOGLE_WORKLOAD_PROVIDER"), reader.required("GOOGLE_SERVICE_ACCOUNT"), "")
        reader.finish()
        return cls(*values)


class _Reader:
    """Collects complaints, so that one look shows everything that is to be set."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.complaints: list[str] = []

    def required(self, name: str) -> str:
        value = self.environment.get(name, "")
        if not value:
            self.complaints.append(f"{name} is not set")
        return value

    def absent(self, name: str, because_of: str) -> None:
        if self.environment.get(name):
            self.complaints.append(f"{name} and {because_of} are both set, and only one of them can count")

    def provider(self, name: str) -> str:
        value = self.required(name)
        if value and not _WORKLOAD_PROVIDER.fullmatch(value):
            self.complaints.append(
                f"{name}: expected //iam.googleapis.com/projects/<number>/locations/global/workloadIdentityPools/"
                f"<pool>/providers/<provider>, found {value!r}"
            )
        return value

    def location(self, name: str) -> S3Prefix:
        value = self.required(name)
        try:
            return S3Prefix.parse(value) if value else S3Prefix("", "")
        except ValueError as error:
            self.complaints.append(f"{name}: {error}")
            return S3Prefix("", "")

    def workbook(self, name: str) -> str:
        value = self.required(name)
        kind, _, rest = value.partition(":")
        if value and (kind not in ("gsheet", "s3", "dir") or not rest):
            forms = "gsheet:<spreadsheet key>, s3://<bucket>/<key>.xlsx, s3://<bucket>/<prefix>/ or dir:<folder>"
            self.complaints.append(f"{name}: expected {forms}, found {value!r}")
        return value

    def base_path(self, name: str) -> str:
        """``levels``, ``/levels`` and ``/levels/`` are all ``/levels``; empty where there is none."""
        path = self.environment.get(name, "").strip("/")
        return f"/{path}" if path else ""

    def zone(self) -> ZoneInfo:
        name = self.environment.get("TIMEZONE") or DEFAULT_ZONE
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            self.complaints.append(f"TIMEZONE: expected a name such as {DEFAULT_ZONE}, found {name!r}")
            return ZoneInfo("UTC")

    def whole(self, name: str, default: int) -> int:
        text = self.environment.get(name) or str(default)
        if not text.isdecimal() or not int(text):
            self.complaints.append(f"{name}: expected a whole number of at least 1, found {text!r}")
            return default
        return int(text)

    def stack(self) -> str:
        return self.environment.get("STACK") or "local"

    def one_of(self, name: str, default: str, other: str) -> str:
        value = self.environment.get(name) or default
        if value not in (default, other):
            self.complaints.append(f"{name}: expected {default} or {other}, found {value!r}")
        return value

    def finish(self) -> None:
        if self.complaints:
            raise SettingsMissing(
                "; ".join(self.complaints) + ". Set them in the function's environment (template.yaml)."
            )
