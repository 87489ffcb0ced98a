"""S3 as far as the functions use it: objects are put, read and listed; a put replaces the whole object."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from hashlib import md5
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

KEYS_OF_A_PAGE = 1000


class Stored(NamedTuple):
    """An object."""

    body: bytes
    etag: str
    at: datetime
    metadata: dict[str, str]


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class S3:
    """The objects of all buckets. A bucket exists as soon as it has an object."""

    objects: dict[str, Stored] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def _put(self, path: str, body: bytes, metadata: dict[str, str]) -> Answer:
        etag = f'"{md5(body, usedforsecurity=False).hexdigest()}"'
        self.objects[path] = Stored(body, etag, datetime.now(UTC), metadata)
        return Answer(200, {"ETag": etag}, b"")

    def do(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """The answer to one request."""
        address = urlsplit(target)
        path, query = unquote(address.path), parse_qs(address.query, keep_blank_values=True)
        with self.lock:
            if method == "PUT":
                metadata = {name: value for name, value in headers.items() if name.lower().startswith("x-amz-meta-")}
                return self._put(path, body, metadata)
            if "list-type" in query:
                return self._listed(path.strip("/"), {name: values[0] for name, values in query.items()})
            found = self.objects.get(path)
        if found is None:
            return _refusal(404, "NoSuchKey")
        if headers.get("If-Match") not in (None, found.etag):
            return _refusal(412, "PreconditionFailed")
        last_modified = format_datetime(found.at, usegmt=True)
        return Answer(200, {"ETag": found.etag, "Last-Modified": last_modified, **found.metadata}, found.body)

    def _listed(self, bucket: str, query: dict[str, str]) -> Answer:
        begins, after, delimiter = (query.get(name, "") for name in ("prefix", "continuation-token", "delimiter"))
        keys = sorted(path.removeprefix(f"/{bucket}/") for path in self.objects if path.startswith(f"/{bucket}/"))
        wanted = [key for key in keys if key.startswith(begins) and key > after]
        page = wanted[:KEYS_OF_A_PAGE]
        more = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if len(wanted) > len(page) else ""
        folders = {_folder(key, begins, delimiter) for key in page} - set(page)
        direct = [key for key in page if _folder(key, begins, delimiter) == key]
        contents = "".join(self._entry(bucket, key) for key in direct) + "".join(
            f"<CommonPrefixes><Prefix>{escape(folder)}</Prefix></CommonPrefixes>" for folder in sorted(folders)
        )
        truncated = str(bool(more)).lower()
        text = f"<ListBucketResult><IsTruncated>{truncated}</IsTruncated>{more}{contents}</ListBucketResult>"
        return Answer(200, {"Content-Type": "application/xml"}, text.encode())

    def _entry(self, bucket: str, key: str) -> str:
        stored = self.objects[f"/{bucket}/{key}"]
        facts = f"<ETag>{escape(stored.etag)}</ETag><Size>{len(stored.body)}</Size>"
        at = stored.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return f"<Contents><Key>{escape(key)}</Key><LastModified>{at}</LastModified>{facts}</Contents>"


def _folder(key: str, begins: str, delimiter: str) -> str:
    """The folder below a prefix that contains a key; the key itself if there is none."""
    head, found, _ = key.removeprefix(begins).partition(delimiter) if delimiter else ("", "", "")
    return f"{begins}{head}{delimiter}" if found else key


def _refusal(status: int, code: str) -> Answer:
    return Answer(status, {}, f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode())
