"""The common part of all commands: a user's mistake gives one line that says what to do, never a traceback.

Exit codes: 0 done · 1 not possible · 2 wrong usage · 130 stopped by Ctrl-C. ``--debug`` shows the traceback instead of
the line.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

from shared.errors import LevelsError

CREDENTIALS = (
    "AWS credentials: found none. Expected a profile, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. "
    "Run `aws configure`, or name a profile: export AWS_PROFILE=<name>"
)
REGION = "AWS region: found none. Expected the region of the stack. Name it: export AWS_DEFAULT_REGION=ap-east-1"


class UserMistake(Exception):
    """A mistake that the user can fix; the message says how."""


class Parser(argparse.ArgumentParser):
    """argparse with one line for wrong usage, and with ``--debug``."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help="show where an error arose")

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}. See: {self.prog} --help\n")


def required(parser: argparse.ArgumentParser, usage: str, **values: str | None) -> None:
    """Exits with 2 if arguments are missing. Names all of them and shows the usage."""
    missing = [name for name, value in values.items() if not (value or "").strip()]
    if missing:
        parser.exit(2, f"{' and '.join(missing)} missing. Expected: {usage}\n")


def run(main: Callable[[], int]) -> NoReturn:
    """Run a command and exit with its code; a mistake prints one line."""
    try:
        code = main()
        sys.stdout.flush()
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:  # the reader of the output has closed it, such as head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except (UserMistake, LevelsError, BotoCoreError, ClientError, OSError) as error:
        if "--debug" in sys.argv:
            raise
        print(one_line(error), file=sys.stderr)
        code = 1
    sys.exit(code)


def one_line(error: Exception) -> str:
    """What went wrong and how to fix it."""
    match error:
        case NoCredentialsError():
            return CREDENTIALS
        case NoRegionError():
            return REGION
        case ClientError():
            found = error.response["Error"]
            text = f"AWS refused {error.operation_name}: {found['Code']}: {found['Message']}"
        case BotoCoreError():
            text = f"AWS can't be used: {error}. Check the region, the network and the credentials, then run it again"
        case OSError() if error.filename is not None:
            text = f"{error.filename}: {error.strerror}. Check that path, then run it again"
        case UserMistake():
            return str(error)  # one line for each thing that is wrong
        case _:
            text = f"{type(error).__name__}: {error}"
    return " ".join(text.split())
