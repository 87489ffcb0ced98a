"""A workbook in S3: an Excel file or a folder of CSV files. The answer to each check is written next to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from functions.rating.workbook.asks import Ask
from functions.rating.workbook.bucket.status_files import status_page, status_workbook
from functions.rating.workbook.cells import Language, RawTab, RawWorkbook
from functions.rating.workbook.description import Description
from functions.rating.workbook.excel import MOST_BYTES, read_excel
from functions.rating.workbook.folder import read_csv
from functions.rating.workbook.status import StatusPage
from shared.errors import WorkbookUnavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_Answer = TypeVar("_Answer")
_MISSING = ("NoSuchKey", "NoSuchBucket", "NoSuchVersion", "404")


@dataclass(frozen=True, slots=True)
class BucketWorkbook:
    """The workbook at ``s3://<bucket>/<key>.xlsx``, or in the CSV files of ``s3://<bucket>/<prefix>/``.

    ``version``: of the file; None for the newest. Each file of a folder has its own version.
    """

    s3: S3Client = field(repr=False)
    bucket: str
    key: str
    description: Description
    version: str | None = None

    def __post_init__(self) -> None:
        if not self.bucket or not self.key.endswith((".xlsx", "/")) or (self.version and self.key.endswith("/")):
            raise WorkbookUnavailable(
                f"workbook {self}: expected s3://<bucket>/<key>.xlsx, or s3://<bucket>/<prefix>/ with a slash at its "
                "end for a folder of CSV files"
            )

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}" + (f"?versionId={self.version}" if self.version else "")

    def owns(self, bucket: str, key: str, /) -> bool:
        """Whether an object is the workbook, or one of its CSV files."""
        if bucket != self.bucket:
            return False
        return key == self.key or (self.key.endswith("/") and _csv_title(self.key, key) is not None)

    def read(self) -> RawWorkbook:
        """The current cells. Raises WorkbookUnavailable."""
        if self.key.endswith(".xlsx"):
            content, stored_as = self._content(self.key)
            return replace(read_excel(content, str(self), self.description.reads), stored_as=stored_as)
        tabs: list[RawTab] = []
        unread: list[str] = []
        versions: list[str] = []
        for key, title in self._csv_files():
            if not self.description.reads(title):
                unread.append(title)
                continue
            content, stored_as = self._content(key)
            tabs.append(RawTab(title, read_csv(content, f"s3://{self.bucket}/{key}")))
            versions += stored_as
        return RawWorkbook(tuple(tabs), typed=False, unread=tuple(unread), stored_as=tuple(versions))

    def addresses(self) -> Mapping[str, str]:
        return {}

    def asks(self) -> Sequence[Ask]:
        return ()

    def claim(self, asks: Sequence[Ask]) -> None:
        """Nothing: nobody asks here."""

    def answer(self, ask: Ask, message: str, *, done: bool) -> None:
        """Does nothing: nobody can tick boxes in a file."""

    def show_status(self, page: StatusPage) -> None:
        """Write the status next to the workbook: ``levels.status.xlsx`` and ``levels.status.html``."""
        language = self._language()
        rows = page(language).rows
        stem = self.key.removesuffix(".xlsx")
        path = f"{stem}status" if stem.endswith("/") else f"{stem}.status"
        self._put(f"{path}.xlsx", status_workbook(rows, language), _EXCEL)
        self._put(f"{path}.html", status_page(rows, language), "text/html; charset=utf-8")

    def _language(self) -> Language:
        """The workbook's language, by the titles of its tabs; Chinese if the workbook can't be read."""
        try:
            return self.description.language(tab.title for tab in self.read().tabs)
        except WorkbookUnavailable:
            return "zh"

    def show_versions(self, page: StatusPage) -> None:
        """Does nothing: S3 keeps the versions of the object, and ``make diff`` compares them."""

    def _csv_files(self) -> list[tuple[str, str]]:
        """Key and title of every CSV file directly in the folder."""

        def listed() -> list[str]:
            pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.key)
            return [found["Key"] for page in pages for found in page.get("Contents", [])]

        found = [(key, title) for key in self._ask(listed, "listed") if (title := _csv_title(self.key, key))]
        if not found:
            raise WorkbookUnavailable(
                f"workbook {self}: it has no .csv file; expected one per tab, such as levels.csv or 等级.csv"
            )
        return found

    def _content(self, key: str) -> tuple[bytes, tuple[str, ...]]:
        """The bytes of an object, and its address with its version; the address is empty without versions."""

        def fetched() -> tuple[bytes, tuple[str, ...]]:
            asked = {"Bucket": self.bucket, "Key": key} | ({"VersionId": self.version} if self.version else {})
            answer = self.s3.get_object(**asked)  # type: ignore[arg-type]
            if answer["ContentLength"] > MOST_BYTES:
                size = f"{answer['ContentLength']:,} bytes; expected at most {MOST_BYTES:,}"
                raise WorkbookUnavailable(
                    f"workbook s3://{self.bucket}/{key}: {size}. Delete pictures and unused rows."
                )
            version = answer.get("VersionId", "null")  # the version id of an object without versions
            stored_as = () if version == "null" else (f"s3://{self.bucket}/{key}?versionId={version}",)
            return answer["Body"].read(), stored_as

        return self._ask(fetched, "read")

    def _put(self, key: str, body: bytes, content_type: str) -> None:
        self._ask(
            lambda: self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType=content_type),
            f"given its answer ({key})",
        )

    def _ask(self, request: Callable[[], _Answer], what: str) -> _Answer:
        try:
            return request()
        except ClientError as error:
            code = error.response["Error"]["Code"]
            cause = "there is no such object; upload the workbook there" if code in _MISSING else f"S3 says {error}"
            raise WorkbookUnavailable(f"workbook {self} can't be {what}: {cause}") from error
        except BotoCoreError as error:
            raise WorkbookUnavailable(
                f"workbook {self} can't be {what}: {error}; the next firing tries again"
            ) from error


def _csv_title(folder: str, key: str) -> str | None:
    """The tab of a CSV file directly in the folder; None for any other object."""
    name = key.removeprefix(folder)
    if not key.startswith(folder) or "/" in name or not name.lower().endswith(".csv"):
        return None
    return name[:-4]
