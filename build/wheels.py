"""Installs wheels for Lambda's platform from a hashed requirement file, on any machine.

python build/wheels.py demo --arch arm64 --into .local/packages
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from pip_settings import uv_settings
from runtime_python import RUNTIME

ROOT = Path(__file__).resolve().parents[1]
PLATFORMS = {"x86_64": "x86_64-manylinux_2_34", "arm64": "aarch64-manylinux_2_34"}  # Amazon Linux 2023 has glibc 2.34


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Install wheels for Lambda's platform into a folder.")
    parser.add_argument("requirements", help="name of a file in requirements/, without .txt")
    parser.add_argument("--into", type=Path, required=True, help="a folder that is made, whole or not at all")
    parser.add_argument("--arch", choices=sorted(PLATFORMS), default="x86_64")
    options = parser.parse_args(arguments)
    aside = options.into.with_name(f"{options.into.name}.{os.getpid()}")
    try:
        install(options.requirements, aside, options.arch)
        if not options.into.exists():
            aside.rename(options.into)
    except subprocess.CalledProcessError as error:
        return int(error.returncode)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return 0


def install(requirements: str, folder: Path, arch: str) -> None:
    """Install only wheels, and only what the file names."""
    command = [uv(), "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
    command += ["--python-platform", PLATFORMS[arch], "--python-version", RUNTIME, "--link-mode", "copy"]
    command += ["--target", str(folder), "--requirement", str(ROOT / "requirements" / f"{requirements}.txt")]
    subprocess.run(command, check=True, env=uv_settings(os.environ))


def uv() -> str:
    """The uv in the development requirements, or the one on PATH."""
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.exists() else "uv"


if __name__ == "__main__":
    sys.exit(main())
