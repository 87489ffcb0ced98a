"""API Gateway on this machine: turns a request into an HTTP API event (payload 2.0) and a result into an answer.

It checks no tokens. Like the real one, it chooses the route by the encoded path and passes on the decoded path.
"""

from __future__ import annotations

import json
import time
import uuid
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from local.cloud.invocation import Context, Handler
from local.cloud.template import Route, api_routes

LOOKUP_TIMEOUT = 10
_TEXTS = ("application/json", "application/javascript", "application/xml")
_DEFAULT = Route("ANY", "$default", open=True)


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request. ``target``: path and query as they were sent. ``claims``: of a token that is already checked."""

    method: str
    target: str
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""
    claims: Mapping[str, str | None] | None = None
    source_ip: str = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; header names are lower-case."""

    status: int
    headers: Sequence[tuple[str, str]] = field(default=())
    body: bytes = b""

    def header(self, name: str) -> str | None:
        return next((value for known, value in self.headers if known == name), None)

    def json(self) -> Any:
        return json.loads(self.body)


BROKEN = Answer(500, (("content-type", "application/json"),), b'{"message":"Internal Server Error"}')

UNAUTHORIZED = Answer(401, (("content-type", "application/json"),), b'{"message":"Unauthorized"}')
FORBIDDEN = Answer(403, (("content-type", "application/json"),), b'{"message":"Forbidden"}')


def ask(handler: Handler, request: Request) -> Answer:
    """The handler's answer to a request. Raises what the handler raises."""
    return answer_from(handler(event_for(request), Context("lookup", LOOKUP_TIMEOUT)))


def event_for(request: Request, routes: Sequence[Route] | None = None) -> dict[str, Any]:
    """The event of a request. ``routes``: those of the template if None."""
    path, _, query = request.target.partition("?")
    route = _route(request.method, path, api_routes() if routes is None else routes)
    headers, cookies = _headers(request)
    now = datetime.now(UTC)
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": unquote(path),
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "domainName": headers.get("host", "localhost"),
            "domainPrefix": "local",
            "http": {
                "method": request.method,
                "path": unquote(path),
                "protocol": "HTTP/1.1",
                "sourceIp": request.source_ip,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": str(uuid.uuid4()),
            "routeKey": route.key,
            "stage": "$default",
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": time.time_ns() // 1_000_000,
        },
        "isBase64Encoded": False,
    }
    if cookies:
        event["cookies"] = cookies
    if query:
        event["queryStringParameters"] = _combined(parse_qsl(query, keep_blank_values=True))
    if parameters := _path_parameters(route, path):
        event["pathParameters"] = parameters
    if request.claims is not None and not route.open:
        event["requestContext"]["authorizer"] = {"jwt": {"claims": _present(request.claims), "scopes": None}}
    return event | _body(request.body, headers.get("content-type", ""))


def route_of(request: Request) -> Route:
    """The template's route of a request."""
    return _route(request.method, request.target.partition("?")[0], api_routes())


def refusal(route: Route, claims: Mapping[str, str] | None) -> Answer | None:
    """The gateway's own answer without a valid token (``claims`` None) or without the route's scope."""
    if route.open:
        return None
    if claims is None:
        return UNAUTHORIZED
    held = claims.get("scope", "").split()
    return None if not route.scopes or any(scope in held for scope in route.scopes) else FORBIDDEN


def answer_from(result: Any) -> Answer:
    """The answer of a handler's result. An invalid result becomes a 500."""
    if not isinstance(result, dict) or "statusCode" not in result:
        return Answer(200, (("content-type", "application/json"),), json.dumps(result).encode())
    try:
        headers = [(name.lower(), str(value)) for name, value in (result.get("headers") or {}).items()]
        headers += [("set-cookie", cookie) for cookie in result.get("cookies") or ()]
        if not any(name == "content-type" for name, _ in headers):
            headers.append(("content-type", "text/plain;charset=UTF-8"))
        text = result.get("body") or ""
        body = b64decode(text, validate=True) if result.get("isBase64Encoded") else text.encode()
        return Answer(int(result["statusCode"]), headers, body)
    except (AttributeError, TypeError, ValueError):
        return BROKEN


def _present(claims: Mapping[str, Any]) -> dict[str, Any]:
    """A token's claims as the gateway passes them on: without empty ones."""
    return {name: value for name, value in claims.items() if value is not None}


def _route(method: str, path: str, routes: Sequence[Route]) -> Route:
    """The matching route with the most literal segments; else the default one."""
    fitting = [
        route for route in routes if route.method in (method, "ANY") and _path_parameters(route, path) is not None
    ]
    return max(
        fitting, key=lambda route: [not part.startswith("{") for part in route.path.split("/")], default=_DEFAULT
    )


def _path_parameters(route: Route, path: str) -> dict[str, str] | None:
    """The decoded values of the route's placeholders; None if the path does not match."""
    names, parts = route.path.split("/"), path.split("/")
    if len(names) != len(parts):
        return None
    pairs = list(zip(names, parts, strict=True))
    if any(part == "" if name.startswith("{") else name != part for name, part in pairs):
        return None
    return {name.strip("{}"): unquote(part) for name, part in pairs if name.startswith("{")}


def _headers(request: Request) -> tuple[dict[str, str], list[str]]:
    """Headers with lower-case names, repeats joined by commas, and the cookies by themselves."""
    lowered = [(name.lower(), value) for name, value in request.headers]
    cookies = [c.strip() for name, value in lowered if name == "cookie" for c in value.split(";") if c.strip()]
    headers = _combined([(name, value) for name, value in lowered if name != "cookie"])
    return headers | {
        "content-length": str(len(request.body)),
        "x-amzn-trace-id": f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]}",
        "x-forwarded-for": request.source_ip,
        "x-forwarded-port": "80",
        "x-forwarded-proto": "http",
    }, cookies


def _combined(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return {name: ",".join(several) for name, several in values.items()}


def _body(body: bytes, content_type: str) -> dict[str, Any]:
    """Text of a known content type unchanged, other bodies in Base64, None for an empty body."""
    if not body:
        return {}
    kind = content_type.partition(";")[0].strip().lower()
    if kind in _TEXTS or kind.startswith("text/"):
        try:
            return {"body": body.decode()}
        except UnicodeDecodeError:
            pass
    return {"body": b64encode(body).decode(), "isBase64Encoded": True}
