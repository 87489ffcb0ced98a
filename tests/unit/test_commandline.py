"""Commands answer a mistake with one line and an exit code: 2 for wrong usage, 1 for everything else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoRegionError

from local.commandline import one_line
from shared.errors import ObjectChanged

ROOT = Path(__file__).parents[2]
WITHOUT_AWS = {
    "PATH": os.environ["PATH"],
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


def command(*arguments: str, **environment: str) -> tuple[int, list[str]]:
    """Exit code and standard error's lines of a command that runs without an AWS account."""
    ran = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env={**WITHOUT_AWS, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return ran.returncode, ran.stderr.splitlines()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("tools.operate", "accept", "", "--by", "", "--reason", ""), "RUN and BY and REASON missing"),
        (("tools.operate", "rollback", "r1", "--by", "Li", "--reason", " "), "REASON missing"),
        (("tools.operate", "verify"), "RUN missing"),
        (("tools.operate", "repair"), "MONTH missing"),
        (("tools.operate", "refresh", "--by", "Li"), "REASON missing"),
        (("tools.operate", "preview", "October"), "'October' is no month. Expected YYYY-MM"),
        (("tools.operate", "backfill", "2026-10", "2026-08"), "nothing to rate"),
        (("tools.operate", "audit"), "invalid choice: 'audit'"),
        (("tools.sheet", ""), "KEY missing"),
        (("local.serve", "--port", "many"), "invalid int value: 'many'"),
    ],
)
def test_wrong_usage_prints_one_line_and_exits_with_2(arguments: tuple[str, ...], named: str) -> None:
    code, (line,) = command(*arguments)
    assert (code, named in line) == (2, True), line


def test_a_missing_region_and_missing_credentials_are_named_together() -> None:
    code, lines = command("tools.operate", "verify", "r1")
    assert code == 1
    assert [line.split(":")[0] for line in lines[:2]] == ["AWS region", "AWS credentials"]
    assert "LOCAL=1" in lines[2]


def test_a_server_that_does_not_answer_is_reported_in_one_line() -> None:
    code, lines = command("tools.operate", "--local", "9", "check")
    assert (code, len(lines)) == (1, 2), lines  # the event, and the error
    assert 'Could not connect to the endpoint URL: "http://127.0.0.1:9/' in lines[1]


def test_debug_shows_the_traceback() -> None:
    code, lines = command("tools.operate", "--debug", "verify", "r1")
    assert code == 1
    assert lines[0] == "Traceback (most recent call last):"


def test_the_users_files_are_checked_before_anything_is_started(tmp_path: Path) -> None:
    for dataset, header in {"agencies": "agency_id", "creators": "creator_id,power_level", "orders": "x"}.items():
        folder = tmp_path / dataset / "month=2026-05"
        folder.mkdir(parents=True)
        (folder / "all.csv").write_text(f"{header}\n", "utf-8")
    code, lines = command("local.serve", "--port", "0", "--extracts", str(tmp_path))
    assert (code, lines[0]) == (1, "Your files have 3 faults; nothing was started.")
    assert [line.split(": columns ")[1].split(" are missing;")[0] for line in lines[1:]] == [
        "name, joined_at",
        "agency_id, bind_time",
        "order_id, creator_id, pay_time, pay_amount",
    ]


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (NoRegionError(), "AWS region: found none."),
        (
            ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": "no\nsuch function"}}, "Invoke"),
            "AWS refused Invoke: ResourceNotFoundException: no such function",
        ),
        (EndpointConnectionError(endpoint_url="https://x"), "AWS can't be used: Could not connect"),
        (FileNotFoundError(2, "No such file or directory", "a b.csv"), "a b.csv: No such file or directory."),
        (ObjectChanged("orders:\n it changed"), "ObjectChanged: orders: it changed"),
    ],
)
def test_every_error_becomes_one_line(error: Exception, line: str) -> None:
    assert one_line(error).startswith(line)
    assert "\n" not in one_line(error)
