"""The packages of `sam build` are small, complete, equal in each build, and for the requested processor."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import HANDLERS, ROOT, THIS_ARCH, Packages, sam_build

MACHINES = {"x86_64": 0x3E, "arm64": 0xB7}  # e_machine of an ELF file
OTHER_ARCH = "arm64" if THIS_ARCH == "x86_64" else "x86_64"
PYTHON = ROOT / ".venv/e2e/bin/python"
UNNEEDED = {"pip", "pytest", "moto", "tests", "local", "bench", "rich"}


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Packages:
    """The packages for the other processor than this machine's."""
    return sam_build(tmp_path_factory.mktemp("foreign") / "packages", OTHER_ARCH)


def digests(packages: Packages) -> dict[str, str]:
    return dict(re.findall(r"^(\w+) \w+: .*sha256 (\w+)$", packages.output, re.MULTILINE))


def machines(package: Path) -> set[int]:
    """The processors that the native libraries of a package are for."""
    return {int.from_bytes(path.read_bytes()[18:20], "little") for path in package.rglob("*.so*") if path.is_file()}


def test_two_builds_have_the_same_bytes(packages: Packages, tmp_path: Path) -> None:
    again = sam_build(tmp_path / "again", THIS_ARCH)
    assert set(digests(packages)) == {"rating", "lookup", "operations"}
    assert digests(again) == digests(packages)


def test_packages_are_not_larger_than_their_limits(packages: Packages, foreign: Packages) -> None:
    for built in (packages, foreign):
        sizes = {name: float(size) for name, size in re.findall(r"^(\w+) \w+: ([\d.]+) MB", built.output, re.MULTILINE)}
        assert sizes["lookup"] <= 35
        assert sizes["operations"] <= 40
        assert sizes["rating"] <= 200


@pytest.mark.parametrize("function", sorted(HANDLERS))
def test_native_libraries_are_for_the_requested_processor(packages: Packages, foreign: Packages, function: str) -> None:
    assert machines(packages.of(function)) == {MACHINES[THIS_ARCH]}
    assert machines(foreign.of(function)) == {MACHINES[OTHER_ARCH]}


@pytest.mark.parametrize(
    ("function", "own", "other"), [("RatingFunction", "rating", "lookup"), ("LookupFunction", "lookup", "rating")]
)
def test_a_package_has_its_own_function_and_the_shared_code(
    packages: Packages, function: str, own: str, other: str
) -> None:
    package = packages.of(function)
    assert (package / "functions" / own / "app.py").exists()
    assert not (package / "functions" / other).exists()
    assert (package / "shared" / "table.py").exists()
    assert (package / "config" / "workbook.json").exists()
    assert not UNNEEDED & {path.name for path in package.iterdir()}


def test_the_lookup_package_has_no_heavy_library(packages: Packages) -> None:
    names = {path.name for path in packages.of("LookupFunction").iterdir()}
    assert not names & {"duckdb", "numpy", "gspread", "isal", "jinja2"}


@pytest.mark.parametrize("function", sorted(HANDLERS))
def test_every_module_has_bytecode_that_does_not_depend_on_file_dates(packages: Packages, function: str) -> None:
    package = packages.of(function)
    modules = [path for path in package.rglob("*.py") if "/functions/" in str(path) or "/shared/" in str(path)]
    assert modules
    for module in modules:
        compiled = module.parent / "__pycache__" / f"{module.stem}.cpython-313.pyc"
        flags = int.from_bytes(compiled.read_bytes()[4:8], "little")
        assert flags == 0b01, f"{compiled}: not an unchecked hash"


@pytest.mark.parametrize("function", sorted(HANDLERS))
def test_a_package_has_descriptions_only_of_the_aws_services_that_it_calls(packages: Packages, function: str) -> None:
    services = {path.name for path in (packages.of(function) / "botocore" / "data").iterdir() if path.is_dir()}
    called = {
        "RatingFunction": {"dynamodb", "events", "s3", "secretsmanager", "sts"},
        "OperationsFunction": {"dynamodb", "lambda", "s3"},
        "LookupFunction": {"dynamodb"},
    }
    assert services == called[function]


@pytest.mark.parametrize("function", sorted(HANDLERS))
def test_a_package_can_be_imported_without_other_installed_packages(packages: Packages, function: str) -> None:
    package, module = packages.of(function), HANDLERS[function].removesuffix(".handler")
    code = f"import sys; sys.path.insert(0, {str(package)!r}); import {module}"
    environment = {
        "TABLE_NAME": "levels",
        "EXTRACTS": "s3://extracts/in",
        "REPORTS": "s3://reports/out",
        "RATING_FUNCTION": "rating",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    answer = subprocess.run(
        [PYTHON, "-I", "-S", "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
