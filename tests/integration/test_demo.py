"""`make demo` and `make serve`, as a developer runs them."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module, reload
from pathlib import Path

import pytest
from rich.console import Console

import functions.rating.app as rating_app
import local.demo.__main__ as demo
from local.cloud.embedded import EXTRACTS, REPORTS, WORKBOOKS
from local.cloud.system import System, upload
from local.cloud.template import ROOT
from local.demo import progress
from local.demo.__main__ import SHOWN_AGENCY, verdict
from tests.aws import create_bucket
from tests.cloud import WORKBOOK as WORKBOOK_TABS
from tests.cloud import small_cloud
from tests.excel_files import excel
from tests.months import month_rows, write_month

READY = "# Ctrl-C 结束 ends it\n"


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], list[str], list[str]]]:
    """The server in its own process group, the curl lines that it printed, and all lines that it printed."""
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
                if line == READY:
                    break
            assert curls, "".join(printed)
            yield server, curls, printed
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


def test_the_demo_shows_every_table_and_says_that_everything_worked() -> None:
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
def test_the_printed_curl_lines_work_and_ctrl_c_stops_every_process() -> None:
    with serving("--port", "0") as (server, curls, _):
        answers = [curl(line) for line in curls]
        statuses = [status for status, _ in answers]
        assert statuses == [200] * (len(curls) - 3) + [403, 403, 404]
        assert all(json.loads(body) for _, body in answers)
        os.killpg(server.pid, signal.SIGINT)
        assert server.wait(timeout=60) in (0, 130)
        with pytest.raises(ProcessLookupError):
            os.killpg(server.pid, 0)


def test_no_logger_is_made_before_the_environment_is_set() -> None:
    ask = "import sys, local.demo.__main__; print('shared.observability' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", ask], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"


def test_a_port_in_use_is_named_before_anything_is_rated() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = run("local.serve", "--port", str(port))
    assert ran.returncode == 1
    assert f"127.0.0.1:{port} can't be used" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


def test_a_folder_without_extracts_is_named(tmp_path: Path) -> None:
    ran = run("local.serve", "--port", "0", "--extracts", str(tmp_path))
    assert ran.returncode == 1
    assert f"{tmp_path}: expected folders agencies/month=YYYY-MM" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


def write_workbook(folder: Path, **tabs: str) -> Path:
    for name, text in {**WORKBOOK_TABS, **tabs}.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


@dataclass(frozen=True)
class Served:
    """A served system: what it printed, and commands that use it."""

    printed: str
    curls: list[str]

    def operate(self, *arguments: str) -> tuple[int, dict[str, object]]:
        """Exit code and answer of a command, as with `make … LOCAL=1`."""
        ran = run("tools.operate", "--local", self.port, *arguments)
        assert ran.stdout, ran.stderr
        return ran.returncode, json.loads(ran.stdout)

    @property
    def port(self) -> str:
        found = re.search(r"http://127\.0\.0\.1:(\d+)", self.printed)
        assert found
        return found[1]

    def report(self, answer: dict[str, object]) -> Path:
        """The report's page, in the folder that the server names."""
        named = re.search(r"reports  (/.*)", self.printed)
        assert named
        return Path(named[1]) / str(answer["report"]).partition("/runs/")[2]


@contextmanager
def served(extracts: Path, workbook: Path) -> Iterator[Served]:
    with serving("--port", "0", "--extracts", str(extracts), "--workbook", str(workbook)) as (_, curls, printed):
        yield Served("".join(printed), curls)


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    folder = tmp_path / "表格 workbook"
    folder.mkdir()
    return write_workbook(folder, settings="setting,value\nmax_changed_share,0.4\n")


@pytest.fixture
def extracts(tmp_path: Path) -> Path:
    """April, and May, in which both agencies change their level."""
    folder = tmp_path / "数据 extracts"
    write_month(folder, "2026-04", month_rows("2026-04", {"a": (1, 0), "b": (5, 500_000)}))
    write_month(folder, "2026-05", month_rows("2026-05", {"a": (5, 500_000), "b": (1, 0)}))
    return folder


def test_a_held_month_can_be_accepted_and_operated_as_in_the_cloud(extracts: Path, workbook: Path) -> None:
    with served(extracts, workbook) as system:
        held = re.search(r"2026-05  暂缓 held  (\w+)", system.printed)
        assert held, system.printed
        code, accepted = system.operate("accept", held[1], "--by", "Li", "--reason", "two big agencies, checked")
        assert (code, accepted["outcome"], accepted["month"]) == (0, "published", "2026-05")
        code, verified = system.operate("verify", held[1])
        assert (code, verified["outcome"]) == (0, "verified")
        write_workbook(workbook, tips="metric,tip,link\ngmv,新的建议,\n")
        assert system.operate("refresh")[1]["outcome"] == "refreshed"
        code, previewed = system.operate("preview", "2026-05")
        assert (code, previewed["outcome"]) == (0, "previewed")
        assert "2026-05" in system.report(previewed).read_text("utf-8")
        write_workbook(workbook, levels="level,name\none,一级\n")
        code, checked = system.operate("check")
        assert checked["faults"]
        refused = run("tools.operate", "--local", system.port, "verify", "nothing")
        assert (refused.returncode, refused.stderr.splitlines()[1].split(":")[0]) == (1, "RunUnknown")
        evil = f"-H 'Origin: https://example.org' http://127.0.0.1:{system.port}/2015-03-31/functions/x/invocations"
        assert curl(f"curl -s {evil} -d {{}}")[0] == 403


def test_a_month_that_is_not_ready_is_named_and_the_others_are_served(extracts: Path, workbook: Path) -> None:
    (extracts / "orders" / "month=2026-05" / "_SUCCESS").unlink()
    with served(extracts, workbook) as system:
        assert "2026-05  未就绪 not ready: no _SUCCESS in orders" in system.printed
        assert [curl(line)[0] for line in system.curls][-2:] == [403, 404]


def test_if_no_agency_has_a_level_an_unrated_one_is_shown(tmp_path: Path, workbook: Path) -> None:
    folder = tmp_path / "nobody"
    write_month(folder, "2026-05", month_rows("2026-05", {"a": (0, 0)}))
    with served(folder, workbook) as system:
        answers = [curl(line) for line in system.curls]
    assert [status for status, _ in answers] == [200] * (len(answers) - 3) + [403, 403, 404]
    assert json.loads(next(body for _, body in answers if "computed_level" in body))["status"] == "below_ladder"


def excel_file(path: Path, **tabs: str) -> Path:
    rows = {name: list(csv.reader(text.splitlines())) for name, text in {**WORKBOOK_TABS, **tabs}.items()}
    path.write_bytes(excel({name: [[typed(cell) for cell in row] for row in table] for name, table in rows.items()}))
    return path


def typed(cell: str) -> object:
    """The value of a CSV cell, as Excel stores it."""
    return int(cell) if cell.isdecimal() else cell == "TRUE" or cell


def test_an_excel_file_is_served_and_its_versions_are_compared(tmp_path: Path, extracts: Path) -> None:
    book = excel_file(tmp_path / "等级 levels.xlsx")
    with served(extracts, book) as system:
        assert re.search(r"2026-05  已发布 published", system.printed)
        excel_file(book, tips="metric,tip,link\ngmv,直播更多,\n")
        code, refreshed = system.operate("refresh")
        assert (code, refreshed["outcome"]) == (0, "refreshed")
        reports = re.search(r"reports  (/.*)", system.printed)
        assert reports
        assert str(refreshed["run"]) in (Path(reports[1]) / "等级 levels.status.html").read_text("utf-8")
        stored = system.operate("verify", str(refreshed["run"]))[1]["rulebook"]
        compared = run("tools.diff", "--local", system.port, str(stored), str(refreshed["rulebook"]))
        assert compared.stdout.splitlines()[2:] == [
            "2 处改动 changes",
            "提升建议  gmv  建议 多开播 / stream more → –",
            "提升建议  gmv  – → 建议 直播更多",
        ], compared.stderr
        named = re.findall(r"s3://workbook/.*?\?versionId=[\w-]+", system.report(refreshed).read_text("utf-8"))
        compared = run("tools.diff", "--local", system.port, named[0], str(book))
        assert compared.stdout.splitlines()[2] == "2 处改动 changes", compared.stderr


@pytest.mark.parametrize("module", ["local.demo", "local.serve"])
@pytest.mark.parametrize(
    ("content", "message"), [(None, "there is no such file"), (b"no zip", "no .xlsx file, or was cut off on the way")]
)
def test_a_missing_or_broken_excel_file_is_reported_in_one_line(
    tmp_path: Path, module: str, content: bytes | None, message: str
) -> None:
    book = tmp_path / "levels.xlsx"
    if content:
        book.write_bytes(content)
    ran = run(module, *(("--port", "0") if module == "local.serve" else ()), "--workbook", str(book))
    assert (ran.returncode, ran.stdout) == (1, "")
    (line,) = ran.stderr.splitlines()
    assert message in line
    assert str(book) in line


def test_with_faults_in_an_excel_file_nothing_is_started_and_the_cells_are_named(tmp_path: Path) -> None:
    book = excel_file(tmp_path / "levels.xlsx", levels="level,name\none,一级\n2,二级\n3,三级\n")
    ran = run("local.demo", "--workbook", str(book))
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "levels!A2" in ran.stderr


@contextmanager
def small_system(folder: Path) -> Iterator[System]:
    """The real functions over one month of two agencies, in this process, without servers."""
    extracts = folder / "extracts"
    write_month(extracts, "2026-05", month_rows("2026-05", {SHOWN_AGENCY: (5, 600_000), "b": (1, 100)}))
    with small_cloud(folder, EXTRACTS=EXTRACTS, REPORTS=REPORTS, RETENTION_MONTHS="1200") as cloud:
        create_bucket(cloud.s3, WORKBOOKS)
        upload(extracts)
        yield System(rating_app, reload(import_module("functions.lookup.wiring")).handler)


def test_the_demo_rates_by_the_rules_of_an_excel_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The demo over the whole sample is tested above."""
    monkeypatch.setattr(progress, "sample_folder", lambda: tmp_path / "extracts")
    monkeypatch.setattr(progress, "running", lambda *_, **__: small_system(tmp_path))
    monkeypatch.setattr(demo, "REPORTS", tmp_path / "reports")

    assert demo.main(["--workbook", str(excel_file(tmp_path / "我的规则.xlsx"))]) == 0

    shown = capsys.readouterr().out
    assert "✓ 2026-05: published" in shown
    assert "✓ 2026-05: 2 order rows, each accounted for once" in shown
    assert "三级" in shown, "a level of the file, not of the example"
    assert "same month again" not in shown, "only the shipped rules are rehearsed"


def test_the_api_answers_503_before_anything_is_published(tmp_path: Path, workbook: Path) -> None:
    folder = tmp_path / "unready"
    write_month(folder, "2026-05", month_rows("2026-05", {"a": (1, 0)}))
    (folder / "agencies" / "month=2026-05" / "_SUCCESS").unlink()
    with served(folder, workbook) as system:
        ((status, _),) = [curl(line) for line in system.curls]
    assert status == 503


def test_the_demo_fails_if_one_claim_is_not_true() -> None:
    shown = io.StringIO()
    console = Console(file=shown, width=80)
    assert verdict(console, [("the sky is blue", True), ("pigs fly", True)]) == 0
    assert verdict(console, [("the sky is blue", True), ("pigs fly", False)]) == 1
    assert "✗ pigs fly" in shown.getvalue()
