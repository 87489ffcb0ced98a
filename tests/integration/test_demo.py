"""The two commands of the README, as a developer runs them."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from rich.console import Console

from local.cloud.template import ROOT
from local.demo.__main__ import verdict


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """The server as a process of its own group, and the curl lines that it printed."""
    command = [sys.executable, "-m", "local.serve", *arguments]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as server:
        assert server.stdout is not None
        curls: list[str] = []
        printed: list[str] = []
        try:
            for line in server.stdout:
                printed.append(line)
                if line.startswith("curl "):
                    curls.append(line.strip())
                if line.endswith("/unknown\n"):
                    break
            assert curls, "".join(printed)
            yield server, curls
        finally:
            if server.poll() is None:
                os.killpg(server.pid, signal.SIGKILL)


def run(module: str, *arguments: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        check=False,
        cwd=ROOT,
        env=os.environ | (environment or {}),
        capture_output=True,
        text=True,
    )


def curl(line: str) -> tuple[int, str]:
    ran = subprocess.run(
        ["bash", "-c", line + " -w '\\n%{http_code}'"], capture_output=True, text=True, check=True, timeout=30
    )
    body, _, status = ran.stdout.rpartition("\n")
    return int(status), body


def test_the_demo_shows_everything_and_says_that_all_of_it_worked() -> None:
    misleading = {"AWS_PROFILE": "production", "WORKBOOK": "gsheet:nobody", "TABLE_NAME": "production"}
    ran = run("local.demo", environment=misleading)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stderr == ""
    for shown in (
        "考核 rate 2026-10",
        "机构等级 Agencies per level",
        "等级变动 Moves",
        "订单行去向 Order rows",
        "坏行 Bad rows",
        "风控剔除 Flagged",
        "各阶段用时（秒） Seconds per stage",
        "公开名片 Public card",
        "机构自己的视图 Own view",
        "thresholds!F8",
        "预览 Who would move",
        "✓ the same month again is unchanged",
        "✓ 2026-10: A-0900 has the metrics known in advance",
    ):
        assert shown in ran.stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_printed_curl_lines_work_as_pasted_and_ctrl_c_leaves_nothing_running() -> None:
    with serving("--port", "0") as (server, curls):
        answers = [curl(line) for line in curls]
        statuses = [status for status, _ in answers]
        assert statuses == [200] * (len(curls) - 2) + [403, 404]
        assert all(json.loads(body) for _, body in answers)
        os.killpg(server.pid, signal.SIGINT)
        assert server.wait(timeout=60) in (0, 130)
        with pytest.raises(ProcessLookupError):
            os.killpg(server.pid, 0)


def test_a_port_in_use_is_named_before_anything_is_rated() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = run("local.serve", "--port", str(port))
    assert ran.returncode == 1
    assert f"127.0.0.1:{port} can't be used" in ran.stderr


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_ones_own_extracts_can_be_served(tmp_path: Path) -> None:
    for dataset, text in {
        "agencies": "agency_id,name,joined_at\nM-1,小机构,2024-01-01 00:00:00\n",
        "creators": "creator_id,agency_id,bind_time,power_level\nc1,M-1,2024-01-01 00:00:00,6\n",
        "orders": "order_id,creator_id,pay_time,pay_amount\no1,c1,2026-05-07 08:09:10,6000000\n",
    }.items():
        folder = tmp_path / dataset / "month=2026-05"
        folder.mkdir(parents=True)
        (folder / "all.csv").write_text(text, "utf-8")
        (folder / "_SUCCESS").touch()
    with serving("--port", "0", "--extracts", str(tmp_path)) as (_, curls):
        status, body = curl(next(line for line in curls if line.endswith("/level")))
    view = json.loads(body)
    assert (status, view["agency_id"], view["month"], view["level"]) == (200, "M-1", "2026-05", 1)
    assert view["metrics"]["paid_gmv"] == "60000.00"


def test_extracts_that_are_not_there_are_named(tmp_path: Path) -> None:
    ran = run("local.serve", "--port", "0", "--extracts", str(tmp_path))
    assert ran.returncode == 1
    assert f"{tmp_path}: expected folders agencies/month=YYYY-MM" in ran.stderr


def test_the_demo_fails_when_a_single_claim_does_not_hold() -> None:
    shown = io.StringIO()
    console = Console(file=shown, width=80)
    assert verdict(console, [("the sky is blue", True), ("pigs fly", True)]) == 0
    assert verdict(console, [("the sky is blue", True), ("pigs fly", False)]) == 1
    assert "✗ pigs fly" in shown.getvalue()
