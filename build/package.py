"""What `sam build` calls for each function: its code, `shared`, `config` and its own dependencies, ready for Lambda.

    python build/package.py lookup --into .aws-sam/build/LookupFunction --arch arm64

Needs no Docker: it installs wheels for Lambda's platform on any machine. Two builds give equal bytes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import wheels
from runtime_python import find_runtime_python

ROOT = Path(__file__).resolve().parents[1]
EPOCH = 946684800  # 2000-01-01: a fixed date for every file, since zip archives hold dates


@dataclass(frozen=True)
class Function:
    """One function's package: the AWS services that it calls, and its largest size, unpacked.

    ``requirements``: the name of its requirement file, if it uses another function's.
    """

    services: tuple[str, ...]
    budget_mb: int
    requirements: str | None = None


FUNCTIONS = {
    "rating": Function(("dynamodb", "events", "s3", "secretsmanager", "sts"), budget_mb=200),
    "operations": Function(("dynamodb", "lambda", "s3"), budget_mb=40, requirements="lookup"),
    "lookup": Function(("dynamodb",), budget_mb=35),
}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Build one function's package for Lambda.")
    parser.add_argument("function", choices=sorted(FUNCTIONS))
    parser.add_argument("--into", type=Path, required=True, help="an empty or absent folder")
    parser.add_argument("--arch", choices=sorted(wheels.PLATFORMS), default="x86_64")
    options = parser.parse_args(arguments)
    package: Path = options.into
    python = find_runtime_python()
    package.mkdir(parents=True, exist_ok=True)

    wheels.install(FUNCTIONS[options.function].requirements or options.function, package, options.arch)
    trim(package, FUNCTIONS[options.function].services)
    copy_code(options.function, package)
    compile_bytecode(package, python)
    set_dates(package)

    size_mb, digest = measure(package)
    budget_mb = FUNCTIONS[options.function].budget_mb
    print(f"{options.function} {options.arch}: {size_mb:.1f} MB unpacked (budget {budget_mb} MB), sha256 {digest}")
    if size_mb > budget_mb:
        print(f"{options.function}: over its budget; see which dependency grew: du -sm {package}/*", file=sys.stderr)
        return 1
    return 0


def trim(package: Path, services: Sequence[str]) -> None:
    """Remove what Lambda never reads: descriptions of other AWS services, console scripts, the installer's lock."""
    shutil.rmtree(package / "bin", ignore_errors=True)
    (package / ".lock").unlink(missing_ok=True)
    for data in (package / "botocore" / "data", package / "boto3" / "data"):
        for service in data.iterdir():
            if service.is_dir() and service.name not in services:
                shutil.rmtree(service)


def copy_code(function: str, package: Path) -> None:
    """Copy the function, the shared modules and their configuration, under the import paths that tests use too."""
    clean = shutil.ignore_patterns("__pycache__", ".*")
    (package / "functions").mkdir()
    shutil.copyfile(ROOT / "functions" / "__init__.py", package / "functions" / "__init__.py")
    for folder in (f"functions/{function}", "shared", "config"):
        shutil.copytree(ROOT / folder, package / folder, ignore=clean)


def compile_bytecode(package: Path, python: Path) -> None:
    """Compile bytecode that is valid whatever the files' dates are, with the paths that Lambda's tracebacks show."""
    command = [str(python), "-m", "compileall", "-q", "-s", str(package), "-p", "/var/task"]
    command += ["--invalidation-mode", "unchecked-hash", str(package)]
    # Sets of constants are written in hash order: a fixed seed gives equal bytes.
    subprocess.run(command, check=True, env=os.environ | {"PYTHONHASHSEED": "0"})


def set_dates(package: Path) -> None:
    for path in sorted(package.rglob("*")):
        path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        os.utime(path, (EPOCH, EPOCH))


def measure(package: Path) -> tuple[float, str]:
    """Size in MB, and a digest over paths, modes and contents."""
    digest, size = sha256(), 0
    for path in sorted(path for path in package.rglob("*") if path.is_file()):
        content = path.read_bytes()
        size += len(content)
        digest.update(f"{path.relative_to(package).as_posix()} {path.stat().st_mode:o} {len(content)}\n".encode())
        digest.update(content)
    return size / 1e6, digest.hexdigest()


if __name__ == "__main__":
    sys.exit(main())
