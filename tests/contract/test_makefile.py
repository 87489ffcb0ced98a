"""The Makefile in a folder whose name has a space and Chinese characters: commands get every value unchanged."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from local.cloud.template import ROOT

RECORD = '#!/bin/sh\n{ for argument in "$@"; do printf "%s\\0" "$argument"; done; printf "\\n"; } >> "$RECORDED"\n'
REASON = """门槛 "写错"了; it's $HOME & more"""
DECISION = {"RUN": "c520a155f13c241264b0", "BY": "李 雷", "REASON": REASON}
SIGNED = ["--by", "李 雷", "--reason", REASON]
LOCAL = ["-m", "tools.operate", "--local", "3000"]
MACHINE = "arm64" if os.uname().machine in ("aarch64", "arm64") else "x86_64"

CASES: list[tuple[str, dict[str, str], list[str]]] = [
    ("demo", {"WORKBOOK": "我的 规则.xlsx"}, ["-m", "local.demo", "--workbook", "我的 规则.xlsx"]),
    ("serve", {"EXTRACTS": "/数据 一/二"}, ["-m", "local.serve", "--extracts", "/数据 一/二"]),
    ("check-extracts", {"FOLDER": "数据 一", "MONTH": "2026-10"}, ["-m", "tools.check_extracts", "数据 一", "2026-10"]),
    ("check-workbook", {"LOCAL": "1"}, [*LOCAL, "check"]),
    ("check", {"LOCAL": "1"}, [*LOCAL, "check"]),
    ("refresh", {"LOCAL": "1", "BY": "李 雷", "REASON": REASON}, [*LOCAL, "refresh", *SIGNED]),
    ("refresh", {"LOCAL": "1", "PORT": "3999"}, ["-m", "tools.operate", "--local", "3999", "refresh"]),
    ("backfill", {"LOCAL": "1", "FROM": "2026-08", "TO": "2026-10"}, [*LOCAL, "backfill", "2026-08", "2026-10"]),
    ("preview", {"LOCAL": "1", "MONTH": "2026-10"}, [*LOCAL, "preview", "2026-10"]),
    ("accept", {"LOCAL": "1", **DECISION}, [*LOCAL, "accept", DECISION["RUN"], *SIGNED]),
    ("accept", {"ANYWAY": "1", **DECISION}, ["-m", "tools.operate", "accept", DECISION["RUN"], *SIGNED, "--anyway"]),
    ("rollback", {"LOCAL": "1", **DECISION}, [*LOCAL, "rollback", DECISION["RUN"], *SIGNED]),
    ("verify", {"LOCAL": "1", "RUN": DECISION["RUN"]}, [*LOCAL, "verify", DECISION["RUN"]]),
    ("repair", {"LOCAL": "1", "MONTH": "2026-10"}, [*LOCAL, "repair", "2026-10"]),
    ("workbook", {"INTO": "我的 表.xlsx", "LANG": "zh"}, ["-m", "tools.workbook", "我的 表.xlsx", "--lang", "zh"]),
    ("diff", {"A": "旧 表.xlsx", "B": "新 表.xlsx"}, ["-m", "tools.diff", "旧 表.xlsx", "新 表.xlsx"]),
    (
        "diff",
        {"LOCAL": "1", "A": "旧 表.xlsx", "B": "新 表.xlsx"},
        ["-m", "tools.diff", "--local", "3000", "旧 表.xlsx", "新 表.xlsx"],
    ),
    (
        "pull",
        {"LOCAL": "1", "WORKBOOK": "我的 规则.xlsx", "INTO": "我的 文件夹"},
        ["-m", "tools.pull", "--local", "3000", "我的 规则.xlsx", "我的 文件夹"],
    ),
    ("pull", {"KEY": "1AbC", "INTO": "我的 文件夹"}, ["-m", "tools.pull", "gsheet:1AbC", "我的 文件夹"]),
    ("sheet", {"KEY": "1AbC"}, ["-m", "tools.sheet", "1AbC"]),
    ("invoke", {"EVENT": "events/我的 事件.json"}, ["-m", "local.cloud.containers", "invoke", "events/我的 事件.json"]),
    ("invoke-check", {}, ["-m", "local.cloud.containers", "invoke", "events/check.json"]),
    ("start-api", {}, ["-m", "local.cloud.containers", "start-api"]),
    ("smoke", {"STACK": "等级 一"}, ["-m", "tools.smoke", "--stack", "等级 一"]),
    (
        "deploy",
        {"STACK": "levels", "SET": "LookupMemory=2048 Tracing=PassThrough", "ARCH": "arm64"},
        [
            *("-m", "tools.deploy", "--stack", "levels"),
            *("--set", "LookupMemory=2048 Tracing=PassThrough Architecture=arm64"),
        ],
    ),
    *(
        (
            f"build-{name.title()}Function",
            {"ARTIFACTS_DIR": "/出 处/a b"},
            ["build/package.py", name, "--arch", "x86_64", "--into", "/出 处/a b"],
        )
        for name in ("rating", "lookup", "operations")
    ),
]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the Makefile, whose interpreter and tools record their arguments."""
    folder = tmp_path / "我的 项目"
    for name in ("functions", "shared", "config", "requirements", "events", "build", ".venv/bin", ".venv/sam/bin"):
        (folder / name).mkdir(parents=True)
    shutil.copy(ROOT / "Makefile", folder)
    (folder / "template.yaml").touch()
    for tool in (".venv/bin/python", ".venv/sam/bin/sam"):
        (folder / tool).write_text(RECORD, encoding="utf-8")
        (folder / tool).chmod(0o755)
    (folder / "build" / "setup.sh").write_text("#!/bin/sh\n", encoding="utf-8")
    (folder / "build" / "setup.sh").chmod(0o755)
    (folder / ".aws-sam").mkdir()
    return folder


def called(checkout: Path, target: str, values: dict[str, str]) -> list[list[str]]:
    """The arguments of each call that a target makes."""
    recorded = checkout / "recorded"
    outside = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    assignments = [f"{name}={value.replace('$', '$$')}" for name, value in values.items()]
    answer = subprocess.run(
        ["make", target, *assignments],
        cwd=checkout,
        env={**outside, "RECORDED": str(recorded)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    return [line.split("\0")[:-1] for line in recorded.read_text("utf-8").splitlines()]


@pytest.mark.parametrize(("target", "values", "expected"), CASES, ids=lambda one: one if isinstance(one, str) else "")
def test_commands_get_values_unchanged(
    checkout: Path, target: str, values: dict[str, str], expected: list[str]
) -> None:
    assert called(checkout, target, values)[-1] == expected


def test_build_runs_sam_for_the_processor_and_leaves_a_marker_file(checkout: Path) -> None:
    calls = called(checkout, "build", {"ARCH": "arm64"})
    assert calls[0] == ["build", "--parameter-overrides", "Architecture=arm64"]
    assert (checkout / ".aws-sam" / "built-arm64").exists()


def test_invoke_builds_again_after_an_edit_and_only_then(checkout: Path) -> None:
    def builds() -> int:
        (checkout / "recorded").unlink(missing_ok=True)
        return sum(call[0] == "build" for call in called(checkout, "invoke", {}))

    assert [builds(), builds()] == [1, 0]
    edited = checkout / "functions" / "app.py"
    edited.touch()
    later = (checkout / ".aws-sam" / f"built-{MACHINE}").stat().st_mtime + 5
    os.utime(edited, (later, later))
    assert builds() == 1


def test_every_target_that_the_readme_shows_with_local_is_tried_with_it() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    named = set(re.findall(r"`make ([a-z-]+)[^`]*LOCAL=1`", readme))
    tried = {target for target, values, _ in CASES if "LOCAL" in values}
    assert named
    assert named <= tried
