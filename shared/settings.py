"""Environment variables, read once into frozen values; what is missing or malformed is listed all at once."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.errors import SettingsMissing

DEFAULT_ZONE = "Asia/Shanghai"
DEFAULT_RETENTION_MONTHS = 25  # two years and the month they are compared with


@dataclass(frozen=True, slots=True)
class S3Prefix:
    """A place in S3: ``s3://bucket/prefix``; the prefix has no slash at either end and may be empty."""

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
        """The object key of a path below this place."""
        return "/".join(part for part in (self.prefix, *parts) if part)

    def url(self, *parts: str) -> str:
        return f"s3://{self.bucket}/{self.key(*parts)}"


@dataclass(frozen=True, slots=True)
class RatingSettings:
    """What the rating function is told by its environment."""

    table_name: str
    extracts: S3Prefix
    reports: S3Prefix
    workbook: str
    zone: ZoneInfo
    event_bus: str
    scratch: Path
    retention_months: int

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        reader = _Reader(environment)
        values = (
            reader.required("TABLE_NAME"),
            reader.place("EXTRACTS"),
            reader.place("REPORTS"),
            reader.workbook("WORKBOOK"),
            reader.zone(),
            environment.get("EVENT_BUS") or "default",
            Path(environment.get("SCRATCH") or tempfile.gettempdir()),
            reader.whole("RETENTION_MONTHS", DEFAULT_RETENTION_MONTHS),
        )
        reader.finish()
        return cls(*values)


@dataclass(frozen=True, slots=True)
class LookupSettings:
    """What the lookup function is told by its environment."""

    table_name: str
    zone: ZoneInfo

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        reader = _Reader(environment)
        values = (reader.required("TABLE_NAME"), reader.zone())
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

    def place(self, name: str) -> S3Prefix:
        value = self.required(name)
        try:
            return S3Prefix.parse(value) if value else S3Prefix("", "")
        except ValueError as error:
            self.complaints.append(f"{name}: {error}")
            return S3Prefix("", "")

    def workbook(self, name: str) -> str:
        value = self.required(name)
        kind, _, rest = value.partition(":")
        if value and (kind not in ("gsheet", "dir") or not rest):
            self.complaints.append(f"{name}: expected gsheet:<spreadsheet key> or dir:<folder>, found {value!r}")
        return value

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

    def finish(self) -> None:
        if self.complaints:
            raise SettingsMissing(
                "; ".join(self.complaints) + ". Set them in the function's environment (template.yaml)."
            )
