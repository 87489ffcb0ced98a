"""The embedded AWS: it is reached on this machine only, whatever the developer's settings, and ends with its owner."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from urllib.parse import urlsplit

import pytest

from local.cloud.embedded import EmbeddedAws, NotLocal, embedded_aws, refuse_elsewhere
from local.cloud.template import ROOT

MISLEADING = {
    "AWS_PROFILE": "production",
    "AWS_ENDPOINT_URL_S3": "https://s3.example",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "AWS_ACCESS_KEY_ID": "of-a-real-account",
    "HTTP_PROXY": "http://127.0.0.1:9",
}
ENTER = """
import boto3
from local.cloud.embedded import embedded_aws
with embedded_aws() as aws:
    aws.enter()
    table = boto3.client("dynamodb").describe_table(TableName="levels")["Table"]
    print([key["AttributeName"] for key in table["KeySchema"]])
    print([bucket["Name"] for bucket in boto3.client("s3").list_buckets()["Buckets"]])
    print(boto3.Session().get_credentials().access_key)
"""
WAIT = """
import time
from local.cloud.embedded import embedded_aws
with embedded_aws() as aws:
    print(aws.endpoint, flush=True)
    time.sleep(60)
"""


def is_open(endpoint: str) -> bool:
    address = urlsplit(endpoint)
    with socket.socket() as client:
        return client.connect_ex((str(address.hostname), int(address.port or 0))) == 0


def test_it_has_the_templates_table_and_the_buckets_whatever_the_developers_settings() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", ENTER], cwd=ROOT, env=os.environ | MISLEADING, capture_output=True, text=True, check=True
    )
    assert ran.stdout.splitlines() == ["['pk', 'sk']", "['extracts', 'reports', 'workbook']", "embedded"]


def test_it_listens_on_this_machine_only_and_ends_with_its_block() -> None:
    with embedded_aws() as aws:
        assert urlsplit(aws.endpoint).hostname == "127.0.0.1"
        assert is_open(aws.endpoint)
    assert not is_open(aws.endpoint)


def test_it_ends_when_its_owner_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", WAIT], cwd=ROOT, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        endpoint = owner.stdout.readline().strip()
        assert is_open(endpoint)
        owner.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 30
    while is_open(endpoint) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_open(endpoint)


def test_a_client_with_an_endpoint_on_another_machine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in EmbeddedAws("http://127.0.0.1:1").environment().items():
        monkeypatch.setenv(name, value)
    refuse_elsewhere()
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "https://dynamodb.example")
    with pytest.raises(
        NotLocal, match=r"dynamodb would be reached at https://dynamodb\.example, expected 127\.0\.0\.1"
    ):
        refuse_elsewhere()
    monkeypatch.delenv("AWS_ENDPOINT_URL_DYNAMODB")
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    with pytest.raises(NotLocal, match="amazonaws"):
        refuse_elsewhere()
