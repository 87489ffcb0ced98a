"""One origin for pages and API in front of a deployed stack, as CloudFront is: files at /, the gateway at /v1/*."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING, Any

import requests
import waitress

from local.cloud.issuer import LocalIssuer, Person
from local.cloud.pages import with_pages
from tests.e2e.issuer import Issuer
from tests.e2e.processes import free_port

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

PASSED_ON = {
    "HTTP_AUTHORIZATION": "Authorization",
    "HTTP_IF_NONE_MATCH": "If-None-Match",
    "CONTENT_TYPE": "Content-Type",
}


@dataclass
class SigningIssuer(LocalIssuer):
    """The local issuer's page and exchange, with tokens that the deployed authorizer trusts."""

    signer: Issuer | None = None

    def token(self, who: Person) -> str:
        assert self.signer
        claims: dict[str, Any] = {"sub": who.subject, "name": who.name}
        return self.signer.token(who.scope, **(claims | ({"agency_id": who.agency_id} if who.agency_id else {})))


@contextmanager
def edge(port: int, api_url: str, signer: Issuer) -> Iterator[str]:
    """The address of pages and API. ``port``: where the emulator answers; ``api_url``: the stack's own address."""
    own = free_port()
    url = f"http://127.0.0.1:{own}"

    def api(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        headers = {name: environ[key] for key, name in PASSED_ON.items() if environ.get(key)}
        query = f"?{environ['QUERY_STRING']}" if environ.get("QUERY_STRING") else ""
        answer = requests.request(
            environ["REQUEST_METHOD"],
            f"http://127.0.0.1:{port}{environ['PATH_INFO']}{query}",
            headers=headers | {"Host": api_url.split("://")[1]},
            data=environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)),
            timeout=60,
        )
        kept = ("content-type", "etag", "cache-control", "x-request-id")
        found = [(name, value) for name, value in answer.headers.items() if name.lower() in kept]
        start_response(f"{answer.status_code} {answer.reason}", found)
        return [answer.content]

    server = waitress.create_server(with_pages(api, SigningIssuer(url, signer=signer)), host="127.0.0.1", port=own)
    Thread(target=server.run, daemon=True).start()
    yield url
    server.close()
