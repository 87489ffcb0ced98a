"""An HTTP front for a handler: a WSGI application that any WSGI server can serve."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from functions.lookup.authorization import AGENCY, ANY_AGENCY, EVERY_AGENCY, PUBLIC
from local.cloud.gateway import BROKEN, Answer, Request, ask, refusal, route_of
from local.cloud.invocation import Handler
from local.cloud.template import LOOKUP, Route, cors

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

LOCAL_AGENCY = "X-Local-Agency"
ClaimsOf = Callable[[str], dict[str, Any] | None]
BODY_LIMIT = 10 * 1024 * 1024  # the gateway's own

_CLAIM = f"HTTP_{LOCAL_AGENCY.upper().replace('-', '_')}"
_logger = logging.getLogger(__name__)


def front(
    handler: Handler, others: Mapping[str, Handler] | None = None, claims_of: ClaimsOf | None = None
) -> WSGIApplication:
    """The WSGI application that passes HTTP requests to the handler as the gateway's events.

    A header ``X-Local-Agency: <id>`` stands for a token of that agency, ``*`` for a token that opens every agency's
    view; without the header, the request has the scope for everybody.
    ``others``: other functions behind routes, by their name in the template. ``claims_of``: returns the claims of a
    valid token. Requests with a token are checked against its scopes; the pages always send one.
    """
    functions = {LOOKUP: handler, **(others or {})}

    def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        request, allowed = _request(environ), _cors(environ)
        if allowed and request.method == "OPTIONS":  # the gateway answers preflight requests itself
            start_response(_status_line(HTTPStatus.NO_CONTENT), allowed)
            return []
        route = route_of(request)
        try:
            refused = None
            if claims_of and _wants_a_token(environ, route):
                claims = claims_of(environ.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer "))
                request, refused = replace(request, claims=claims), refusal(route, claims)
            answer = refused or ask(functions[route.function], request)
        except Exception:  # a handler may raise anything; the gateway always answers 500
            _logger.exception("%s %s failed", request.method, request.target)
            answer = BROKEN
        start_response(_status_line(answer.status), [*_headers(request.method, answer), *allowed])
        return [] if request.method == "HEAD" else [answer.body]

    return application


def local_claims(agency_id: str | None) -> dict[str, str]:
    """The claims of the token that ``X-Local-Agency`` stands for."""
    if agency_id == EVERY_AGENCY:
        return {"scope": f"{PUBLIC} {ANY_AGENCY}"}
    return {"scope": f"{PUBLIC} {AGENCY}", "agency_id": agency_id} if agency_id else {"scope": PUBLIC}


def _wants_a_token(environ: dict[str, Any], route: Route) -> bool:
    """Whether a request needs a valid token: if it has one, comes from a page, or takes a decision."""
    shown = "HTTP_AUTHORIZATION" in environ or "HTTP_SEC_FETCH_SITE" in environ
    return not route.open and (shown or route.function != LOOKUP)


def _cors(environ: dict[str, Any]) -> list[tuple[str, str]]:
    """The template's CORS headers for a page of another origin on this machine; none for other pages."""
    origin = environ.get("HTTP_ORIGIN", "")
    if urlsplit(origin).hostname not in ("localhost", "127.0.0.1"):
        return []
    return [("access-control-allow-origin", origin), *cors().items()]


def _request(environ: dict[str, Any]) -> Request:
    return Request(
        method=environ["REQUEST_METHOD"],
        target=_target(environ),
        headers=list(_request_headers(environ)),
        body=environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)),
        claims=local_claims(environ.get(_CLAIM)),
        source_ip=environ.get("REMOTE_ADDR", ""),
    )


def _target(environ: dict[str, Any]) -> str:
    """Path and query as they were sent. Some servers give only the decoded path, some give it without the query."""
    uri = str(environ.get("REQUEST_URI", ""))
    if uri:
        sent = uri if uri.startswith("/") else uri.removeprefix("{0.scheme}://{0.netloc}".format(urlsplit(uri)))
        path = sent.partition("?")[0]
    else:
        path = quote(environ["PATH_INFO"].encode("latin-1"))
    return f"{path}?{environ['QUERY_STRING']}" if environ.get("QUERY_STRING") else path


def _request_headers(environ: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in environ.items():
        if name.startswith("HTTP_") and name != _CLAIM:
            yield name.removeprefix("HTTP_").replace("_", "-"), value
    if content_type := environ.get("CONTENT_TYPE"):
        yield "content-type", content_type


def _headers(method: str, answer: Answer) -> list[tuple[str, str]]:
    if method == "HEAD" and answer.header("content-length"):
        return list(answer.headers)
    if answer.status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
        return [(name, value) for name, value in answer.headers if name not in ("content-length", "content-type")]
    headers = [(name, value) for name, value in answer.headers if name != "content-length"]
    return [*headers, ("content-length", str(len(answer.body)))]


def _status_line(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} Unknown"
