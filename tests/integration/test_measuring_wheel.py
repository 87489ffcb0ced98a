"""The wheel that Glue runs: it is complete, has the version of the function's code, and always the same bytes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from functions.rating.measuring.plan import reader_version
from local.cloud.template import ROOT

BUILD = "import sys; sys.path.insert(0, 'build'); import glue, pathlib; glue.own_wheel(pathlib.Path(sys.argv[1]))"
IN_THE_WHEEL = """
import sys
sys.path.insert(0, sys.argv[1])
import functions.rating.measuring.spark.job as job
assert sys.argv[1] in job.__file__
print(job.reader_version())
"""


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "own.whl"
    subprocess.run([sys.executable, "-c", BUILD, str(path)], check=True, cwd=ROOT)
    return path


def test_the_wheel_has_the_version_that_plans_require(wheel: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", IN_THE_WHEEL, str(wheel)]
    ran = subprocess.run(command, check=True, cwd=tmp_path, capture_output=True, text=True)
    assert ran.stdout.strip() == reader_version()


def test_two_builds_give_the_same_bytes(wheel: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.whl"
    subprocess.run([sys.executable, "-c", BUILD, str(again)], check=True, cwd=ROOT)
    assert again.read_bytes() == wheel.read_bytes()
