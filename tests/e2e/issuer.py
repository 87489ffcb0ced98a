"""An issuer of tokens on this machine: its discovery document, its keys and its tokens."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey

AUDIENCE = "levels"


class Issuer:
    """Signs tokens with the key that it publishes, or with another one."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.key = RSAKey.generate_key(2048, {"kid": "published", "use": "sig", "alg": "RS256"})
        self.other_key = RSAKey.generate_key(2048, {"kid": "published", "use": "sig", "alg": "RS256"})

    def token(self, scope: str, *, forged: bool = False, **claims: Any) -> str:
        """A token for a scope. ``claims`` replace the usual ones or are added to them."""
        now = int(time.time())
        usual = {"iss": self.url, "aud": AUDIENCE, "sub": "app", "iat": now, "exp": now + 600, "scope": scope}
        key = self.other_key if forged else self.key
        return jwt.encode({"alg": "RS256", "kid": "published"}, {**usual, **claims}, key)

    def document(self, path: str) -> dict[str, Any] | None:
        """The document that the issuer publishes at a path; None if there is none."""
        documents: dict[str, dict[str, Any]] = {
            "/.well-known/openid-configuration": {"issuer": self.url, "jwks_uri": f"{self.url}/jwks.json"},
            "/jwks.json": {"keys": [self.key.as_dict(private=False)]},
        }
        return documents.get(path)


@contextmanager
def running_issuer() -> Iterator[Issuer]:
    """An issuer that answers on a free port of 127.0.0.1."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            document = issuer.document(self.path)
            self.send_response(404 if document is None else 200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(document).encode())

        def log_message(self, *_: Any) -> None:
            """Prints nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        issuer = Issuer(f"http://127.0.0.1:{server.server_address[1]}")
        Thread(target=server.serve_forever, daemon=True).start()
        yield issuer
        server.shutdown()
