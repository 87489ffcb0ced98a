"""``make smoke STACK=…``: try a deployed stack from outside, delete what was made, and say what was proved.

    make smoke STACK=mcn-levels                     ten minutes, some cents
    make smoke STACK=mcn-levels TOKEN_PUBLIC=… TOKEN_ANY=… TOKEN_NO_AGENCY=…
    make smoke SHEET=<spreadsheet key>              the Google Sheet, with the identity of this machine

It reads the stack's own parts and asks its API. Months are rated by a copy of the functions over a table, folders, a
bus and a queue of its own, which are deleted in the end; the stack's own months are left alone.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable, Sequence

import boto3
from botocore.exceptions import ClientError

from local.commandline import Parser, required, run
from tools.smoke.configuration import Check, checks
from tools.smoke.deployed import Deployed
from tools.smoke.gateway import Gateway
from tools.smoke.month import Months
from tools.smoke.results import Failed, NotProvable, Results
from tools.smoke.trial import trial

TOKENS = ("TOKEN_PUBLIC", "TOKEN_ANY", "TOKEN_NO_AGENCY")

# What no program can see from outside.
BEYOND = {
    "schedule: it fires at its time": "look at the dashboard after the next morning's refresh at 09:00, and on the 3rd",
    "lookups: a bad version is rolled back by its alarms": "it takes a bad version; tests hold the alarms",
    "alarms: the mail arrives": "aws cloudwatch set-alarm-state --state-value ALARM on one of them sends a mail",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Try what is named; 1 when something failed."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if not options.sheet:
        required(parser, "make smoke STACK=<name>, or make smoke SHEET=<spreadsheet key>", STACK=options.stack)
    results = Results(lambda line: print(line, flush=True))
    if options.sheet:
        from tools.smoke.sheet import Sheet  # noqa: PLC0415 - a stack needs no Google

        check_all(results, Sheet(options.sheet).checks())
    else:
        smoke(Deployed.find(boto3.Session(), options.stack), results)
    print("\n" + results.summary())
    return 1 if results.of("failed") else 0


def smoke(stack: Deployed, results: Results) -> None:
    """Every check of a stack: those that only read, then its API, then a copy of it."""
    for what, look in checks(stack):
        results.check(what, look if not stack.emulated else lambda look=look: _as_the_emulator_has_it(look))  # type: ignore[misc]
    check_all(results, Gateway(stack, *(os.environ.get(name, "") for name in TOKENS)).checks())
    kept: list[str] = []

    def made_and_used() -> str:
        with trial(stack, kept) as one:
            check_all(results, Months(one).checks())
        return f"{one.name}: code, settings and roles of {stack.name}"

    results.check("trial: a copy of both functions under copies of their roles", made_and_used)
    results.check("trial: everything of it is deleted", lambda: _deleted(kept))
    for what, how in BEYOND.items():
        results.check(what, lambda how=how: _beyond(how))  # type: ignore[misc]


def check_all(results: Results, found: Iterable[Check]) -> None:
    for what, look in found:
        results.check(what, look)


def _as_the_emulator_has_it(look: Callable[[], str]) -> str:
    """An emulator leaves out what it doesn't know, so what it lacks says nothing about the template."""
    try:
        return look()
    except (Failed, ClientError) as error:
        raise NotProvable(f"the emulator has it otherwise: {error}") from error


def _deleted(kept: Sequence[str]) -> str:
    if kept:
        raise Failed(f"still there: {'; '.join(kept)}. Delete them by hand")
    return "tables, folders, queues, buses, roles and functions with smoke in their names"


def _beyond(how: str) -> str:
    raise NotProvable(how)


def _parser() -> Parser:
    parser = Parser(prog="make smoke", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stack", help="name of the deployed stack")
    parser.add_argument("--sheet", help="the part of the sheet's address between /d/ and /edit")
    return parser


if __name__ == "__main__":
    run(main)
