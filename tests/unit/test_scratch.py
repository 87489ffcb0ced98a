"""A run's working folder is removed by the run or by the next one; errors of the machine get their own error types."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from functions.rating.scratch import causes_named, run_folder
from shared.errors import LevelsError, OutOfRoom, ScratchUnusable

ROOT = Path(__file__).parents[2]
KILLED = """
import os, signal, sys
from pathlib import Path
from functions.rating.scratch import run_folder
with run_folder(Path(sys.argv[1])) as folder:
    (folder / "rows.csv").write_text("abandoned")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_next_run_removes_the_folder_of_a_killed_run_but_not_that_of_a_running_one(tmp_path: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], cwd=ROOT, check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    [abandoned] = tmp_path.iterdir()
    with run_folder(tmp_path) as running:
        assert not abandoned.exists()
        with run_folder(tmp_path) as second:
            assert running.exists()
            assert second != running
    assert list(tmp_path.iterdir()) == []


def test_a_starting_run_keeps_a_folder_that_another_run_is_about_to_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, others = fcntl.flock, list[Path]()

    def after_another_start(file: Any, how: int) -> None:
        if how == fcntl.LOCK_EX and not others:
            others.append(tmp_path)
            with run_folder(tmp_path):
                pass
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", after_another_start)
    with run_folder(tmp_path) as folder:
        assert others
        (folder / "rows.csv").write_text("mine")


def test_other_files_in_the_folder_are_not_removed(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("somebody's")
    with run_folder(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, OutOfRoom),
        (errno.EFBIG, OutOfRoom),
        (errno.EDQUOT, OutOfRoom),
        (errno.EROFS, ScratchUnusable),
        (errno.EACCES, ScratchUnusable),
    ],
)
def test_an_error_number_of_the_disk_decides_the_error_type(
    tmp_path: Path, number: int, kind: type[LevelsError]
) -> None:
    with pytest.raises(kind, match="Nothing was published"), causes_named(tmp_path):
        raise OSError(number, os.strerror(number))


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScratchUnusable, match="absent"), run_folder(tmp_path / "absent"):
        pass


def test_too_few_threads_or_too_little_memory_are_out_of_room(tmp_path: Path) -> None:
    for refused in (RuntimeError("can't start new thread"), MemoryError()):
        with pytest.raises(OutOfRoom), causes_named(tmp_path):
            raise refused
