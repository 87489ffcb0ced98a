"""The pages of make serve: files and security policy, and what the tokens of the local issuer allow."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from werkzeug.test import Client

from local.cloud.front import front
from local.cloud.issuer import PATH, LocalIssuer, person
from local.cloud.pages import BUNDLE, bundle, with_pages

URL = "http://127.0.0.1:3000"
BACK = f"{URL}/"
VERIFIER = "v" * 43
FROM_A_PAGE = {"Sec-Fetch-Site": "same-origin"}


def claims_seen(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """A function that answers with the agency in its claims."""
    claims = event["requestContext"].get("authorizer", {}).get("jwt", {}).get("claims", {})
    return {"statusCode": 200, "body": claims.get("agency_id", "nobody"), "headers": {}}


@pytest.fixture
def issuer() -> LocalIssuer:
    return LocalIssuer(URL, {"A-0042": "an example"})


@pytest.fixture
def client(issuer: LocalIssuer) -> Client:
    return Client(with_pages(front(claims_seen, claims_of=issuer.claims), issuer))


def authorize(**more: str) -> str:
    challenge = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
    query = {"client_id": "pages", "redirect_uri": BACK, "state": "s", "code_challenge": challenge, **more}
    return f"{PATH}/authorize?{urlencode(query)}"


def exchanged(client: Client, location: str, verifier: str = VERIFIER) -> Any:
    code = parse_qs(urlsplit(location).query)["code"][0]
    return client.post(f"{PATH}/token", data={"code": code, "code_verifier": verifier, "redirect_uri": BACK})


def test_the_start_page_and_the_console_are_served_with_a_strict_policy(client: Client) -> None:
    for path in ("/", "/console"):
        answer = client.get(path)
        assert answer.status_code == 200
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self';")
        assert "require-trusted-types-for 'script'" in policy
        assert "unsafe" not in policy


def test_the_pages_use_only_files_that_are_served() -> None:
    files = bundle()
    for page in ("/", "/console"):
        named = re.findall(r'(?:src|href)="(/[^"]*)"', files[page].body)
        assert named
        assert not [path for path in named if path not in files]


def test_no_page_has_an_inline_script_or_style() -> None:
    for page in BUNDLE.glob("*.html"):
        assert not re.search(r"<style|style=|<script(?![^>]*src=)|\son\w+=", page.read_text("utf-8"))


def test_the_api_answers_beside_the_pages(client: Client) -> None:
    assert client.get("/v1/levels").text == "nobody"


def test_signing_in_as_an_agency_gives_a_token_with_that_claim(client: Client, issuer: LocalIssuer) -> None:
    chosen = client.get(authorize(**{"as": "A-0042"}))
    assert chosen.status_code == 302
    tokens = exchanged(client, chosen.headers["Location"]).get_json()
    claims = issuer.claims(tokens["access_token"])
    assert claims is not None
    assert (claims["agency_id"], claims["scope"]) == ("A-0042", "openid levels.public levels.agency")
    own = client.get("/v1/agencies/A-0042/level", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    assert own.text == "A-0042"


def test_a_code_is_valid_once_and_only_with_its_verifier(client: Client) -> None:
    location = client.get(authorize(**{"as": "creator"})).headers["Location"]
    assert exchanged(client, location, "w" * 43).status_code == 400
    assert exchanged(client, location).status_code == 400


def test_the_issuer_redirects_only_to_its_own_address(client: Client) -> None:
    away = client.get(authorize(**{"as": "operator", "redirect_uri": "https://elsewhere.invalid/"}))
    assert away.status_code == 400


def test_markup_typed_as_an_agency_is_escaped_on_the_page(client: Client) -> None:
    page = client.get(authorize(**{"as": '"><script>alert(1)</script>'}))
    assert page.status_code == 200
    assert "<script>" not in page.text


def test_a_page_needs_a_token_and_a_command_line_does_not(client: Client) -> None:
    assert client.get("/v1/levels", headers=FROM_A_PAGE).status_code == 401
    assert client.get("/v1/levels").status_code == 200


def test_a_token_allows_only_what_its_scopes_allow(client: Client, issuer: LocalIssuer) -> None:
    creator = person("creator")
    assert creator is not None
    headers = {"Authorization": f"Bearer {issuer.token(creator)}"}
    assert client.get("/v1/levels", headers=headers).status_code == 200
    assert client.get("/v1/agencies/A-0042/level", headers=headers).status_code == 403


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é.b.c", "a.b.é"])
def test_an_invalid_token_is_refused(client: Client, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}".encode().decode("latin-1")}
    assert client.get("/v1/levels", headers=headers).status_code == 401


def test_a_changed_token_is_refused(client: Client, issuer: LocalIssuer) -> None:
    agency = person("A-0042")
    assert agency is not None
    head, body, signature = issuer.token(agency).split(".")
    assert issuer.claims(f"{head}.{body}.{signature}") is not None
    assert issuer.claims(f"{head}.{body[:-4]}AAAA.{signature}") is None
