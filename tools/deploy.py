"""Deploys the stack.

The first time SAM asks for every parameter; later, parameters that are not named stay as they are.

    python -m tools.deploy --stack mcn-levels
    python -m tools.deploy --stack mcn-levels --set "LookupMemory=2048 Workbook=gsheet:<spreadsheet key>"

The first answers are stored in .deploy/<stack>.toml, which git ignores.
"""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from local.commandline import Parser, UserMistake
from local.commandline import run as run_this
from tools import measuring, pages

ROOT = Path(__file__).parents[1]
SAM = ROOT / ".venv" / "sam" / "bin" / "sam"
DEFAULT_ARCHITECTURE = "x86_64"

Run = Callable[[Sequence[str]], int]


class Refused(UserMistake):
    """The stack can't be deployed as asked; nothing was done."""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    answers = ROOT / ".deploy" / f"{options.stack}.toml"
    code = deploy(options.stack, named(options.set), answers)
    if not code and (bucket := measuring.upload(options.stack, _saved(answers).get("region"))):
        print(f"Spark  s3://{bucket}")
    if not code and (address := pages.upload(options.stack, _saved(answers).get("region"))):
        print(f"页面 pages  {address}/  {address}/console")
    return code


def deploy(stack: str, wanted: Mapping[str, str], answers: Path, run: Run | None = None) -> int:
    """Build for the stack's processor and deploy. Returns the exit code of the command that failed, or 0."""
    run = run or _run
    saved = _saved(answers)
    deployed = parameters_of(stack, saved.get("region"))
    before = deployed if deployed is not None else _assignments(saved.get("parameter_overrides", ""))
    architecture = wanted.get("Architecture") or before.get("Architecture") or DEFAULT_ARCHITECTURE
    overrides = {**wanted, "Architecture": architecture}
    if deployed is None:
        overrides = {**before, **overrides}
        _prepare(answers)
        command = [str(SAM), "deploy", "--guided", "--config-file", str(answers)]
    else:
        command = [str(SAM), "deploy"]
    if "region" in saved:
        command += ["--region", saved["region"]]
    command += ["--stack-name", stack, "--parameter-overrides", *(f"{k}={v}" for k, v in sorted(overrides.items()))]
    return run(["make", "build", f"ARCH={architecture}"]) or run(command)


def parameters_of(stack: str, region: str | None) -> dict[str, str] | None:
    """The parameters of a deployed stack; None when there is no such stack. Raises Refused."""
    client = boto3.client("cloudformation", region_name=region)
    try:
        (found,) = client.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    if found["StackStatus"] == "REVIEW_IN_PROGRESS":
        return None
    if found["StackStatus"] == "ROLLBACK_COMPLETE":
        raise Refused(
            f"stack {stack}: its first deployment failed, and CloudFormation can only delete it. Run "
            f"`aws cloudformation delete-stack --stack-name {stack}`, wait until it is gone, and deploy again"
        )
    return {found["ParameterKey"]: found["ParameterValue"] for found in found.get("Parameters", [])}


def named(text: str) -> dict[str, str]:
    """``Name=value`` pairs, separated by spaces. Raises Refused for a name that the template does not have."""
    pairs = dict(_pair(word) for word in shlex.split(text))
    section = re.search(
        r"^Parameters:\n(.*?)^\S", (ROOT / "template.yaml").read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    known = re.findall(r"^  (\w+):$", section[1] if section else "", re.MULTILINE)
    if unknown := sorted(pairs.keys() - set(known)):
        raise Refused(f"no such parameter: {', '.join(unknown)}. The template has {', '.join(sorted(known))}")
    return pairs


def _pair(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not equals:
        raise Refused(f"expected Name=value, found {word!r}; quote a value that holds blanks")
    return name, value


def _saved(answers: Path) -> dict[str, Any]:
    """The answers of the first deployment, as SAM saved them."""
    if not answers.exists():
        return {}
    found: dict[str, Any] = tomllib.loads(answers.read_text("utf-8"))["default"]["deploy"]["parameters"]
    return found


def _assignments(saved: str | Sequence[str]) -> dict[str, str]:
    words = shlex.split(saved) if isinstance(saved, str) else saved
    return dict(_pair(word) for word in words)


def _prepare(answers: Path) -> None:
    """Create the file for SAM's answers, which SAM requires, with the project's own settings."""
    answers.parent.mkdir(exist_ok=True)
    if not answers.exists():
        answers.write_text((ROOT / "samconfig.toml").read_text("utf-8"), encoding="utf-8")


def _run(command: Sequence[str]) -> int:
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def _parser() -> Parser:
    parser = Parser(
        prog="python -m tools.deploy", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stack", default="mcn-levels", help="name of the stack (default: mcn-levels)")
    parser.add_argument("--set", default="", metavar="'NAME=VALUE …'", help="parameters to change; the others stay")
    return parser


if __name__ == "__main__":
    run_this(main)
