"""Makes one environment, under a lock. Starts again if an earlier attempt did not finish.

python build/setup.py .venv dev=271544021-98211 demo=118200733-40212

An environment is complete if it has `.ready-<name>` with the checksum of its requirements. That file is removed before
anything is changed, and written last. This process and its installers hold the lock; it is free when all of them have
ended, however they ended.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from pip_settings import uv_settings

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / ".local" / "setup.lock"


def main(folder: Path, name: str, wanted: str, contained: Mapping[str, str]) -> int:
    """0 when the environment is ready; 1 if it could not be made, with a line that says why."""
    try:
        with locked() as lock:
            if not is_ready(name, folder, wanted):
                print(f"setup: installing requirements/{name}.txt into {folder.relative_to(ROOT)}", file=sys.stderr)
                make(name, folder, lock)
                for ready, checksum in {**contained, name: wanted}.items():
                    (folder / f".ready-{ready}").write_text(checksum + "\n", encoding="utf-8")
    except subprocess.CalledProcessError as error:
        print(
            f"setup: {Path(error.cmd[0]).name} ended with {error.returncode}; its words are above. Fix what it names "
            "(network, mirror, disk), then run the same command again.",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print("setup: stopped. The next run begins again.", file=sys.stderr)
        return 130
    return 0


def is_ready(name: str, folder: Path, wanted: str) -> bool:
    stamp = folder / f".ready-{name}"
    return stamp.exists() and stamp.read_text("utf-8").strip() == wanted and works(folder)


@contextmanager
def locked() -> Iterator[int]:
    """Wait until no other process makes an environment of this checkout."""
    LOCK.parent.mkdir(exist_ok=True)
    descriptor = os.open(LOCK, os.O_RDWR | os.O_CREAT)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("setup: another setup of this folder is running; waiting for it", file=sys.stderr)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def make(name: str, folder: Path, lock: int) -> None:
    """Install the requirements, into a new environment unless there is a complete one."""
    stamps = list(folder.glob(".ready-*"))
    if not (stamps and works(folder)):
        shutil.rmtree(folder, ignore_errors=True)
    for stamp in stamps:
        stamp.unlink(missing_ok=True)
    uv, requirements = find_uv(), str(ROOT / "requirements" / f"{name}.txt")
    python = str(folder / "bin" / "python")
    if not folder.exists():
        create(uv, interpreter(name), folder, lock)
    pip = [python, "-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check", "--require-hashes"]
    if not uv and subprocess.run([python, "-c", "import pip"], capture_output=True, check=False).returncode:
        run([python, "-m", "ensurepip"], lock)
    uv = uv or fetch_uv(pip, folder, lock)
    if uv:
        run([uv, "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", requirements], lock)
    else:
        run([*pip, "-r", requirements], lock)


def create(uv: str | None, python: str, folder: Path, lock: int) -> None:
    if uv:
        run([uv, "venv", "--quiet", "--no-project", "--python", python, str(folder)], lock)
    elif importlib.util.find_spec("ensurepip") and importlib.util.find_spec("venv"):
        run([python, "-m", "venv", str(folder)], lock)
    else:
        package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        raise SystemExit(
            f"setup: {python} lacks venv or ensurepip, and there is no uv. On Debian and Ubuntu they are in a package "
            f"of their own: apt install {package}"
        )


def interpreter(name: str) -> str:
    """The Python of an environment: Lambda's version for built functions, else this one."""
    if name != "e2e":
        return sys.executable
    found = [sys.executable, str(ROOT / "build" / "runtime_python.py")]
    return subprocess.run(found, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def find_uv() -> str | None:
    """The uv that is installed or in the development requirements; None with USE_PIP=1."""
    if os.environ.get("USE_PIP"):
        return None
    beside = ROOT / ".venv" / "bin" / "uv"
    return shutil.which("uv") or (str(beside) if beside.exists() else None)


def fetch_uv(pip: Sequence[str], folder: Path, lock: int) -> str | None:
    """Install uv with pip: both together take half the time of pip alone. None if that fails, without a message."""
    if os.environ.get("USE_PIP"):
        return None
    wanted = ["--only-binary", ":all:", "-r", str(ROOT / "requirements" / "uv.txt")]
    fetched = subprocess.run([*pip, *wanted], cwd=ROOT, capture_output=True, pass_fds=[lock], check=False)
    return None if fetched.returncode else str(folder / "bin" / "uv")


def works(folder: Path) -> bool:
    python = folder / "bin" / "python"
    return python.exists() and subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0


def run(command: Sequence[str], lock: int) -> None:
    # Children inherit the lock: an installer that outlives this process still excludes others.
    subprocess.run(command, cwd=ROOT, env=uv_settings(os.environ), pass_fds=[lock], check=True)


if __name__ == "__main__":
    (first, checksum_of_first), *others = [argument.split("=") for argument in sys.argv[2:]]
    sys.exit(main(ROOT / sys.argv[1], first, checksum_of_first, dict(others)))
