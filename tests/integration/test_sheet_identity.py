"""The identity for Google: from an AWS role without a key, or a key in Secrets Manager; always with one scope."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import boto3
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth.transport.requests import Request
from moto import mock_aws
from requests.adapters import BaseAdapter

from functions.rating.workbook.google.identity import READING, WRITING, credentials
from functions.rating.workbook.google.sheet import client_for, read_sheet
from shared.errors import SettingsMissing, WorkbookUnavailable
from shared.settings import GoogleSettings

PROVIDER = "//iam.googleapis.com/projects/123456789/locations/global/workloadIdentityPools/aws/providers/levels"
ACCOUNT = "levels@example-project.iam.gserviceaccount.com"
KEYLESS = {"GOOGLE_WORKLOAD_PROVIDER": PROVIDER, "GOOGLE_SERVICE_ACCOUNT": ACCOUNT}


class GoogleTokens(BaseAdapter):
    """Google's token service and service accounts: it records each request and answers with a token."""

    def __init__(self, status: int = 200) -> None:
        super().__init__()
        self.status = status
        self.received: list[tuple[str, dict[str, Any]]] = []

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        body = request.body if isinstance(request.body, str) else (request.body or b"{}").decode()
        exchange = "sts.googleapis.com" in (request.url or "")
        received = dict(pair.split("=", 1) for pair in body.split("&")) if exchange else json.loads(body)
        self.received.append((request.url or "", received))
        token = {"access_token": "exchanged", "expires_in": 3600, "token_type": "Bearer", "issued_token_type": "x"}
        impersonated = {"accessToken": "impersonated", "expireTime": "2999-01-01T00:00:00Z"}
        response = requests.Response()
        response.status_code = self.status
        response.request, response.url = request, request.url or ""
        response._content = json.dumps(token if exchange else impersonated).encode()
        return response

    def close(self) -> None:
        """Has nothing to close."""


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-southeast-1")
    with mock_aws():
        yield


def test_an_aws_role_is_exchanged_for_a_google_token_with_one_scope() -> None:
    google, session = GoogleTokens(), requests.Session()
    session.mount("https://", google)
    aws_session = boto3.Session("AKIAEXAMPLE", "secret-stays-here", "session-token", region_name="ap-southeast-1")
    made = credentials(GoogleSettings.from_environment(KEYLESS), READING, aws_session)
    made.refresh(Request(session))  # type: ignore[no-untyped-call]
    assert made.token == "impersonated"
    (exchange_url, exchange), (impersonation_url, impersonation) = google.received
    assert exchange_url == "https://sts.googleapis.com/v1/token"
    assert unquote(exchange["audience"]) == PROVIDER
    identity = json.loads(unquote(unquote(exchange["subject_token"])))
    assert identity["url"].startswith("https://sts.ap-southeast-1.amazonaws.com")
    assert "secret-stays-here" not in json.dumps(google.received)
    assert impersonation_url.endswith(f"/serviceAccounts/{ACCOUNT}:generateAccessToken")
    assert impersonation["scope"] == [READING]


def test_the_credentials_name_the_account_to_share_the_sheet_with() -> None:
    made = credentials(GoogleSettings.from_environment(KEYLESS), WRITING, boto3.Session("a", "b"))
    assert getattr(made, "service_account_email", None) == ACCOUNT


def test_the_error_of_a_refused_identity_names_the_account() -> None:
    made = credentials(GoogleSettings.from_environment(KEYLESS), READING, boto3.Session("a", "b", region_name="x-1"))
    client = client_for(made)
    refusing = requests.Session()
    refusing.mount("https://", GoogleTokens(status=403))
    client.http_client.session._auth_request = Request(refusing)  # type: ignore[attr-defined]
    with pytest.raises(WorkbookUnavailable, match=f"did not accept the identity of {ACCOUNT}"):
        read_sheet("abc", client=client)


def test_a_key_in_secrets_manager_gives_credentials_too() -> None:
    key = {"type": "service_account", "client_email": ACCOUNT, "private_key": private_key(), "token_uri": "https://x"}
    boto3.client("secretsmanager").create_secret(Name="google-key", SecretString=json.dumps(key))
    made = credentials(GoogleSettings.from_environment({"GOOGLE_KEY_SECRET": "google-key"}), READING)
    assert getattr(made, "service_account_email", None) == ACCOUNT
    assert getattr(made, "scopes", None) == [READING]


@pytest.mark.parametrize("content", [None, "not json", "[]", "[1]", "{}", '{"client_email": "a"}'])
def test_an_absent_or_invalid_secret_is_named(content: str | None) -> None:
    if content is not None:
        boto3.client("secretsmanager").create_secret(Name="google-key", SecretString=content)
    with pytest.raises(
        WorkbookUnavailable, match=r"secret google-key: it (can't be read|is not a service account key)"
    ):
        credentials(GoogleSettings.from_environment({"GOOGLE_KEY_SECRET": "google-key"}), READING)


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "GOOGLE_WORKLOAD_PROVIDER is not set; GOOGLE_SERVICE_ACCOUNT is not set"),
        (KEYLESS | {"GOOGLE_WORKLOAD_PROVIDER": "aws"}, "expected //iam.googleapis.com/projects/"),
        (KEYLESS | {"GOOGLE_KEY_SECRET": "x"}, "only one of them can count"),
    ],
)
def test_settings_with_no_identity_or_with_two_are_refused(environment: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsMissing, match=message):
        GoogleSettings.from_environment(environment)


def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain).decode()
