"""A local issuer of tokens: OpenID Connect with code and PKCE, and a page on which you choose who you are.

It has no passwords and signs with a key of its process: use it only on a developer's machine.
"""

from __future__ import annotations

import hmac
import html
import json
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode, urlsplit

PATH = "/local-issuer"
CLIENT = "pages"
PUBLIC, AGENCY, ANY_AGENCY, OPERATE = "levels.public", "levels.agency", "levels.agency.any", "levels.operate"
SCOPES = f"openid {PUBLIC} {AGENCY} {ANY_AGENCY} {OPERATE}"
TOKEN_SECONDS = 3600
CODE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to sign in as, with the claims of the token."""

    subject: str
    name: str
    scope: str
    agency_id: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """An answer of the issuer: HTML, JSON, or a redirect (``location``)."""

    status: int
    body: str = ""
    content_type: str = "text/html; charset=utf-8"
    location: str | None = None
    cookie: str | None = None


def person(chosen: str) -> Person | None:
    """The person for ``creator``, ``merchant``, ``operator``, ``operator-2`` or an agency's id; None if unknown."""
    if chosen in ("creator", "merchant"):
        return Person(chosen, {"creator": "达人 creator", "merchant": "商家 merchant"}[chosen], f"openid {PUBLIC}")
    if chosen in ("operator", "operator-2"):
        name = {"operator": "li.hua@example.com", "operator-2": "wang.min@example.com"}[chosen]
        return Person(name, name, SCOPES)
    if chosen and all(letter.isalnum() or letter in "_-" for letter in chosen) and len(chosen) <= 64:
        return Person(f"agency {chosen}", chosen, f"openid {PUBLIC} {AGENCY}", chosen)
    return None


@dataclass
class LocalIssuer:
    """The issuer at an address (``http://127.0.0.1:3000``). ``examples``: agencies on its page, with notes."""

    url: str
    examples: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._codes: dict[str, tuple[Person, str, str, float]] = {}

    @property
    def issuer(self) -> str:
        return f"{self.url}{PATH}"

    def config(self) -> dict[str, str]:
        """The content of the pages' /config.json."""
        return {"issuer": self.issuer, "client_id": CLIENT, "scope": SCOPES, "agency_claim": "agency_id"}

    def claims(self, token: str) -> dict[str, Any] | None:
        """The claims of a valid token of this issuer; None for any other."""
        try:
            head, body, signature = token.split(".")
            if not hmac.compare_digest(self._signature(f"{head}.{body}").encode(), signature.encode()):
                return None
            claims: dict[str, Any] = json.loads(urlsafe_b64decode(body + "=="))
        except ValueError:
            return None
        return claims if claims["exp"] > time.time() else None

    def token(self, who: Person) -> str:
        """An access token for the API. Its claims are text, as the gateway passes them on."""
        claims = {"iss": self.issuer, "sub": who.subject, "aud": CLIENT, "scope": who.scope, "name": who.name}
        return self._signed(claims | ({"agency_id": who.agency_id} if who.agency_id else {}))

    def answer(self, method: str, path: str, asked: Mapping[str, str], cookie: str | None) -> Page:
        """The answer to a request below PATH. ``asked``: the query of a GET, or the form of a POST."""
        match method, path.removeprefix(PATH):
            case "GET", "/.well-known/openid-configuration":
                return _json(self._configuration())
            case "GET", "/authorize":
                return self._authorize(asked, cookie)
            case "POST", "/token":
                return self._exchange(asked)
        return Page(404, "not found", "text/plain")

    def _configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["HS256"],
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": SCOPES.split(),
        }

    def _authorize(self, asked: Mapping[str, str], cookie: str | None) -> Page:
        back = asked.get("redirect_uri", "")
        own = urlsplit(back)
        if f"{own.scheme}://{own.netloc}" != self.url or asked.get("client_id") != CLIENT:
            return Page(400, "expected client_id pages and a redirect_uri of this address", "text/plain")
        chosen = asked.get("as") or (cookie if asked.get("prompt") != "login" else None) or ""
        who = person(chosen.strip())
        if who is None:
            return Page(200, _chooser(asked, self.examples))
        code = secrets.token_urlsafe(16)
        self._codes[code] = (who, back, asked.get("code_challenge", ""), time.time() + CODE_SECONDS)
        query = urlencode({"code": code, "state": asked.get("state", ""), "iss": self.issuer})
        return Page(302, location=f"{back}?{query}", cookie=chosen.strip())

    def _exchange(self, asked: Mapping[str, str]) -> Page:
        who, back, challenge, ends = self._codes.pop(asked.get("code", ""), (None, "", "", 0.0))
        verifier = urlsafe_b64encode(sha256(asked.get("code_verifier", "").encode()).digest()).decode().rstrip("=")
        if who is None or back != asked.get("redirect_uri") or challenge != verifier or ends < time.time():
            return _json({"error": "invalid_grant"}, 400)
        token = self.token(who)
        times = {"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_SECONDS}
        return _json(times | {"id_token": token, "scope": who.scope})

    def _signed(self, claims: Mapping[str, Any]) -> str:
        now = int(time.time())
        head = _encoded({"alg": "HS256", "typ": "JWT"})
        body = _encoded({**claims, "iat": now, "exp": now + TOKEN_SECONDS})
        return f"{head}.{body}.{self._signature(f'{head}.{body}')}"

    def _signature(self, text: str) -> str:
        return urlsafe_b64encode(hmac.digest(self._key, text.encode(), sha256)).decode().rstrip("=")


def _encoded(value: Mapping[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(value, ensure_ascii=False).encode()).decode().rstrip("=")


def _json(value: Mapping[str, Any], status: int = 200) -> Page:
    return Page(status, json.dumps(value), "application/json")


def _chooser(asked: Mapping[str, str], examples: Mapping[str, str]) -> str:
    """The page on which you choose who you are. Each choice is a link that continues the request."""
    kept = {name: value for name, value in asked.items() if name not in ("as", "prompt")}
    people = {
        **examples,
        "creator": "团购达人中心 · 达人 creator",
        "merchant": "抖音来客 · 商家 merchant",
        "operator": "运营 operations · li.hua",
        "operator-2": "运营 operations · wang.min",
    }
    links = "\n".join(
        f'<a href="{html.escape(_choice(kept, chosen))}">{html.escape(chosen)}<small>{html.escape(note)}</small></a>'
        for chosen, note in people.items()
    )
    hidden = "\n".join(
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">' for name, value in kept.items()
    )
    return f"""<!doctype html>
<html lang="zh"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>选择身份 Who are you?</title>
<link rel="icon" href="/icon.svg"><link rel="stylesheet" href="/site.css"></head>
<body><main class="choices"><h1>选择身份 <span lang="en">Who are you?</span></h1>
<p>仅限本机。 <span lang="en">On this machine only.</span></p>
{links}
<form action="{PATH}/authorize">{hidden}
<label>其他机构 ID · another agency
<input name="as" placeholder="A-0042" required pattern="[A-Za-z0-9_\\-]{{1,64}}"></label>
<button>进入 Enter</button></form></main></body></html>"""


def _choice(kept: Mapping[str, str], chosen: str) -> str:
    return f"{PATH}/authorize?{urlencode({**kept, 'as': chosen})}"
