"""A command with all processes that it starts: their processor time together, and the most memory that they had."""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from local.cloud.template import ROOT
from local.commandline import UserMistake

_ADOPT_ORPHANS = 36  # PR_SET_CHILD_SUBREAPER of prctl(2)
_PAGE = os.sysconf("SC_PAGE_SIZE")
_EVERY = 0.2  # seconds


@dataclass(frozen=True, slots=True)
class Tree:
    """What a command took: CPU seconds, and the most bytes its processes had at once. ``said``: what it printed."""

    cpu: float
    peak: int
    said: str


def run(command: Sequence[str], environment: Mapping[str, str]) -> Tree:
    """Run a command. Raises UserMistake when it fails, and where this is no Linux.

    Spark's Java outlives the Python that started it for a moment, so this process adopts it, else its time is lost.
    """
    if not sys.platform.startswith("linux"):
        raise UserMistake(f"the processes of a command are counted on Linux only; this is {sys.platform}")
    ctypes.CDLL(None).prctl(_ADOPT_ORPHANS, 1, 0, 0, 0)
    before = _seconds()
    seen: set[int] = set()
    peak = 0
    with (
        tempfile.TemporaryFile() as printed,
        subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment}, stdout=printed) as process,
    ):
        while process.poll() is None:
            now = _descendants(process.pid)
            peak = max(peak, sum(map(_resident, now)))
            seen |= now
            time.sleep(_EVERY)
        printed.seek(0)
        said = printed.read().decode()
    for pid in (*seen, *seen):  # an orphan's own children are adopted when it has ended
        with suppress(ChildProcessError):
            os.waitpid(pid, 0)
    if process.returncode:
        raise UserMistake(f"{' '.join(command[:4])} … ended with {process.returncode}")
    return Tree(_seconds() - before, peak, said)


def _seconds() -> float:
    """Processor time of all children that have ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime


def _descendants(pid: int) -> set[int]:
    """A process and all below it."""
    found, waiting = {pid}, [pid]
    while waiting:
        for task in Path(f"/proc/{waiting.pop()}/task").glob("*/children"):
            with suppress(OSError):
                more = set(map(int, task.read_text().split())) - found
                found |= more
                waiting += more
    return found


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except OSError:
        return 0
