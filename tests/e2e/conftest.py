"""Fixtures for the real runtimes: the built packages, extracts of a small market, and an embedded AWS."""

from __future__ import annotations

import fcntl
import json
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from local.cloud.embedded import EmbeddedAws, embedded_aws
from local.sample import write_sample
from shared.settings import S3Prefix

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Read when local.cloud.containers is imported, so that two runs on one Docker engine don't disturb each other.
os.environ["EMBEDDED_AWS_NAME"] = f"mcn-levels-aws-e2e-{os.getpid()}"

ROOT = Path(__file__).resolve().parents[2]
EVENTS = ROOT / "events"
THIS_ARCH = {"x86_64": "x86_64", "AMD64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine()]
HANDLERS = {
    "RatingFunction": "functions.rating.app.handler",
    "LookupFunction": "functions.lookup.app.handler",
    "OperationsFunction": "functions.operations.app.handler",
}

# In this order: the month is rated before it is read.
RATING_EVENTS = ("check", "preview", "monthly-run", "rerun", "refresh")


@dataclass(frozen=True)
class Packages:
    """The result of `sam build`: a folder for each function, the built template, and the build's output."""

    folder: Path
    output: str

    def of(self, function: str) -> Path:
        return self.folder / function


def sam_build(folder: Path, arch: str) -> Packages:
    """Build the functions for a processor with the SAM CLI, as `make build` does."""
    command = [str(ROOT / ".venv/sam/bin/sam"), "build", "--build-dir", str(folder)]
    command += ["--parameter-overrides", f"Architecture={arch}"]
    offline = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
    environment = {**os.environ, **offline, "ARCH": arch, "SAM_CLI_TELEMETRY": "0"}
    with one_at_a_time(
        ROOT / ".local" / "sam-build.lock"
    ):  # SAM stores the state of its builds in the project's folder
        answer = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return Packages(folder, answer.stdout + answer.stderr)


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Packages:
    """The packages for this machine's processor, built once for all test processes."""
    folder = for_all_processes(tmp_path_factory) / "packages"
    output = folder.with_suffix(".output")
    with one_at_a_time(folder.with_suffix(".lock")):
        if not output.exists():
            output.write_text(sam_build(folder, THIS_ARCH).output, encoding="utf-8")
    return Packages(folder, output.read_text(encoding="utf-8"))


def for_all_processes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all test processes of this run share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@contextmanager
def one_at_a_time(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def extracts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small market over three months, in every format. It has enough rows to stay below the limit of bad ones."""
    folder = tmp_path_factory.mktemp("extracts")
    write_sample(folder, agency_count=150, orders=20_000)
    return folder


@pytest.fixture(scope="module")
def aws() -> Iterator[EmbeddedAws]:
    with embedded_aws() as running:
        yield running


@pytest.fixture(scope="session")
def built_pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages, built from their sources alone, once for all test processes."""
    if shutil.which("npm") is None:
        pytest.skip("no npm on this machine")
    project = for_all_processes(tmp_path_factory) / "project"
    with one_at_a_time(project.with_suffix(".lock")):
        if not project.exists():
            unfinished = tmp_path_factory.mktemp("unfinished")
            build_pages(unfinished)
            unfinished.rename(project)
    return project / "pages"


def build_pages(project: Path) -> None:
    copy = project / "pages"
    shutil.copytree(ROOT / "pages", copy, ignore=shutil.ignore_patterns("node_modules", "dist"))
    (project / "config").mkdir()
    for description in (ROOT / "config").glob("openapi*.json"):
        shutil.copy(description, project / "config")
    for command in (
        ["npm", "ci", "--no-audit", "--no-fund"],
        *(["npm", "run", it] for it in ("types", "check", "build")),
    ):
        done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False, timeout=600)
        assert done.returncode == 0, done.stdout + done.stderr


def put_extracts(s3: S3Client, url: str, folder: Path) -> None:
    """Upload extracts to ``s3://bucket/prefix``; each folder's `_SUCCESS` comes last."""
    target = S3Prefix.parse(url)
    for path in sorted(folder.rglob("*"), key=lambda path: path.name == "_SUCCESS"):
        if path.is_file():
            key = target.key(path.relative_to(folder).as_posix())
            s3.put_object(Bucket=target.bucket, Key=key, Body=path.read_bytes())


def event(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return found


def api_events() -> list[str]:
    return sorted(path.stem for path in EVENTS.glob("api-*.json"))


def assert_served(name: str, answer: Any) -> None:
    """Assert that the function answered an API event without an internal error."""
    assert "errorType" not in answer, (name, answer)
    assert 200 <= answer["statusCode"] < 500, (name, answer)


def assert_rated(name: str, answer: Any) -> None:
    """Assert that the rating function did what an event asks for."""
    outcomes = {"check": {"checked"}, "preview": {"previewed"}, "monthly-run": {"published"}, "rerun": {"unchanged"}}
    assert "errorType" not in answer, (name, answer)
    assert answer["outcome"] in outcomes.get(name, {"refreshed", "unchanged", "pending"}), (name, answer)
