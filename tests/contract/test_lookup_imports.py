"""The packages that the lookup function imports. They decide how fast it starts, so a new one must be named here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ALLOWED = {
    "annotated_types",
    "aws_lambda_powertools",
    "botocore",
    "certifi",
    "dateutil",
    "functions",
    "jmespath",
    "pydantic",
    "pydantic_core",
    "shared",
    "six",
    "typing_extensions",
    "typing_inspection",
    "urllib3",
    "zoneinfo",
}
PROBE = """
import sys
before = set(sys.modules)
import functions.lookup.app
print(*{name.partition(".")[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names))
print(*(name for name in sys.modules if name.startswith("functions.")))
"""


def imported() -> tuple[set[str], set[str]]:
    environment = os.environ | {"TABLE_NAME": "levels", "AWS_DEFAULT_REGION": "cn-north-1"}
    done = subprocess.run(
        [sys.executable, "-c", PROBE], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    outside, own = done.stdout.splitlines()
    return set(outside.split()), set(own.split())


def test_the_lookup_function_imports_these_packages_and_no_others() -> None:
    outside, own = imported()
    assert {name for name in outside if not name.startswith("_")} <= ALLOWED
    assert not [name for name in own if name.startswith("functions.rating")]
