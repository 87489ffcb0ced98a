"""The API as its callers meet it: through the gateway, without a token, with a made-up one, and with real ones."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests

from tools.smoke.configuration import SECONDS, Check
from tools.smoke.deployed import Deployed
from tools.smoke.results import Failed, NotProvable

# A token that is well-formed and signed by nobody: {"alg":"none"}, {"sub":"smoke"}.
MADE_UP = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJzbW9rZSJ9."
AGENCY = "/v1/agencies/no-such-agency/level"


@dataclass(frozen=True)
class Gateway:
    """Asks the API. ``public``, ``any_agency``, ``no_agency``: real tokens by what they are for, or empty."""

    stack: Deployed
    public: str = ""
    any_agency: str = ""
    no_agency: str = ""

    def checks(self) -> Iterator[Check]:
        yield "API: /healthz answers", self.health
        yield "API: no token opens nothing", lambda: self._refused("/v1/levels", None, 401)
        yield "API: a made-up token opens nothing", lambda: self._refused("/v1/levels", MADE_UP, 401)
        yield "API: an unknown path is 404 and holds no data", self.unknown_path
        yield "API: a page of an allowed origin may ask", self.preflight
        yield (
            "API: a token for everybody opens the ladder (TOKEN_PUBLIC)",
            lambda: self._opened("/v1/levels", self.public),
        )
        yield (
            "API: a token for everybody opens no own view (TOKEN_PUBLIC)",
            lambda: self._refused(AGENCY, self._given(self.public, "levels.public"), 403),
        )
        yield (
            "API: a token for any agency opens own views (TOKEN_ANY)",
            lambda: self._opened(AGENCY, self._given(self.any_agency, "levels.agency.any"), 404),
        )
        yield (
            "API: a token that names no agency opens no own view (TOKEN_NO_AGENCY)",
            lambda: self._refused(AGENCY, self._given(self.no_agency, "levels.agency and no claim of an agency"), 403),
        )

    def health(self) -> str:
        status = self.ask("/healthz").status_code
        expected = 200 if self.stack.parameters["OpenRoutes"] == "true" else 404
        return self._as_expected("/healthz", status, expected)

    def unknown_path(self) -> str:
        return self._as_expected("/v1/nothing", self.ask("/v1/nothing").status_code, 404)

    def preflight(self) -> str:
        origin = self.stack.parameters["CorsOrigins"].split(",")[0]
        if origin == "https://no-origin.invalid":
            raise NotProvable("CorsOrigins allows no page")
        asking = {"Origin": origin, "Access-Control-Request-Method": "GET"}
        answer = self.ask("/v1/levels", method="OPTIONS", headers=asking)
        if answer.headers.get("Access-Control-Allow-Origin") not in (origin, "*"):
            raise Failed(f"OPTIONS of {origin} answers {answer.status_code} and allows nothing")
        return f"{origin}: {answer.status_code}"

    def ask(
        self, path: str, token: str | None = None, method: str = "GET", headers: dict[str, str] | None = None
    ) -> requests.Response:
        """The gateway's answer. Where AWS_ENDPOINT_URL names an emulator, that answers under the API's own name."""
        url = self.stack.outputs["ApiUrl"]
        sent = {**(headers or {}), **({"Authorization": f"Bearer {token}"} if token else {})}
        if emulator := os.environ.get("AWS_ENDPOINT_URL"):
            sent["Host"], url = urlsplit(url).netloc, emulator
        return requests.request(method, f"{url.rstrip('/')}{path}", headers=sent, timeout=SECONDS)

    def _given(self, token: str, scope: str) -> str:
        if not token:
            raise NotProvable(f"no token with {scope} was given")
        return token

    def _refused(self, path: str, token: str | None, expected: int) -> str:
        return self._as_expected(path, self.ask(path, token).status_code, expected)

    def _opened(self, path: str, token: str, also: int = 200) -> str:
        """Answered by the function: with data, or that nothing is published yet."""
        answer = self.ask(path, self._given(token, "levels.public"))
        if answer.status_code == requests.codes.unavailable and "No month has been published" in answer.text:
            return f"{path}: 503, no month is published yet"
        return self._as_expected(path, answer.status_code, also)

    def _as_expected(self, path: str, status: int, expected: int) -> str:
        if status != expected:
            raise Failed(f"{path} answers {status}; expected {expected}")
        return f"{path}: {status}"
