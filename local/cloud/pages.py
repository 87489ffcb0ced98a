"""Serves the pages at / of this machine: the committed bundle, its settings and the local issuer."""

from __future__ import annotations

import json
from collections.abc import Iterable
from http import HTTPStatus
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from local.cloud.issuer import PATH as ISSUER_PATH
from local.cloud.issuer import LocalIssuer, Page
from local.cloud.system import System
from local.cloud.template import ROOT

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

BUNDLE = ROOT / "pages" / "dist"
COOKIE = "local-person"
KINDS = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
# The same as the template's PagesHeaders for CloudFront, which also name the issuer; a test compares them.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' https:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types lit-html"
)
HEADERS = [
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-cache"),
]


def with_pages(api: WSGIApplication, issuer: LocalIssuer) -> WSGIApplication:
    """The API with the pages in front of it: a request for no page goes to the API."""
    files = bundle()

    def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        if path.startswith(f"{ISSUER_PATH}/"):
            return _send(environ, start_response, issuer.answer(method, path, _asked(environ), _cookie(environ)))
        if method in ("GET", "HEAD") and path == "/config.json":
            settings = Page(200, json.dumps(issuer.config()), "application/json")
            return _send(environ, start_response, settings)
        if method in ("GET", "HEAD") and path in files:
            return _send(environ, start_response, files[path])
        return api(environ, start_response)

    return application


def examples(system: System) -> dict[str, str]:
    """Agencies to sign in as: one of each level, by id; none before the first publication."""
    found: dict[str, str] = {}
    ladder = system.get("/v1/levels")
    for level in ladder.json()["levels"] if ladder.status == HTTPStatus.OK else ():
        for card in system.get(f"/v1/agencies?level={level['level']}&limit=1").json()["items"]:
            found[card["agency_id"]] = f"抖音集星 · {card['name']} · {level['level']} {level['name']}"
    return found


def bundle() -> dict[str, Page]:
    """The committed pages by URL path."""
    files = {
        f"/{path.name}": Page(200, path.read_text("utf-8"), KINDS[path.suffix])
        for path in sorted(BUNDLE.iterdir())
        if path.suffix in KINDS
    }
    return files | {"/": files["/index.html"], "/console": files["/console.html"]}


def _send(environ: dict[str, Any], start_response: StartResponse, page: Page) -> Iterable[bytes]:
    body = page.body.encode()
    headers = [*HEADERS, ("Content-Type", page.content_type), ("Content-Length", str(len(body)))]
    if page.location:
        headers.append(("Location", page.location))
    if page.cookie:
        headers.append(("Set-Cookie", f"{COOKIE}={page.cookie}; Path={ISSUER_PATH}; HttpOnly; SameSite=Lax"))
    start_response(f"{page.status} {HTTPStatus(page.status).phrase}", headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def _asked(environ: dict[str, Any]) -> dict[str, str]:
    if environ["REQUEST_METHOD"] == "POST":
        form = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        return dict(parse_qsl(form.decode(), keep_blank_values=True))
    return dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))


def _cookie(environ: dict[str, Any]) -> str | None:
    kept = SimpleCookie(environ.get("HTTP_COOKIE", "")).get(COOKIE)
    return kept.value if kept else None
