"""CloudFront's stand-in before a deployed stack: it does what the template says of the distribution, and nothing else.

The issuer's page is at the same origin; its tokens are those that the deployed authorizer trusts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests

from local.cloud.issuer import PATH, LocalIssuer, Person
from local.cloud.pages import with_pages
from tests.e2e.distribution import Behaviour, Distribution
from tests.e2e.issuer import Issuer
from tests.e2e.processes import free_port
from tests.serving import answering
from tools.pages import files

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

KEPT = ("content-type", "etag", "cache-control", "x-request-id")


@dataclass
class SigningIssuer(LocalIssuer):
    """The local issuer's page and exchange, with tokens that the deployed authorizer trusts."""

    signer: Issuer | None = None

    def token(self, who: Person) -> str:
        assert self.signer
        claims: dict[str, Any] = {"sub": who.subject, "name": who.name}
        return self.signer.token(who.scope, **(claims | ({"agency_id": who.agency_id} if who.agency_id else {})))


@dataclass(frozen=True)
class Edge:
    """The distribution at work. ``port``: where the emulator answers; ``bucket``: what the pages were uploaded to."""

    port: int
    distribution: Distribution
    bucket: str

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        behaviour = self.distribution.behaviour(path)
        if method not in behaviour.methods:
            start_response("403 Forbidden", [("Content-Type", "text/plain")])
            return [b"This distribution is not configured to allow the HTTP request method that was used"]
        answer = self._of_origin(behaviour, method, path, environ)
        found = {name: value for name, value in answer.headers.items() if name.lower() in KEPT}
        start_response(f"{answer.status_code} {answer.reason}", list((found | dict(behaviour.headers)).items()))
        return [answer.content]

    def _of_origin(self, behaviour: Behaviour, method: str, path: str, environ: dict[str, Any]) -> requests.Response:
        if behaviour.origin == "pages":
            name = self.distribution.root if path == "/" else path.removeprefix("/")
            return requests.request(method, f"http://127.0.0.1:{self.port}/{self.bucket}/{name}", timeout=60)
        query = f"?{environ['QUERY_STRING']}" if behaviour.query and environ.get("QUERY_STRING") else ""
        sent = {"content-type": environ.get("CONTENT_TYPE")}
        sent |= {name: environ.get("HTTP_" + name.upper().replace("-", "_")) for name in behaviour.passed_on[1:]}
        return requests.request(
            method,
            f"http://127.0.0.1:{self.port}{path}{query}",
            headers={name: value for name, value in sent.items() if value}
            | {"Host": self.distribution.domain(behaviour.origin)},
            data=environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)),
            timeout=60,
        )


@contextmanager
def edge(port: int, distribution: Distribution, signer: Issuer, s3: Any, bucket: str) -> Iterator[str]:
    """The address of pages and API; the pages are uploaded to the bucket first, as `make deploy` does."""
    own = free_port()
    url = f"http://127.0.0.1:{own}"
    issuer = SigningIssuer(url, signer=signer)
    s3.create_bucket(Bucket=bucket)
    parameters = {"JwtIssuer": issuer.issuer, "AgencyClaim": "agency_id"}
    for key, body, kind in files({"PagesClientId": issuer.config()["client_id"]}, parameters):
        s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType=kind, CacheControl="no-cache")
    at_edge = Edge(port, distribution, bucket)
    with_issuer = with_pages(at_edge, issuer)

    def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        chosen = with_issuer if environ["PATH_INFO"].startswith(f"{PATH}/") else at_edge
        return chosen(environ, start_response)

    # One request at a time: the emulator keeps one instance of each function then, and it is known what that one knows.
    with answering(application, own):
        yield url
