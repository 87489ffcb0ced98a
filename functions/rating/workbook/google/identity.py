"""The identity for Google: an AWS role that Google trusts (without a secret), or a service account's key.

docs/operations.en.md explains how to set up either.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from boto3 import Session
from botocore.exceptions import BotoCoreError, ClientError
from google.auth import aws
from google.auth.exceptions import RefreshError
from google.oauth2 import service_account

from shared.errors import WorkbookUnavailable
from shared.settings import GoogleSettings

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

READING = "https://www.googleapis.com/auth/spreadsheets.readonly"
WRITING = "https://www.googleapis.com/auth/spreadsheets"
_IMPERSONATION = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{}:generateAccessToken"


def credentials(settings: GoogleSettings, scope: str, session: Session | None = None) -> Credentials:
    """Google credentials for one scope, READING or WRITING; never for Drive. Raises WorkbookUnavailable."""
    session = session or Session()
    if settings.key_secret:
        return _from_key(settings.key_secret, scope, session)
    return aws.Credentials(  # type: ignore[no-untyped-call]
        audience=settings.workload_provider,
        subject_token_type="urn:ietf:params:aws:token-type:aws4_request",  # noqa: S106 - the name of a kind of token
        aws_security_credentials_supplier=_RoleOfThisFunction(session),
        service_account_impersonation_url=_IMPERSONATION.format(settings.service_account),
        scopes=[scope],
    )


class _RoleOfThisFunction(aws.AwsSecurityCredentialsSupplier):
    """Gives Google's library the AWS credentials that boto3 finds."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get_aws_security_credentials(self, _context: Any, _request: Any) -> aws.AwsSecurityCredentials:
        found = self._session.get_credentials()
        if found is None:
            raise RefreshError("boto3 finds no AWS credentials to show to Google")  # type: ignore[no-untyped-call]
        frozen = found.get_frozen_credentials()
        return aws.AwsSecurityCredentials(frozen.access_key or "", frozen.secret_key or "", frozen.token)

    def get_aws_region(self, _context: Any, _request: Any) -> str:
        return self._session.region_name or "us-east-1"


def _from_key(secret: str, scope: str, session: Session) -> Credentials:
    try:
        answer = session.client("secretsmanager").get_secret_value(SecretId=secret)
        key = dict(json.loads(answer["SecretString"]))
        return service_account.Credentials.from_service_account_info(  # type: ignore[no-any-return, no-untyped-call]
            key, scopes=[scope]
        )
    except (BotoCoreError, ClientError) as error:
        raise WorkbookUnavailable(
            f"Google's key in secret {secret}: it can't be read ({error}); "
            "let the function's role read that secret, or correct GOOGLE_KEY_SECRET"
        ) from error
    except (KeyError, ValueError, TypeError) as error:
        raise WorkbookUnavailable(
            f"Google's key in secret {secret}: it is not a service account key ({type(error).__name__}); "
            "put the JSON file that Google Cloud gave for the key into the secret, whole, as text"
        ) from error
