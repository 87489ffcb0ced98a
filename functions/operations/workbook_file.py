"""The workbook, if it is an Excel file in S3: reads which one is there, and replaces it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from functions.operations.problems import Stale, Unavailable
from shared.settings import S3Prefix

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ABSENT = (HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN)  # without the right to list, S3 answers 403 for an absent object


@dataclass(frozen=True, slots=True)
class Stored:
    """The current file. ``etag``: identifies its content. ``by``: who uploaded it in the console, if somebody did."""

    etag: str
    at: datetime
    by: str | None


@dataclass(frozen=True, slots=True)
class WorkbookFile:
    """Reads and replaces one object."""

    s3: S3Client
    location: S3Prefix

    def stored(self) -> Stored | None:
        """The current file; None if there is none. Raises Unavailable."""
        try:
            found = self.s3.head_object(Bucket=self.location.bucket, Key=self.location.prefix)
        except (BotoCoreError, ClientError) as error:
            if _status(error) in _ABSENT:
                return None
            raise Unavailable("The workbook can't be read now.", "暂时无法读取工作簿。") from error
        return Stored(found["ETag"].strip('"'), found["LastModified"], found.get("Metadata", {}).get("by"))

    def replace(self, content: bytes, by: str, replaces: str | None) -> None:
        """Replace the file whose ETag is ``replaces``; None: put the first one.

        Raises Stale if another file is there now, and Unavailable.
        """
        seen = {"IfMatch": replaces} if replaces else {"IfNoneMatch": "*"}
        try:
            self.s3.put_object(
                Bucket=self.location.bucket,
                Key=self.location.prefix,
                Body=content,
                Metadata={"by": by.encode("ascii", "xmlcharrefreplace").decode()},
                **seen,  # type: ignore[arg-type]
            )
        except (BotoCoreError, ClientError) as error:
            if _status(error) in (HTTPStatus.PRECONDITION_FAILED, HTTPStatus.CONFLICT, HTTPStatus.NOT_FOUND):
                raise self._replaced() from error
            raise Unavailable("The workbook can't be written now.", "暂时无法保存工作簿。") from error

    def _replaced(self) -> Stale:
        """The refusal of an upload, because the file was replaced since: by whom, and when."""
        now = None
        with suppress(Unavailable):
            now = self.stored()
        by = now.by if now and now.by else "–"
        return Stale(
            f"The workbook was replaced since this page was loaded (by {by}). Load the page again first.",
            f"页面打开后工作簿已被替换（操作人 {by}）。请刷新页面，先查看其改动。",
            by=now.by if now else None,
            at=now.at.isoformat() if now else None,
        )


def _status(error: BotoCoreError | ClientError) -> int:
    """The HTTP status of S3's answer; 0 without an answer."""
    if not isinstance(error, ClientError):
        return 0
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
