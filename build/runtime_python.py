"""Finds an interpreter of the minor version that Lambda runs, since bytecode is only valid for its own version."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

RUNTIME = "3.13"


def find_runtime_python() -> Path:
    """A working Python 3.13. Raises SystemExit, which says where it was searched and how to get one."""
    for candidate in _candidates():
        if _is_runtime(candidate):
            return candidate
    raise SystemExit(
        f"Python {RUNTIME} was not found: not as $PYTHON313, nor on PATH, in pyenv or in uv. It compiles the packages, "
        f"because it is what Lambda runs. Get one with `pyenv install {RUNTIME}`, `uv python install {RUNTIME}` or "
        f"your system's packages, or name one: make build PYTHON313=/path/to/python{RUNTIME}"
    )


def _candidates() -> Iterator[Path]:
    if named := os.environ.get("PYTHON313"):
        yield Path(named)
    yield Path(sys.executable)
    if on_path := shutil.which(f"python{RUNTIME}"):
        yield Path(on_path)
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(pyenv.glob(f"versions/{RUNTIME}.*/bin/python{RUNTIME}"), reverse=True)
    beside = Path(sys.executable).with_name("uv")
    if uv := (str(beside) if beside.exists() else shutil.which("uv")):
        found = subprocess.run(
            [uv, "python", "find", "--no-project", RUNTIME], capture_output=True, text=True, check=False
        )
        yield from (Path(line) for line in found.stdout.splitlines())


def _is_runtime(python: Path) -> bool:
    """Whether it starts and has the right version. A pyenv shim of a version that is not chosen does not start."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        answer = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return answer.stdout.strip() == RUNTIME


if __name__ == "__main__":
    print(find_runtime_python())
