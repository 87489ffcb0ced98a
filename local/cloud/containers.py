"""Runs a built function in Lambda's base image with `sam local`, and the embedded AWS in a container next to it.

    python -m local.cloud.containers invoke events/monthly-run.json
    python -m local.cloud.containers start-api
    python -m local.cloud.containers stop

The embedded AWS keeps its data until `stop`. Its network is internal, and none of its ports is published.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

from local.cloud.embedded import EmbeddedAws
from local.cloud.template import ROOT
from local.commandline import Parser, UserMistake, run
from local.sample import sample_folder

# Name of network and container. Each checkout has its own name, so that two can use one Docker engine.
NAME = os.environ.get("EMBEDDED_AWS_NAME") or f"mcn-levels-aws-{sha256(str(ROOT).encode()).hexdigest()[:8]}"
PORT = 5000
ARCH = {"aarch64": "arm64", "arm64": "arm64"}.get(platform.machine(), "x86_64")
IMAGE = os.environ.get("LAMBDA_BASE_IMAGE") or f"public.ecr.aws/lambda/python:3.13-{ARCH}"
PYTHON = "/var/lang/bin/python3.13"  # where Lambda's base image has it
BUILT = ROOT / ".aws-sam" / "build"
AWS = EmbeddedAws(f"http://{NAME}:{PORT}")
VARIABLES = {**AWS.environment(), "WORKBOOK": "dir:config/workbook"}
WAIT = f"""
import socket, time
deadline = time.monotonic() + 60
while socket.socket().connect_ex(("{NAME}", {PORT})):
    if time.monotonic() > deadline:
        raise SystemExit("the embedded AWS did not start within a minute")
    time.sleep(0.2)
"""


class Unusable(UserMistake):
    """Docker, the base image or the build is missing; the message says what to do."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = Parser(
        prog="python -m local.cloud.containers",
        description="Run the built functions in Docker, against an embedded AWS.",
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("invoke", help="one event").add_argument("event", type=Path)
    verbs.add_parser("start-api", help="the HTTP API").add_argument("--port", type=int, default=3000)
    verbs.add_parser("stop", help="forget the embedded AWS")
    options = parser.parse_args(arguments)
    if options.verb == "invoke" and not options.event.is_file():
        raise Unusable(f"{options.event}: there is no such file. Expected one of events/*.json: make invoke-check")
    if options.verb == "stop":
        stop()
        return 0
    require_docker()
    require_build()
    start()
    if options.verb == "start-api":
        return start_api(options.port)
    answer = invoke(options.event)
    print(json.dumps(answer, ensure_ascii=False, indent=2))
    return 1 if failed(answer) else 0


def require_docker() -> None:
    """Raises Unusable when there is no Docker engine or no base image."""
    if not shutil.which("docker") or subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
        raise Unusable("No Docker engine answers: install and start one (Docker Desktop, or Debian's docker.io).")
    known = subprocess.run(["docker", "image", "inspect", IMAGE], capture_output=True, check=False).returncode == 0
    if not known and subprocess.run(["docker", "pull", "--quiet", IMAGE], check=False).returncode:
        raise Unusable(f"The base image {IMAGE} can't be pulled: name one that is here, LAMBDA_BASE_IMAGE=<image>.")


def require_build() -> None:
    if not (BUILT / "template.yaml").exists():
        raise Unusable("Nothing is built: run make build first.")


def start() -> None:
    """Start the embedded AWS with the sample's extracts, unless it runs already."""
    if _docker("ps", "--quiet", "--filter", f"name=^{NAME}$"):
        return
    stop()
    packages = _packages()
    _docker("network", "create", "--internal", NAME)
    mounts = [f"{ROOT}:/project:ro", f"{packages}:/packages:ro", f"{sample_folder()}:/extracts:ro"]
    volumes = [part for mount in mounts for part in ("--volume", mount)]
    variables = [part for name, value in VARIABLES.items() for part in ("--env", f"{name}={value}")]
    setting = ["--env", "PYTHONPATH=/project:/packages", "--workdir", "/project", "--network", NAME, "--name", NAME]
    server = [IMAGE, "-m", "moto.server", "--host", NAME, "--port", str(PORT)]
    _docker("run", "--detach", *setting, *volumes, *variables, "--entrypoint", PYTHON, *server)
    try:
        _docker("exec", NAME, PYTHON, "-c", WAIT)
        _docker("exec", NAME, PYTHON, "-m", "local.cloud.seed", "/extracts")
    except Unusable:
        stop()
        raise


def stop() -> None:
    """Remove the embedded AWS and its network, if they exist."""
    for command in (["rm", "--force", NAME], ["network", "rm", NAME]):
        subprocess.run(["docker", *command], capture_output=True, check=False)


def invoke(event: Path, built: Path = BUILT) -> Any:
    """A function's answer to an event. Events of the API go to the lookup function. Errors are answers too."""
    function = "LookupFunction" if event.name.startswith("api-") else "RatingFunction"
    with sam_local(built, "invoke", function, "--event", str(event.resolve())) as (command, environment):
        ran = subprocess.run(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    lines = ran.stdout.strip().splitlines()
    if ran.returncode or not lines:
        raise Unusable(f"sam local invoke ended with {ran.returncode} and no answer; its own words are above.")
    return json.loads(lines[-1])


def failed(answer: Any) -> bool:
    """Whether the handler failed. `sam local invoke` exits 0 even then, so the answer has to be read."""
    return not isinstance(answer, dict) or "errorType" in answer or "errorMessage" in answer


def start_api(port: int) -> int:
    """Serve the API on 127.0.0.1 until Ctrl-C. It checks no tokens: every request may see every agency."""
    with sam_local(BUILT, "start-api", "--port", str(port)) as (command, environment):
        return subprocess.run(command, env=environment, cwd=ROOT, check=False).returncode


@contextmanager
def sam_local(built: Path, *command: str) -> Iterator[tuple[list[str], dict[str, str]]]:
    """A `sam local` command with all its options, and the environment to run it in."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    # SAM asks STS and would wait for the answer, which never comes here.
    offline = {"AWS_ENDPOINT_URL_STS": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1", "SAM_CLI_TELEMETRY": "0"}
    credentials = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION")
    environment = {**own, **offline, **{name: VARIABLES[name] for name in credentials}}
    with tempfile.TemporaryDirectory() as folder:
        variables = Path(folder) / "variables.json"
        variables.write_text(json.dumps({"Parameters": VARIABLES}), encoding="utf-8")
        options = ["--template-file", str(for_sam_local(built)), "--env-vars", str(variables)]
        options += ["--docker-network", NAME, "--invoke-image", IMAGE, "--skip-pull-image"]
        options += ["--parameter-overrides", f"Architecture={ARCH}"]
        yield [str(ROOT / ".venv" / "sam" / "bin" / "sam"), "local", *command, *options], environment


def for_sam_local(built: Path) -> Path:
    """A copy of the built template with what `sam local` needs.

    `sam local` gives a function only the variables that its template declares, so LOCAL_CALLER is declared here; the
    real template never has it. `sam local` evaluates no condition in an API's body, so open routes are written here
    without theirs.
    """
    template = yaml.safe_load((built / "template.yaml").read_text(encoding="utf-8"))
    resources = template["Resources"]
    resources["LookupFunction"]["Properties"]["Environment"]["Variables"]["LOCAL_CALLER"] = "*"
    body = resources["Api"]["Properties"]["DefinitionBody"]
    body["paths"] = {_local_path(path): _opened(methods) for path, methods in body["paths"].items()}
    copy = built / "template.local.yaml"
    copy.write_text(yaml.safe_dump(template, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return copy


def _opened(conditional: dict[str, Any]) -> dict[str, Any]:
    """The methods of an open route, in the form from which `sam local` finds the function's name."""
    _condition, methods, _nothing = conditional["Fn::If"]
    address = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${LookupFunction.Arn}/invocations"
    for operation in methods.values():
        operation["x-amazon-apigateway-integration"]["uri"] = {"Fn::Sub": address}
    return dict(methods)


def _local_path(path: str) -> str:
    return "$default" if path == "/$default" else path


def _packages() -> Path:
    """A folder with the pinned packages of the embedded AWS, for the Python of Lambda's base image."""
    pins = (ROOT / "requirements" / "demo.txt").read_bytes()
    folder = ROOT / ".local" / f"embedded-aws-{ARCH}-{sha256(pins).hexdigest()[:12]}"
    if not folder.exists():
        wheels = [sys.executable, str(ROOT / "build" / "wheels.py"), "demo", "--arch", ARCH, "--into", str(folder)]
        if subprocess.run(wheels, check=False).returncode:
            raise Unusable("The packages of the embedded AWS could not be installed; what failed is named above.")
    return folder


def _docker(*arguments: str) -> str:
    """The output of a docker command. Raises Unusable with its error message."""
    answer = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    if answer.returncode:
        raise Unusable(f"docker {arguments[0]} failed: {answer.stderr.strip() or answer.stdout.strip()}")
    return answer.stdout.strip()


if __name__ == "__main__":
    run(main)
