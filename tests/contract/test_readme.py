"""README is true: its commands, events, links and columns exist, and it uses the glossary's words."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from functions.rating.events import parse_event
from functions.rating.extracts.datasets import Dataset

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
DOCS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
OLD_CHINESE_WORDS = r"护栏|已暂停|被暂停|回滚|重述|待首次(?!考核)"
OLD_WORDS = rf"\b(anew|mend|mends|mended|news|unsound|untold|desk|rung)\b|{OLD_CHINESE_WORDS}"
READ_BY_PEOPLE = (
    "config/**/*",
    "functions/**/*.py",
    "functions/**/*.j2",
    "shared/*.py",
    "tools/**/*.py",
    "local/**/*.py",
    "pages/src/**/*.ts",
    "pages/public/*",
)


@pytest.mark.parametrize("command", sorted(set(re.findall(r"make ([a-z][a-z0-9-]*)", README))))
def test_every_command_is_a_target(command: str) -> None:
    dry = ["make", "--dry-run", command, "EXTRACTS=x", "WORKBOOK=x", "RUN=r", "BY=b", "REASON=w", "MONTH=2026-10"]
    ran = subprocess.run([*dry, "FROM=2026-08", "TO=2026-10"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("event", re.findall(r"^\| `(\{.*?\})`", README, re.MULTILINE))
def test_every_event_is_one_that_the_function_knows(event: str) -> None:
    parse_event(json.loads(event))


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_the_target_of_every_link_exists(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text("utf-8")):
        assert target.startswith("http") or (path.parent / target).exists(), target


def test_the_columns_are_those_of_the_contract() -> None:
    for dataset in (Dataset.AGENCIES, Dataset.CREATORS, Dataset.ORDERS):
        row = re.search(rf"^\| {dataset} \| (.*?) \| (.*?) \|$", README, re.MULTILINE)
        assert row
        named = [re.findall(r"[a-z_]+(?=,|$| \()", cells) for cells in row.groups()]
        assert named[0] == [column.name for column in dataset.columns if column.required]
        assert named[1] == [column.name for column in dataset.columns if not column.required]


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_words_are_those_of_the_glossary(path: Path) -> None:
    lines = re.sub(r"`[^`]*`", "", path.read_text("utf-8")).splitlines()  # code may contain an old name
    found = [line for line in lines if re.search(OLD_WORDS, line)]
    assert found == []


@pytest.mark.parametrize("pattern", READ_BY_PEOPLE)
def test_pages_messages_and_the_shipped_workbook_use_the_glossarys_words(pattern: str) -> None:
    paths = [path for path in ROOT.glob(pattern) if path.is_file() and "__pycache__" not in path.parts]
    assert paths
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in paths
        for line in path.read_text("utf-8").splitlines()
        if re.search(OLD_CHINESE_WORDS, line)
    ]
    assert found == []


def test_every_folder_that_the_map_names_exists() -> None:
    folders = re.findall(r"`([a-z/]+/)`", README)
    assert folders
    for folder in folders:
        assert (ROOT / folder).is_dir(), folder


def test_no_line_of_a_code_block_is_wider_than_a_terminal() -> None:
    blocks = re.findall(r"^```\w*\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert blocks
    for block in blocks:
        assert max(map(len, block.splitlines())) <= 80
