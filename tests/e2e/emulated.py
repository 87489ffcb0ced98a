"""A built function under Lambda's own runtime interface emulator, without Docker."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from tests.e2e.conftest import ROOT, THIS_ARCH
from tests.e2e.processes import accepts, free_port, running

Invoke = Callable[[Mapping[str, Any]], Any]
TIMEOUT = 120


def emulator() -> Path:
    """The emulator that is part of the SAM CLI."""
    (found,) = (ROOT / ".venv/sam/lib").glob(f"python*/site-packages/samcli/local/rapid/aws-lambda-rie-{THIS_ARCH}")
    return found


@contextmanager
def function(package: Path, handler: str, environment: Mapping[str, str], log: Path) -> Iterator[Invoke]:
    """A function that can be invoked many times in one process, like a warm one in Lambda."""
    if sys.platform != "linux":
        raise RuntimeError(f"Lambda's runtime interface emulator is a program for Linux, this is {platform.system()}")
    front, api = free_port(), free_port()
    python = ROOT / ".venv/e2e/bin/python"
    command = [str(emulator()), "--runtime-interface-emulator-address", f"127.0.0.1:{front}"]
    command += ["--runtime-api-address", f"127.0.0.1:{api}", str(python), "-m", "awslambdaric", handler]
    inside = {
        **environment,
        "PATH": f"{python.parent}:/usr/bin:/bin",
        "PYTHONPATH": str(package),
        "LAMBDA_TASK_ROOT": str(package),
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(TIMEOUT),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "3008",
    }
    url = f"http://127.0.0.1:{front}/2015-03-31/functions/function/invocations"

    def invoke(event: Mapping[str, Any]) -> Any:
        return requests.post(url, data=json.dumps(event), timeout=TIMEOUT).json()

    with running(command, inside, package, log, lambda: accepts(front)):
        yield invoke
